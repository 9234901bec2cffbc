"""Hints that follow their things keep their colours exactly, whatever was averaged around them.

What a carried hint changes is found every few frames, moved along between and averaged over time
with what lies near. At its place a part of that is left over; it is added there, and to the few
cells around by a Gaussian.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, like
from colorize_hub.colour.resizing import bicubic_at
from colorize_hub.hints.hint import Hint, hint_ab

_AROUND = 1.5  # cells: deviation of the Gaussian
_LEAST = 0.3  # of the Gaussian that its own place reads, at the edge of the picture


def anchored(ab: Array, hints: Sequence[Hint], size: tuple[int, int]) -> Array:
    """(2, h, w) a*b* of a picture in which the places of hints have their colours.

    Args:
        ab: on the decoder's grid.
        hints: inside the picture; of some in one place the last counts.
        size: (height, width) of the picture, pixels.
    """
    if not hints:
        return ab
    hints = list({(hint.x, hint.y): hint for hint in hints}.values())
    xp, (rows, columns) = array_namespace(ab), ab.shape[1:]
    down = np.array([hint.y for hint in hints]) * (rows / size[0]) - 0.5
    across = np.array([hint.x for hint in hints]) * (columns / size[1]) - 0.5
    places = (down, rows), (across, columns)
    read = [like(bicubic_at(*one).weights, ab) for one in places]  # as the picture shows it
    spread = [like(_bell(*one), ab) for one in places]
    missing = like(hint_ab(hints).T, ab) - ((read[0] @ ab) * read[1]).sum(-1)  # (2, N)
    peak = (read[0] * spread[0]).sum(1) * (read[1] * spread[1]).sum(1)
    spread[0] = spread[0] / peak.clip(_LEAST, None)[:, None]
    total = (spread[0].T @ spread[1]).clip(1, None)
    return ab + xp.stack([(spread[0] * one[:, None]).T @ spread[1] for one in missing]) / total


def _bell(place: np.ndarray, side: int) -> np.ndarray:
    """(N, side) Gaussians around N places of a line."""
    return np.exp(-(((np.arange(side) - place[:, None]) / _AROUND) ** 2) / 2)
