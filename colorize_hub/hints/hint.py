"""Hints: colours a person fixes at places of the picture, drawn for the decoder and for the eye."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from colorize_hub.colour.lab import rgb_to_lab

HINT_STRIDE = 4  # hints are drawn on the grid the decoder ends on
_HALF_DIAGONAL = math.sqrt(0.5)  # of a pixel: a disc reaches every pixel whose square it touches


@dataclass(frozen=True)
class Hint:
    """A colour at a place.

    Attributes:
        x: pixels of the original picture, rightwards from its left edge.
        y: pixels of the original picture, downwards from its top edge.
        rgb: sRGB 0..255; only its a* and b* count, lightness stays the picture's own.
        radius: pixels of the original picture; every pixel that the disc touches gets the hint's
            colour. None fixes the pixel at (x, y) alone; what is around it follows.
    """

    x: float
    y: float
    rgb: tuple[int, int, int]
    radius: float | None = None

    def __post_init__(self) -> None:
        if not (_is_finite(self.x) and _is_finite(self.y)):
            raise ValueError(f"Hint x and y must be finite pixels, got ({self.x!r}, {self.y!r}).")
        levels = self.rgb if isinstance(self.rgb, tuple | list) else ()
        if len(levels) != 3 or not all(_is_finite(c) and 0 <= c <= 255 for c in levels):
            raise ValueError(f"Hint rgb must be three numbers 0..255, got {self.rgb!r}.")
        if self.radius is not None and not (_is_finite(self.radius) and self.radius >= 0):
            raise ValueError(f"Hint radius must be None or pixels >= 0, got {self.radius!r}.")


def hint_ab(hints: Sequence[Hint]) -> np.ndarray:
    """(N, 2) a*b* of N hints."""
    rgb = np.array([hint.rgb for hint in hints], np.float32).reshape(-1, 3) / 255
    return rgb_to_lab(rgb.T[:, None])[1:, 0].T


def draw_hints(
    hints: Sequence[Hint], picture_size: tuple[int, int], grid_size: tuple[int, int]
) -> np.ndarray:
    """Draw hints onto the decoder's grid.

    A hint colours the cell that holds its place, and the cells whose centres its radius reaches.

    Args:
        hints: later hints lie over earlier ones.
        picture_size: (height, width) of the original picture, pixels.
        grid_size: (height, width) of the grid, cells.

    Returns:
        (1, 3, h, w) float32: a*, b* (CIE units, 0 where there is no hint) and mask (0 or 1).

    Raises:
        ValueError: a hint lies outside the picture.
    """
    owner = _owners(hints, picture_size, grid_size, 0.0)
    drawn = np.zeros((1, 3, *grid_size), np.float32)
    hit = owner >= 0
    drawn[0, :2, hit] = hint_ab(hints)[owner[hit]]
    drawn[0, 2, hit] = 1
    return drawn


def hinted_pixels(hints: Sequence[Hint], picture_size: tuple[int, int]) -> np.ndarray:
    """Which hint fixes each pixel of the picture.

    Args:
        hints: later hints lie over earlier ones.
        picture_size: (height, width), pixels.

    Returns:
        (H, W) int32 index into `hints`, -1 where none does.

    Raises:
        ValueError: a hint lies outside the picture.
    """
    return _owners(hints, picture_size, picture_size, _HALF_DIAGONAL)


def _owners(
    hints: Sequence[Hint],
    picture_size: tuple[int, int],
    grid_size: tuple[int, int],
    slack: float,
) -> np.ndarray:
    """(h, w) int32: the last hint over each cell, -1 for none; `slack` pixels widen each radius."""
    (height, width), (rows, columns) = picture_size, grid_size
    owner = np.full(grid_size, -1, np.int32)
    centre_y = (np.arange(rows) + 0.5) * height / rows
    centre_x = (np.arange(columns) + 0.5) * width / columns
    for index, hint in enumerate(hints):
        if not (0 <= hint.x < width and 0 <= hint.y < height):
            raise ValueError(
                f"Hint at ({hint.x}, {hint.y}) lies outside the picture of {width} x {height} "
                "pixels; x counts right and y down from the top left corner."
            )
        if hint.radius is not None:
            reach = hint.radius + slack
            top, bottom = np.searchsorted(centre_y, (hint.y - reach, hint.y + reach))
            left, right = np.searchsorted(centre_x, (hint.x - reach, hint.x + reach))
            down = (centre_y[top : bottom + 1, None] - hint.y) ** 2
            across = (centre_x[left : right + 1] - hint.x) ** 2
            box = owner[top : bottom + 1, left : right + 1]
            np.copyto(box, index, where=across <= reach**2 - down)
        owner[int(hint.y * rows / height), int(hint.x * columns / width)] = index
    return owner


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
