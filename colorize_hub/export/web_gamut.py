"""`lab.largest_scale` for the graphs of the page that needs no server.

Its steps become loops of a graph: each stands there once, so that a browser has a session of it
ready several times sooner than of the same steps one after the other.
"""

import warnings
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from colorize_hub.colour.lab import (
    HALVINGS,
    INTERPOLATIONS,
    Line,
    Search,
    line_of,
    narrowed,
    whole_line,
)

_Parts = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@cache
def scale_in_loops() -> Callable[[Tensor, Tensor], Tensor]:
    """Return lab.largest_scale, to be called while a graph is traced; make it before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation, as of the exporter itself
        steps = _steps()

    def largest_scale(lightness: Tensor, ab: Tensor) -> Tensor:
        line = line_of(lightness, ab)
        # As tensors, for the exporter writes short loops of a fixed length out.
        counts = torch.tensor(HALVINGS), torch.tensor(INTERPOLATIONS)
        return steps(*counts, *line, *whole_line(line))

    return largest_scale


def _steps() -> Callable[..., Tensor]:
    """All steps: how many of both kinds, fields of `Line` and `Search` to the last `Search.low`."""
    halve, interpolate = _step(halve=True), _step(halve=False)

    def steps(
        halvings: Tensor,
        interpolations: Tensor,
        f_y: Tensor,
        slope: Tensor,
        of_y: Tensor,
        low: Tensor,
        high: Tensor,
        inside: Tensor,
        outside: Tensor,
        fitted: Tensor,
    ) -> Tensor:
        for _ in range(int(halvings)):
            low, high, inside, outside, fitted = halve(
                f_y, slope, of_y, low, high, inside, outside, fitted
            )
        for _ in range(int(interpolations)):
            low, high, inside, outside, fitted = interpolate(
                f_y, slope, of_y, low, high, inside, outside, fitted
            )
        return low

    return torch.jit.script(steps)  # pyright: ignore[reportReturnType]


def _step(halve: bool) -> Callable[..., _Parts]:
    """One step: fields of `Line` and `Search` to those of the next `Search`."""

    def step(*parts: Tensor) -> _Parts:
        return tuple(narrowed(Line(*parts[:3]), Search(*parts[3:]), halve))  # pyright: ignore

    line = line_of(torch.tensor([30.0, 60.0]), torch.tensor([[90.0, 60.0], [-80.0, 70.0]]))
    return torch.jit.trace(step, (*line, *whole_line(line)))  # pyright: ignore
