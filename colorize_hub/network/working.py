"""The size at which a picture is worked on, and resizing to it, without torch."""

from __future__ import annotations

import numpy as np
from PIL import Image

GRID = 32  # the encoder's deepest stride: working sizes are multiples of it
_MOST_ELONGATED = 4  # a panorama's long side is worked on at most this many times the short side


def working_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """(height, width) the network works at: short side about `size`, both multiples of 32.

    The aspect ratio changes by a few percent at most, except that a panorama's long side stops at
    4 times the short side.
    """
    short = min(height, width)
    sides = (min(side / short, _MOST_ELONGATED) * size / GRID for side in (height, width))
    rows, columns = (max(1, round(side)) * GRID for side in sides)
    return rows, columns


def overview_shape(height: int, width: int, overview: int) -> tuple[int, int] | None:
    """(height, width) at which a picture is seen as a whole; None where it is no larger itself."""
    if not 0 < overview < min(height, width):
        return None
    return working_shape(height, width, overview)


def resized(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) float32 to (h, w), antialiased: F.interpolate(mode="bilinear", antialias=True)."""
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    rows, columns = shape
    return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR))


def cell_means(planes: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """(B, H, W) float32 to (B, h, w), h and w given: F.adaptive_avg_pool2d."""
    down, across = (
        _windows(pixels, cells) for pixels, cells in zip(planes.shape[1:], grid, strict=True)
    )
    return down @ planes @ across.T


def _windows(pixels: int, cells: int) -> np.ndarray:
    """(cells, pixels) with 1 / n at the n pixels of a cell."""
    cell, pixel = np.arange(cells)[:, None], np.arange(pixels)
    inside = (pixel >= cell * pixels // cells) & (pixel < -(-(cell + 1) * pixels // cells))
    return (inside / inside.sum(1, keepdims=True)).astype(np.float32)
