"""What every training does from step to step: the course of the learning rate, averaged weights."""

from collections.abc import Iterable
from math import cos, pi

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def rate_factor(step: int, steps: int, warmup: int) -> float:
    """Share of the peak learning rate: a linear warm-up, then half a cosine down to zero.

    Args:
        step: 0-based.
        steps: of the whole run.
        warmup: steps of the warm-up.
    """
    warm = min(1.0, (step + 1) / max(1, warmup))
    return warm * (1 + cos(pi * step / steps)) / 2


@torch.no_grad()
def update_average(
    averaged: Iterable[Tensor], parameters: Iterable[nn.Parameter], step: int, decay: float
) -> None:
    """Move the exponential moving average of the weights towards the weights, in place.

    In the first steps it forgets faster, min(decay, (1 + step) / (10 + step)), so that it does not
    remember the random start.
    """
    decay = min(decay, (1 + step) / (10 + step))
    get_ema_multi_avg_fn(decay)(list(averaged), [p.detach() for p in parameters], step)
