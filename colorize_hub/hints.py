"""Hints: colours a person fixes at places of the picture, and drawing them for the decoder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from colorize_hub.color import rgb_to_lab

HINT_STRIDE = 4  # hints are drawn on the grid the decoder ends on


@dataclass(frozen=True)
class Hint:
    """A colour at a place.

    Attributes:
        x: pixels of the original picture, rightwards from its left edge.
        y: pixels of the original picture, downwards from its top edge.
        rgb: sRGB 0..255; only its a* and b* count, lightness stays the picture's own.
        radius: pixels of the original picture; None colours one cell of the decoder's grid.
    """

    x: float
    y: float
    rgb: tuple[int, int, int]
    radius: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise ValueError(f"Hint x and y must be finite pixels, got ({self.x}, {self.y}).")
        if len(self.rgb) != 3 or not all(0 <= c <= 255 for c in self.rgb):
            raise ValueError(f"Hint rgb must be three numbers 0..255, got {self.rgb!r}.")
        if self.radius is not None and not 0 <= self.radius < math.inf:
            raise ValueError(f"Hint radius must be None or pixels >= 0, got {self.radius}.")


def draw_hints(
    hints: Sequence[Hint], picture_size: tuple[int, int], grid_size: tuple[int, int]
) -> Tensor:
    """Draw hints onto the decoder's grid.

    Args:
        hints: later hints lie over earlier ones.
        picture_size: (height, width) of the original picture, pixels.
        grid_size: (height, width) of the grid, cells.

    Returns:
        (1, 3, h, w): a*, b* (CIE units, 0 where there is no hint) and mask (0 or 1).

    Raises:
        ValueError: a hint lies outside the picture.
    """
    height, width = picture_size
    rows, columns = grid_size
    drawn = torch.zeros(1, 3, rows, columns)
    if not hints:
        return drawn
    rgb = torch.tensor([hint.rgb for hint in hints], dtype=torch.float32) / 255
    ab = rgb_to_lab(rgb.T[:, None])[1:, 0].T  # (N, 2)
    centre_y = (torch.arange(rows) + 0.5) * height / rows
    centre_x = (torch.arange(columns) + 0.5) * width / columns
    for hint, colour in zip(hints, ab, strict=True):
        if not (0 <= hint.x < width and 0 <= hint.y < height):
            raise ValueError(
                f"Hint at ({hint.x}, {hint.y}) lies outside the picture of {width} x {height} "
                "pixels; x counts right and y down from the top left corner."
            )
        row, column = int(hint.y * rows / height), int(hint.x * columns / width)
        value = torch.cat((colour, torch.ones(1)))
        drawn[0, :, row, column] = value
        if hint.radius is not None:
            near = (centre_y[:, None] - hint.y) ** 2 + (centre_x - hint.x) ** 2 <= hint.radius**2
            drawn[0, :, near] = value[:, None]
    return drawn
