"""A folder of pictures, with all folders in it, in colour: several pictures at a time, on threads.

An output that exists is done, for it appeared whole or not at all: what was stopped or killed goes
on where it was, with the same call.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from errno import EDQUOT, ENOSPC
from functools import cache
from pathlib import Path
from threading import Event, RLock
from typing import TYPE_CHECKING, Literal

import numpy as np

from colorize_hub.batch.files import target_name, write_picture
from colorize_hub.batch.options import Options
from colorize_hub.batch.overwriting import check_replaceable
from colorize_hub.pictures.formats import is_read, unread
from colorize_hub.pictures.picture import Picture, PictureError, read_picture
from colorize_hub.pictures.toning import find_toning, has_color

if TYPE_CHECKING:
    from colorize_hub.inference.colorizer import Colorizer

_LARGE = 1 << 24  # pixels: above, one picture at a time, and no batch holds more


@dataclass(frozen=True)
class Task:
    """A picture, and the file to write for it."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a picture.

    Attributes:
        source: the picture, or a folder that cannot be read.
        state: "coloured"; "has colour", so that nothing was written; or "failed".
        error: why it failed.
        unusable: the picture is at fault, and would fail anywhere and at any time.
    """

    source: Path
    state: Literal["coloured", "has colour", "failed"]
    error: str | None = None
    unusable: bool = False


@dataclass(frozen=True)
class Plan:
    """What there is to do in a folder.

    Attributes:
        waiting: pictures without an output, in the order of their names.
        done: pictures with one.
        failed: what cannot be done, as known beforehand.
        unread: pictures of kinds that are known and not read, see formats.unread.
    """

    waiting: list[Task] = field(default_factory=list)
    done: list[Task] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)


def plan_folder(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Plan:
    """Find the pictures in a folder and in all folders in it.

    Links are followed, and each folder is searched once. The target is not searched, nor are names
    that begin with a dot. Outputs have the pictures' names, see files.target_name.

    Args:
        source: a folder; nothing in it is changed.
        target: the folder of the outputs, made if missing, with the tree of the source.

    Raises:
        FileNotFoundError: there is no such source.
        NotADirectoryError: source or target is a file.
        ValueError: the target is the source, or the source lies inside it.
    """
    source, target = Path(source).expanduser(), Path(target).expanduser()
    _check_folders(source, target)
    target.mkdir(parents=True, exist_ok=True)
    plan, taken = Plan(), set()
    leads_back = cache(lambda f: _lies_inside(f, source) and not _lies_inside(f, target))
    for picture in _walk(source, target, plan):
        task = Task(picture, target / target_name(picture.relative_to(source)))
        if leads_back(task.target.parent):
            reason = f"{task.target.parent} is a link to pictures; outputs would be among them."
            plan.failed.append(Outcome(picture, "failed", reason))
        elif task.target in taken:
            reason = f"Another picture is written as {task.target} too: rename one of them."
            plan.failed.append(Outcome(picture, "failed", reason))
        else:
            (plan.done if task.target.exists() else plan.waiting).append(task)
        taken.add(task.target)
    return plan


def color_pictures(
    colorizer: Colorizer,
    tasks: Sequence[Task],
    options: Options,
    *,
    workers: int = 1,
    batch: int = 1,
    stop: Event | None = None,
) -> Iterator[Outcome]:
    """Colour pictures, several at a time; outcomes come as they are ready, in any order.

    Each worker is a thread that takes pictures all the way from file to file; all share one network
    and the engine's threads. On a CPU as many workers as cores are fastest.

    Args:
        colorizer: of `load`.
        tasks: see plan_folder. The folders of the outputs are made.
        options: how they are coloured.
        workers: threads.
        batch: most pictures that a worker gives to the network at once; more than 1 pays on a GPU.
        stop: once set, pictures in work are finished and no others begun. A full disk sets it.

    Yields:
        One outcome for each picture that was begun.
    """
    stop = Event() if stop is None else stop
    worker = _Worker(colorizer, options, stop, RLock())
    engine = colorizer.engine
    alone = engine.use_threads, (max(1, engine.threads // workers),)
    with ThreadPoolExecutor(workers, "colour", *alone) as pool:
        try:
            futures = [
                pool.submit(worker.color, tasks[first : first + batch])
                for first in range(0, len(tasks), batch)
            ]
            for future in as_completed(futures):
                yield from future.result()
        finally:
            stop.set()


@dataclass(frozen=True)
class _Worker:
    """Takes pictures from file to file; shared by all threads."""

    colorizer: Colorizer
    options: Options
    stop: Event
    large: RLock

    def color(self, tasks: Sequence[Task]) -> list[Outcome]:
        outcomes, held = [], []
        for task in tasks:
            if self.stop.is_set():
                break
            try:
                picture = read_picture(task.source)
                check_replaceable(task.target, picture)
                if not self.options.recolor and has_color(picture.pixels):
                    outcomes.append(Outcome(task.source, "has colour"))
                    continue
            except Exception as error:  # one of ten thousand must not stop the others
                outcomes.append(_failure(task, error))
                continue
            held.append((task, picture))
            if sum(one.height * one.width for _, one in held) > _LARGE:
                outcomes += self._color_together(held)
                held = []
        return outcomes + self._color_together(held)

    def _color_together(self, held: list[tuple[Task, Picture]]) -> list[Outcome]:
        if not held:
            return []
        pictures = [picture.pixels for _, picture in held]
        large = sum(pixels.shape[0] * pixels.shape[1] for pixels in pictures) > _LARGE
        with self.large if large else nullcontext():
            try:
                colored = self.colorizer.colorize(
                    pictures, vividness=self.options.vividness, size=self.options.size
                )
            except Exception as error:
                if len(held) == 1:
                    return [_failure(held[0][0], error)]
                return [one for each in held for one in self._color_together([each])]
            return [
                self._write(task, picture, np.asarray(rgb))
                for (task, picture), rgb in zip(held, colored, strict=True)
            ]

    def _write(self, task: Task, picture: Picture, rgb: np.ndarray) -> Outcome:
        try:
            if self.options.keep_toning and (toning := find_toning(picture.pixels)):
                rgb = toning.lay_under(rgb, picture.pixels)
            task.target.parent.mkdir(parents=True, exist_ok=True)
            write_picture(rgb, picture, task.target)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
                self.stop.set()  # the disk is full, for the others too
            return _failure(task, error)
        return Outcome(task.source, "coloured")


def _failure(task: Task, error: Exception) -> Outcome:
    reason = str(error) or type(error).__name__
    return Outcome(task.source, "failed", reason, isinstance(error, PictureError))


def _check_folders(source: Path, target: Path) -> None:
    if not source.exists():
        raise FileNotFoundError(f"There is no folder {source}; check the name.")
    for folder in (source, target):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"{folder} is a file; name a folder.")
    if _lies_inside(source, target):
        raise ValueError(
            f"The folder of the pictures, {source}, is or lies inside the folder of the outputs,"
            f" {target}: outputs could take the place of pictures. Name another folder for them."
        )


def _lies_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _walk(source: Path, left_out: Path, plan: Plan) -> Iterator[Path]:
    """Pictures in a folder, sorted; links to folders come last, so that a tree keeps its places.

    What cannot be read is added to the plan.
    """
    seen = {_identity(left_out)}
    folders, links = [source], deque[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.popleft()
        try:
            if _identity(folder) in seen:
                continue
            seen.add(_identity(folder))
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            plan.failed.append(Outcome(folder, "failed", f"{error.strerror}: {folder}"))
            continue
        inner = []
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if os.path.isdir(path):  # False for what cannot be looked at
                (links if entry.is_symlink() else inner).append(path)
            elif is_read(path):
                yield path
            elif unread(path):
                plan.unread.append(path)
        folders += reversed(inner)


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
