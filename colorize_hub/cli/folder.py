"""`colorize-hub folder`: a folder of pictures, from what is left to do to what has been done."""

# ruff: noqa: T201 - a command says what it did

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from colorize_hub.atomic import remove_leftovers
from colorize_hub.cli.flags import Flag, ModelName, Recolor, Vividness, WorkingSize
from colorize_hub.cli.output import check_report, write_report

if TYPE_CHECKING:
    from colorize_hub.batch.archive import Outcome
    from colorize_hub.inference.colorizer import Colorizer

_LINE_SECONDS = 30  # between two lines of progress where no bar can be drawn
_GPU_BATCH = 16


def folder(
    source: Annotated[Path, arg(metavar="IN")],
    target: Annotated[Path, arg(metavar="OUT")],
    /,
    *,
    model: ModelName = None,
    vividness: Vividness = None,
    size: WorkingSize = None,
    keep_toning: Flag = False,
    recolor: Recolor = False,
    overwrite: Flag = False,
    workers: Annotated[
        int | None, arg(metavar="N", help_behavior_hint="(default: one for each core)")
    ] = None,
    report: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
) -> None:
    """Colour all photographs in a folder and in the folders in it.

    Example: colorize-hub folder scans scans-color

    What is in OUT already is not done again: stop it with Ctrl-C, or kill it, and go on with the
    same command. Ends with 1 if a picture failed (the others are done), with 130 if stopped.

    Args:
        source: Folder of photographs; it is never changed.
        target: Folder to write to, with the same tree and names; a.gif becomes a.gif.png.
        keep_toning: Lay the colours over the tint of sepia and other toned prints.
        recolor: Colour also pictures that have colours; without this flag they are left out.
        overwrite: Do again what is in OUT; a picture there that is no earlier result is kept.
        workers: Pictures worked on at a time.
        report: File to write figures, errors and what was left out to, as JSON.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be 1 or more, got {workers}.")
    check_report(report)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters fails, and is told at the end
    started = time.time()
    from colorize_hub.batch.archive import color_pictures, plan_folder
    from colorize_hub.batch.options import Options
    from colorize_hub.engines.allocation import keep_freed_memory
    from colorize_hub.loading import load

    plan = plan_folder(source, target)
    done = 0 if overwrite else len(plan.done)
    tasks = plan.waiting + plan.done if overwrite else plan.waiting
    print(f"{len(tasks)} pictures to look at, {done} are done already")
    stop, interrupted = Event(), Event()
    _finish_on_interrupt(stop, interrupted)
    outcomes: list[Outcome] = []
    seconds = 0.0
    if tasks:
        keep_freed_memory()
        colorizer = load(model)
        workers, batch = _share_out(colorizer, workers)
        start = time.perf_counter()
        work = color_pictures(
            colorizer,
            tasks,
            Options(vividness, size, keep_toning, recolor),
            workers=workers,
            batch=batch,
            stop=stop,
        )
        outcomes += _watched(work, len(tasks))
        seconds = time.perf_counter() - start
        for written in {task.target.parent for task in tasks}:
            remove_leftovers(written, before=started)
    not_tried = len(tasks) - len(outcomes)
    result = _result(outcomes + plan.failed, plan.unread, done, not_tried, seconds)
    named = {"source": str(source), "target": str(target), "model": model or "built-in"}
    if report is not None:
        write_report(report, named | result)
    _print_result(result, report)
    if interrupted.is_set():
        sys.exit(130)
    if result["failed"] or not_tried:
        sys.exit(1)


def _share_out(colorizer: Colorizer, workers: int | None) -> tuple[int, int]:
    """How many workers, and pictures a batch."""
    engine = colorizer.engine
    return workers or engine.threads, 1 if engine.side_by_side else _GPU_BATCH


def _finish_on_interrupt(stop: Event, interrupted: Event) -> None:
    """Make the first Ctrl-C finish what is in work, and the second end the process."""

    def interrupt(_signal: int, _frame: object) -> None:
        interrupted.set()
        stop.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        note = b"\nFinishing the pictures in work; Ctrl-C again stops at once.\n"
        os.write(sys.stderr.fileno(), note)  # print may not be entered twice

    signal.signal(signal.SIGINT, interrupt)


def _watched(work: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """Yield the same outcomes; show how many there are: a bar, or now and then a log line."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield from _logged(work, total)
        return
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    width, height = shutil.get_terminal_size()  # tqdm shows nothing where a terminal says 0 x 0
    bar = tqdm(total=total, unit=" pictures", ncols=width, nrows=height)
    with logging_redirect_tqdm(), bar:
        for outcome in work:
            bar.update()
            yield outcome


def _logged(work: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    start = last = time.perf_counter()
    for count, outcome in enumerate(work, 1):
        now = time.perf_counter()
        if now - last >= _LINE_SECONDS:
            last, pace = now, count / (now - start)
            left = round((total - count) / pace / 60)
            line = f"{count} of {total}, {pace:.1f} pictures/s, about {left} minutes left"
            print(line, file=sys.stderr, flush=True)
        yield outcome


def _result(
    outcomes: list[Outcome], unread: Sequence[Path], done: int, not_tried: int, seconds: float
) -> dict[str, Any]:
    outcomes.sort(key=lambda outcome: outcome.source)
    states = Counter(outcome.state for outcome in outcomes)
    coloured = states["coloured"]
    return {
        "coloured": coloured,
        "done_before": done,
        "had_colour": states["has colour"],
        "failed": states["failed"],
        "not_tried": not_tried,
        "seconds": round(seconds, 2),
        "pictures_per_second": round(coloured / seconds, 3) if seconds else 0.0,
        "errors": [
            {"file": str(outcome.source), "error": outcome.error}
            for outcome in outcomes
            if outcome.state == "failed"
        ],
        "left_out": [str(one.source) for one in outcomes if one.state == "has colour"],
        "not_read": _kinds(unread),
    }


def _kinds(unread: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the kinds of pictures that are not read, with how many there are of each."""
    from colorize_hub.pictures import formats

    found: dict[formats.Unread, list[str]] = {}
    for path in unread:
        if kind := formats.unread(path):
            found.setdefault(kind, []).append(path.suffix.lower())
    return [
        {
            "kind": kind.kind,
            "files": len(endings),
            "endings": sorted(set(endings)),
            "remedy": kind.remedy,
        }
        for kind, endings in found.items()
    ]


def _print_result(result: dict[str, Any], report: Path | None) -> None:
    pace = f"{result['seconds']:.1f} s, {result['pictures_per_second']:.1f} pictures/s"
    print(f"Coloured {result['coloured']} pictures in {pace}")
    if result["had_colour"]:
        where = report or "--report FILE"
        print(
            f"Left out {result['had_colour']} that have colour: {where} names them,"
            " --recolor takes them too"
        )
    for kind in result["not_read"]:
        endings = ", ".join(kind["endings"])
        print(f"Not read: {kind['files']} {kind['kind']} ({endings}): {kind['remedy']}")
    for error in result["errors"]:
        named = error["error"] if error["file"] in error["error"] else ": ".join(error.values())
        print(f"Failed: {named}", file=sys.stderr)
    if result["not_tried"]:
        print(f"Stopped; {result['not_tried']} are left: the same command goes on", file=sys.stderr)
