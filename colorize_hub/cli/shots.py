"""`colorize-hub shots`."""

# ruff: noqa: T201 - a command says what it did

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from colorize_hub.cli.flags import Flag

if TYPE_CHECKING:
    from colorize_hub.video.cuts import FilmIndex

_ON_A_TERMINAL = 60  # lines
_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WebP"}


def shots(
    film: Annotated[Path, arg(metavar="IN")],
    /,
    *,
    output: Annotated[Path | None, arg(metavar="SHEET", help_behavior_hint="")] = None,
    every: Annotated[bool, arg(name="all", help_behavior_hint="")] = False,
    overwrite: Flag = False,
) -> None:
    """List the shots of a film, with time codes and frame numbers.

    Example: colorize-hub shots film.mkv --output sheet.png

    Args:
        film: Film, in any format that FFmpeg reads.
        output: Contact sheet to write: .png, .jpg or .webp, a frame of each shot, 240 at most.
        every: List every shot on a terminal too, where else 60 lines are shown.
        overwrite: Replace the contact sheet if it exists.
    """
    from tqdm import tqdm

    from colorize_hub.video.cuts import find_shots
    from colorize_hub.video.reader import probe

    if output is not None:
        _check_sheet(output, overwrite)
    clip = probe(film)
    width, height = shutil.get_terminal_size()  # tqdm shows nothing where it says 0 x 0
    bar = tqdm(total=clip.frames, unit=" frames", disable=None, ncols=width, nrows=height)
    with bar:
        index = find_shots(clip, lambda done, total: bar.update())
    _list(index, len(index.shots) if every or not sys.stdout.isatty() else _ON_A_TERMINAL)
    if output is not None:
        _write_sheet(index, output)


def _list(index: FilmIndex, most: int) -> None:
    """Print a line a shot, tabs between its columns."""
    from colorize_hub.video.cuts import time_code

    print("shot\tstart\tend\tfirst frame\tframes")
    for number, shot in zip(range(1, most + 1), index.shots, strict=False):
        codes = time_code(shot.start), time_code(shot.end)
        print(number, *codes, shot.first, shot.frames, sep="\t")
    count = len(index.shots)
    if count > most:
        print(f"and {count - most} more shots; --all lists them", file=sys.stderr)
    frames = f"{count} shot{'s' if count > 1 else ''}, {len(index.times)} frames"
    print(f"{frames}, {time_code(index.seconds(len(index.times)))}", file=sys.stderr)


def _check_sheet(output: Path, overwrite: bool) -> None:
    if output.suffix.lower() not in _KINDS:
        raise ValueError(
            f"Cannot write {output}: expected a name ending in {', '.join(_KINDS)}, got"
            f" {output.suffix or 'no suffix'!r}."
        )
    if not output.parent.is_dir():
        raise FileNotFoundError(f"Cannot write {output}: create the folder {output.parent} first.")
    if output.exists() and not overwrite:
        raise FileExistsError(f"{output} exists; add --overwrite to replace it, or name another.")


def _write_sheet(index: FilmIndex, output: Path) -> None:
    from colorize_hub.atomic import atomic_path
    from colorize_hub.video.shot_sheet import MOST_SHOTS, shot_sheet

    with atomic_path(output) as path:
        shot_sheet(index).save(path, _KINDS[output.suffix.lower()])
    shown = min(MOST_SHOTS, len(index.shots))
    print(f"Wrote {output}, {shown} of {len(index.shots)} shots", file=sys.stderr)
