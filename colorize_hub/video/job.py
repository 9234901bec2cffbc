"""A film that is half made: what it may be called, and what an earlier run left of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from colorize_hub.atomic import write_atomically
from colorize_hub.video.opening import VideoError
from colorize_hub.video.reader import ClipFacts

_SUFFIXES = (".mp4", ".m4v")
_JOB = "job.json"


def check_paths(source: Path, target: Path, resume: bool = False, overwrite: bool = False) -> None:
    """Find what would fail later, before a model is loaded.

    Raises: as `colorize_video`, on account of the paths alone.
    """
    if source.is_dir():
        raise IsADirectoryError(f"{source} is a folder; video takes one film.")
    if not source.exists():
        raise FileNotFoundError(f"There is no film {source}; check the name.")
    if target.suffix.lower() not in _SUFFIXES:
        raise VideoError(
            f"Cannot write {target}: expected a name ending in {' or '.join(_SUFFIXES)}, got"
            f" {target.suffix or 'no suffix'!r}."
        )
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; name the file to write.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"Cannot write {target}: create the folder {target.parent} first.")
    if target.exists() and target.samefile(source):
        raise FileExistsError(f"{target} is the film itself; name another file to write.")
    half_done = part_folder(target)
    if half_done.exists() and not resume and not overwrite:
        raise FileExistsError(
            f"{half_done} is what an earlier run left; add --resume to go on with it, or"
            " --overwrite to begin anew."
        )
    if target.exists() and not overwrite and not (resume and half_done.exists()):
        raise FileExistsError(f"{target} exists; add --overwrite to replace it, or name another.")


def part_folder(target: Path) -> Path:
    """Return the folder beside a target in which its finished pieces lie."""
    return target.with_name(target.name + ".part")


def begin(folder: Path, clip: ClipFacts, resume: bool, settings: dict[str, object]) -> Path:
    """Return the folder to work in: empty, or as an earlier run of the same work left it.

    Args:
        folder: to make or to go on in.
        clip: the film.
        resume: go on with what lies there.
        settings: what decides the result, ready for JSON.

    Raises:
        VideoError: what lies there is of another film or other settings.
        FileExistsError: the folder holds other things.
    """
    status, note = clip.path.stat(), folder / _JOB
    job = {"source": [status.st_size, status.st_mtime_ns], **settings}
    if folder.exists() and not note.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is needed to work in, but holds other things; move it.")
    if folder.exists() and not (resume and note.exists()):
        shutil.rmtree(folder)
    if not folder.exists():
        folder.mkdir()
        write_atomically(note, json.dumps(job))
        return folder
    earlier = json.loads(note.read_text())
    other = [key for key in job if job[key] != earlier.get(key)]
    if other:
        raise VideoError(
            f"{folder} was begun with another {' and '.join(other)}; take the same to go on with"
            " it, or add --overwrite without --resume to begin anew."
        )
    return folder
