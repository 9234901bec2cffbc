"""Pixels whose colours a person fixed, painted over a finished picture."""

from itertools import pairwise

import numpy as np

from colorize_hub.colour import strips
from colorize_hub.colour.lightness import Lightness


def paint_hinted(
    pixels: np.ndarray, lightness: Lightness, owner: np.ndarray, ab: np.ndarray
) -> None:
    """Paint the pixels that hints fix, in place, fitted to sRGB at their own lightness.

    Args:
        pixels: (H, W, 3) uint8 or uint16 sRGB.
        lightness: of the picture's rows.
        owner: (H, W) index of the hint that fixes each pixel, -1 for none.
        ab: (N, 2) a*b* of the hints.
    """
    fixed = ab * np.array([1 / 500, -1 / 200], np.float32)
    hits = np.flatnonzero(owner >= 0)
    for start in range(0, len(hits), strips.STRIP_PIXELS):
        places = hits[start : start + strips.STRIP_PIXELS]
        f_y = _lightness_at(places, lightness, owner.shape[1])
        slopes = np.ascontiguousarray(fixed[owner.reshape(-1)[places]].T)
        strips.paint_spots(pixels, places, f_y, slopes)


def _lightness_at(places: np.ndarray, lightness: Lightness, width: int) -> np.ndarray:
    """(n,) f_Y of flat places, which rise; of rows between them none is read."""
    rows, columns = np.divmod(places, width)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    found, line = np.empty(len(places), np.float32), np.empty(width, np.float32)
    for start, end in pairwise((*starts, len(places))):
        row = int(rows[start])
        lightness(slice(row, row + 1), line)
        found[start:end] = line[columns[start:end]]
    return found
