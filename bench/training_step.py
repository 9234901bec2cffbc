"""`python -m bench.training_step`: a step of training beside the machine's peak."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from bench.clock import Work, compare
from colorize_hub.network.colornet import fast_dtype, for_inference
from train.data.examples import Example
from train.network.model import build_network
from train.objective.objective import Objective
from train.run.config import TrainConfig
from train.run.loop import unfreeze

Shape = list[int]
CPU = torch.device("cpu")

_MATRIX = 2048


def training_step(
    *, encoder_weights: str, batch: int = 32, size: int = 96, threads: int = 2, turns: int = 7
) -> None:
    """Compare steps of training with a large matrix product of the same type.

    Args:
        encoder_weights: As in python -m train; not none, since one of the losses looks through it.
        batch: Pictures a step.
        size: Side of the training crops.
        threads: Threads that torch may use.
        turns: Measurements of which the median is taken.
    """
    torch.set_num_threads(threads)
    dtype = fast_dtype(CPU)
    matrix = torch.randn(_MATRIX, _MATRIX).to(dtype)
    with tempfile.TemporaryDirectory() as folder:
        plain = TrainConfig("none", Path(folder), encoder_weights=encoder_weights, batch=batch)
        tuned = replace(plain, unfreeze=0.0, frozen_stages=2, cells=0.5)
        judged = replace(tuned, log_error=1.5, perception=3.0, adversarial=0.25)
        kinds = {
            "encoder frozen": plain,
            "encoder tuned from its third stage": tuned,
            "and losses on the colours": judged,
            "and an overview": replace(judged, overview=0.5),
        }
        steps: dict[str, Work] = {
            name: partial(step_of(config), noise(config, size)) for name, config in kinds.items()
        }
    print(f"{batch} pictures of {size} px, {threads} threads, {dtype}; median of {turns}\n")
    product = partial(torch.mm, matrix, matrix)
    for row in compare(steps, "product", product, turns):
        with FlopCounterMode(display=False, custom_mapping=_CORRECTED) as counter:
            steps[row.what]()
        pace = counter.get_total_flops() / row.seconds
        share = pace * row.other_seconds / (2 * _MATRIX**3)
        print(
            f"{row.what:36}{row.seconds:6.2f} s {batch / row.seconds:6.0f} pictures/s "
            f"{pace / 1e9:6.0f} GFLOP/s, {share:.0%} of the peak"
        )


def step_of(config: TrainConfig, device: torch.device = CPU) -> Callable[[Example], None]:
    """Make a step of train.run.loop; --unfreeze is at its first step's."""
    network = build_network(config, device)
    tuned = config.unfreeze == 0
    unfreeze(network.encoder, tuned, config.frozen_stages)
    dtype = fast_dtype(device)
    frozen = None if tuned else for_inference(network, dtype)
    weights = torch.ones(network.head.out_channels, device=device)
    objective = Objective(config, device, dtype)
    optimizer = torch.optim.AdamW([*network.parameters(), *objective.parameters()], fused=True)

    def step(batch: Example) -> None:
        objective(network, frozen, batch, weights).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _backward_work(
    gradient: Shape,
    maps: Shape,
    weight: Shape,
    bias: object,
    stride: object,
    padding: object,
    dilation: object,
    transposed: bool,
    output_padding: object,
    groups: int,
    wanted: Sequence[bool],
    out_shape: object,
) -> int:
    """Operations of a convolution's backward pass; torch's own count takes groups for dense."""
    return sum(wanted[:2]) * conv_flop_count(maps, weight, gradient, transposed)


_CORRECTED: dict[Any, Any] = {torch.ops.aten.convolution_backward: _backward_work}


def noise(config: TrainConfig, size: int) -> Example:
    """Return a batch of no pictures at all, without hints."""
    cells = (size // 4) ** 2
    return {
        "rgb": torch.randint(0, 256, (config.batch, 3, size, size), dtype=torch.uint8),
        "hint_mask": torch.zeros(config.batch, 1, size // 4, size // 4, dtype=torch.bool),
        "cells": torch.rand(config.batch, cells).argsort(1)[:, : int(cells * config.cells)],
        "read": 0,
    }


if __name__ == "__main__":
    tyro.cli(training_step, prog="python -m bench.training_step")
