"""Cells: a picture as spreading hints sees it, one cell of the decoder's grid at a time.

Arrays are of numpy or torch; gradients flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, like, softmax, table
from colorize_hub.colour.palette import palette

_SAME_LIGHTNESS = 10.0  # L*: over neighbours nearer than this the distribution is averaged
# A cell and its neighbours, from one up and left.
_CROSS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
_TINY = 1e-12  # keeps the gradient of a square root finite


@dataclass(frozen=True)
class Cells:
    """The P cells of the decoder's grid, row by row, as the network sees them without hints.

    Attributes:
        place: (P, 2) y and x, in short sides of the picture.
        lightness: (P,) L* 0..100.
        roots: (P, Q) square roots of the predicted distribution, averaged with those of
            neighbours as light; the product of two is the Bhattacharyya coefficient.
        ab: (P, 2) mean of the cell's own distribution, a*b*.
        maps: (P, C) the decoder's last map.
    """

    place: Array
    lightness: Array
    roots: Array
    ab: Array
    maps: Array

    @classmethod
    def read(
        cls, logits: Array, maps: Array, lightness: Array, step: int, place: Array | None = None
    ) -> Cells:
        """Cells of one picture.

        Args:
            logits: (Q, h, w) over the ab palette, predicted without hints.
            maps: (C, h, w), the decoder's last map without hints.
            lightness: (h, w), L* 0..100.
            step: grid spacing of the palette.
            place: (P, 2), see above; None computes it.
        """
        xp = array_namespace(logits)
        if place is None:
            rows, columns = lightness.shape
            y, x = np.mgrid[:rows, :columns].reshape(2, -1).astype(np.float32)
            place = like(np.stack((y, x), -1), logits) / min(rows, columns)
        share = softmax(logits, 0)
        ab = _by_cell(share) @ table(palette(step), share)
        roots = xp.sqrt(_by_cell(_smoothed(share, lightness)).clip(_TINY, None))
        return cls(place, lightness.reshape(-1), roots, ab, _by_cell(maps))

    @cached_property
    def seen(self) -> Array:
        """(P, C + 3): last map, L*, a*, b*."""
        xp = array_namespace(self.maps)
        return xp.concat((self.maps, self.lightness[:, None], self.ab), axis=1)


def _smoothed(share: Array, lightness: Array) -> Array:
    """(Q, h, w), each cell averaged with its four neighbours where these are as light (h, w)."""
    rows, columns = lightness.shape
    shares, lights = _bordered(share), _bordered(lightness)
    exp = array_namespace(share).exp
    total, weights = 0.0, 0.0
    for y, x in _CROSS:
        at = slice(y, y + rows), slice(x, x + columns)
        contrast = (lights[at] - lightness) * (1 / _SAME_LIGHTNESS)
        weight = exp(-contrast * contrast)
        total = total + weight * shares[..., *at]
        weights = weights + weight
    return total / weights


def _bordered(planes: Array) -> Array:
    """(..., h, w) with its border repeated on all sides, (..., h + 2, w + 2)."""
    concat = array_namespace(planes).concat
    tall = concat((planes[..., :1, :], planes, planes[..., -1:, :]), axis=-2)
    return concat((tall[..., :1], tall, tall[..., -1:]), axis=-1)


def _by_cell(maps: Array) -> Array:
    """(C, h, w) to (h * w, C)."""
    return maps.reshape(len(maps), -1).T
