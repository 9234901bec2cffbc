"""`colorize-hub video`."""

# ruff: noqa: T201 - a command says what it did

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from colorize_hub.cli.flags import (
    Flag,
    ModelName,
    NamedOutput,
    Recolor,
    Vividness,
    WorkingSize,
    one_output,
)

if TYPE_CHECKING:
    from tqdm import tqdm

    from colorize_hub.video.reader import ClipFacts


def video(
    film: Annotated[Path, arg(metavar="IN")],
    output: Annotated[
        Path | None, arg(metavar="[OUT]", help_behavior_hint="(default: IN's name + -color.mp4)")
    ] = None,
    /,
    *,
    model: ModelName = None,
    vividness: Vividness = None,
    size: WorkingSize = None,
    smoothing: Annotated[float, arg(metavar="S")] = 0.8,
    look_ahead: Annotated[int, arg(metavar="N")] = 8,
    recolor: Recolor = False,
    hints: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    keyframes: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None,
    named_output: NamedOutput = None,
    resume: Flag = False,
    overwrite: Flag = False,
) -> None:
    """Colour a film.

    Example: colorize-hub video old.mkv new.mp4

    Ctrl-C leaves a film that plays as far as it got; --resume goes on, after a crash too.

    Args:
        film: Film to colour, in any format that FFmpeg reads. It is never changed.
        output: File to write: .mp4. Sound, subtitles and metadata are the film's.
        smoothing: Steadiness of colours over time: 0 (off, each frame by itself) to 1.
        look_ahead: Frames read ahead, so that colours are smoothed both ways.
        recolor: Colour also shots that have colour; without this flag they stay as they are.
        hints: Colours that you fixed on frames of the film, as JSON; they follow what they lie on.
        keyframes: Frames of the film in their final colours, named frame-000012.png or
            00-01-02.500.png; each gives its colours to its shot.
        resume: Go on with what an earlier run left in OUT.part, if it did.
        overwrite: Replace OUT if it exists, and drop what an earlier run left. Another film than
            an earlier result of IN is kept.
    """
    output = one_output(output, named_output, film.parent / f"{film.stem}-color.mp4")
    with _extra_named():
        from tqdm import tqdm

        from colorize_hub.loading import load
        from colorize_hub.video.films import VideoInterrupted, colorize_video
        from colorize_hub.video.hints import FilmHints
        from colorize_hub.video.job import check_paths
        from colorize_hub.video.keyframes import read_keyframes
        from colorize_hub.video.reader import probe

        check_paths(film, output, resume, overwrite)
        clip = probe(film)
        if overwrite and named_output is None and output.exists():
            _check_replaceable(clip, output)
        fixed = None if hints is None else FilmHints.read(hints)
        if fixed is not None:
            fixed.check(clip)
        finished = [] if keyframes is None else read_keyframes(keyframes)
        width, height = shutil.get_terminal_size()  # tqdm shows nothing where it says 0 x 0
        bar = tqdm(unit=" frames", disable=None, ncols=width, nrows=height)
        try:
            report = colorize_video(
                load(model),
                film,
                output,
                hints=fixed,
                keyframes=finished,
                smoothing=smoothing,
                vividness=vividness,
                size=size,
                look_ahead=look_ahead,
                resume=resume,
                overwrite=overwrite,
                recolor=recolor,
                on_progress=lambda done, total: _show(bar, done, total),
            )
        except VideoInterrupted as stop:
            bar.close()
            if stop.report is not None:
                print(
                    f"\nStopped: {output} plays as far as it got, {stop.report.frames} frames."
                    " Give the same command with --resume to go on.",
                    file=sys.stderr,
                )
            raise
        finally:
            bar.close()
    for warning in report.warnings:
        print(f"colorize-hub: {film}: {warning}", file=sys.stderr)
    pace = f"{report.seconds:.1f} s, {report.new_frames / report.seconds:.1f} frames a second"
    print(f"Wrote {output}, {report.frames} frames, in {pace}")


def _check_replaceable(clip: ClipFacts, output: Path) -> None:
    """Keep what `video *.mp4 --overwrite` would take for OUT where just two names match."""
    from colorize_hub.video.opening import VideoError
    from colorize_hub.video.reader import probe
    from colorize_hub.video.shots import is_recolored_film

    try:
        there = probe(output)
    except VideoError:
        return
    if not is_recolored_film(there, clip):
        raise FileExistsError(
            f"{output} is a film of its own, not an earlier result, and was kept: move it away, or"
            f" name another file to write. To replace it all the same: --output {output}"
        )


@contextmanager
def _extra_named() -> Iterator[None]:
    """Say of a missing package what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name == "tqdm":
            raise ValueError("video needs tqdm: pip install 'colorize-hub[video]'") from error
        if "colorize-hub[video]" not in str(error):
            raise
        raise ValueError(str(error)) from error


def _show(bar: tqdm, done: int, total: int | None) -> None:
    if not bar.n:  # of a film that was begun earlier, count only what is new into the speed
        bar.reset(total)
        bar.initial = bar.n = done - 1
    bar.update(done - bar.n)
