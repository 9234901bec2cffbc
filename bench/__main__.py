"""`python -m bench`: how fast it is, as times and as ratios measured in one run."""

import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import torch
import tyro
from tyro.conf import arg

from bench.clock import Row, table
from bench.measures import (
    click_rows,
    conversion_rows,
    network_rows,
    photograph_rows,
    start_rows,
)
from bench.video import film_rows
from colorize_hub import load
from colorize_hub.loading import BUNDLED, save
from colorize_hub.network.colornet import ColorNet, fast_dtype
from colorize_hub.network.config import ColorizerConfig


def bench(
    *,
    model: Annotated[Path | None, arg(metavar="FOLDER")] = None,
    threads: int = 2,
    turns: int = 7,
    quick: Annotated[bool, arg(help_behavior_hint="")] = False,
) -> None:
    """Measure this machine: network, clicks, large photograph, colour conversion, film, start-up.

    Each time is a median, and stands beside the time of something well known that was measured in
    turns with it. The ratio is what to compare between machines and versions.

    Args:
        model: Folder to load; the default is the built-in model, or random weights without one.
        threads: Threads that torch may use.
        turns: Measurements of which the median is taken.
        quick: Small pictures, one turn, no start-up: to see that it runs.
    """
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of the fresh processes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, origin = _find_model(model, folder)
        print(f"{_machine()}, {threads} threads; model: {origin}")
        turns, megapixels = (1, 0.5) if quick else (turns, 12)
        print(f"median of {turns}; ratio: time divided by the time beside it\n")
        rows = list(_measure(model, folder, turns, megapixels))
        print(table(rows if quick else rows + start_rows(model, folder, turns)))


def _measure(model: Path, folder: Path, turns: int, megapixels: float) -> Iterator[Row]:
    colorizer = load(model, device="cpu")
    yield from network_rows(ColorNet(colorizer.config), turns)
    yield from click_rows(colorizer, turns)
    yield from photograph_rows(colorizer, folder, megapixels, turns)
    yield from conversion_rows(megapixels, turns)
    yield from film_rows(colorizer, folder, 8 if megapixels < 1 else 250)


def _find_model(model: Path | None, folder: Path) -> tuple[Path, str]:
    if model is not None:
        return model, str(model)
    if BUNDLED.is_dir():
        return BUNDLED, "built-in"
    return save(ColorNet(ColorizerConfig()), folder / "model"), "random weights"


def _machine() -> str:
    capability = torch.backends.cpu.get_cpu_capability()
    fast = "bf16 fast" if fast_dtype(torch.device("cpu")) == torch.bfloat16 else "bf16 slow"
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {capability}, {fast}, "
        f"torch {torch.__version__}"
    )


if __name__ == "__main__":
    tyro.cli(bench, prog="python -m bench", config=(tyro.conf.FlagCreatePairsOff,))
