"""`python -m bench.feeding`: does the data keep up with the training?"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice, repeat
from pathlib import Path

import torch
import tyro

from bench.clock import Row, table
from bench.training_step import step_of
from train.data.examples import Example, Share, open_training_data, training_batches
from train.run.config import TrainConfig

_READ_AHEAD = 8  # batches that may wait ready-made when a measurement begins


def feeding(
    data: str,
    *,
    encoder_weights: str = "none",
    batch: int = 64,
    size: int = 96,
    steps: int = 30,
    turns: int = 5,
    threads: int = 2,
) -> None:
    """Measure training steps on pictures as they come, beside steps on one batch again and again.

    Args:
        data: As --data of python -m train. The first run decodes it all.
        encoder_weights: As in python -m train; speed does not depend on it.
        batch: Pictures a step.
        size: Side of the training crops.
        steps: Steps of one measurement.
        turns: Measurements of which the median is taken.
        threads: Threads that torch may use.
    """
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            data,
            Path(folder),
            encoder_weights=encoder_weights,
            batch=batch,
            pictures=batch * (turns + 1) * (steps + _READ_AHEAD),
            sizes=(size,),
            phases=(1.0,),
        )
        print(f"median of {turns} x {steps} steps of {batch} pictures at {size} px")
        print(table([feeding_row(config, steps, turns)]))


def feeding_row(config: TrainConfig, steps: int, turns: int) -> Row:
    """Seconds of a step on real data, beside those on a batch that is already there.

    The encoder is frozen: the fastest step, which the data must keep up with.
    """
    batches = training_batches(open_training_data(config, Share()), Share(), 0, 0, config)
    step, cached = step_of(config), next(batches)
    real_times, cached_times = [], []
    for _ in range(turns + 1):
        cached_times.append(_seconds_a_step(step, repeat(cached, steps)))
        for _ in islice(batches, _READ_AHEAD):
            pass
        real_times.append(_seconds_a_step(step, islice(batches, steps)))
    real, again = statistics.median(real_times[1:]), statistics.median(cached_times[1:])
    return Row("training step, real data", real, "one batch again", again)


def _seconds_a_step(step: Callable[[Example], None], batches: Iterator[Example]) -> float:
    start = time.perf_counter()
    done = 0
    for batch in batches:
        step(batch)
        done += 1
    return (time.perf_counter() - start) / done


if __name__ == "__main__":
    tyro.cli(feeding, prog="python -m bench.feeding")
