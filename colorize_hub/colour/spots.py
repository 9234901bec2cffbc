"""Pixels whose colours a person fixed, painted over a finished picture."""

import numpy as np

from colorize_hub.colour import strips


def paint_hinted(
    pixels: np.ndarray, lightness: strips.Lightness, owner: np.ndarray, ab: np.ndarray
) -> None:
    """Paint the pixels that hints fix, in place, fitted to sRGB at their own lightness.

    Args:
        pixels: (H, W, 3) uint8 or uint16 sRGB.
        lightness: of the picture's rows.
        owner: (H, W) index of the hint that fixes each pixel, -1 for none.
        ab: (N, 2) a*b* of the hints.
    """
    height, width = owner.shape
    fixed = ab * np.array([1 / 500, -1 / 200], np.float32)
    for rows in strips.strips(0, height, width):
        owners = owner[rows].reshape(-1)
        hit = np.flatnonzero(owners >= 0)
        if len(hit):
            f_y = np.empty(owners.shape, np.float32)
            lightness(rows, f_y)
            slopes = np.ascontiguousarray(fixed[owners[hit]].T)
            strips.paint_spots(pixels, hit + rows.start * width, f_y[hit], slopes)
