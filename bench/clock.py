"""Timing two things side by side, in this process or in fresh ones."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One line of the table: a time in seconds, and one to compare it with from the same run."""

    what: str
    seconds: float
    beside: str
    other_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.other_seconds


def compare(works: Mapping[str, Work], beside: str, other: Work, turns: int) -> list[Row]:
    """Medians of all works and the other, run in turns so that a busy moment hits every one.

    Where more than one turn is asked for, one goes before that is not measured.
    """
    warm_up = int(turns > 1)
    times = [[_seconds(work) for work in (other, *works.values())] for _ in range(turns + warm_up)]
    other_time, *medians = map(statistics.median, zip(*times[warm_up:], strict=True))
    return [Row(what, t, beside, other_time) for what, t in zip(works, medians, strict=True)]


def fresh_python(*arguments: str) -> Work:
    """Run a new Python process with these arguments; an error there is one here."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def table(rows: Sequence[Row]) -> str:
    """Format rows under a heading, in columns."""
    wide = max(len(row.what) for row in rows)
    other_wide = max(len(row.beside) for row in rows)
    lines = [f"{'':{wide}}  {'time':>9}   {'beside':{other_wide}}  {'time':>9}  {'ratio':>6}"]
    lines += [
        f"{row.what:{wide}}  {_spell(row.seconds):>9}   "
        f"{row.beside:{other_wide}}  {_spell(row.other_seconds):>9}  {row.ratio:6.2f}"
        for row in rows
    ]
    return "\n".join(lines)


def _seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _spell(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
