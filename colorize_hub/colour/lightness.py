"""Lightness of pixels, a strip at a time: f_Y = (L* + 16) / 116 of 8- or 16-bit sRGB."""

from collections.abc import Callable
from functools import cache

import numpy as np

from colorize_hub.colour.cie import CUBE_ROOT_FROM, LINE_SLOPE, XYZN_OF_RGB, cie_curve
from colorize_hub.colour.srgb import decoded

_SAMPLE = 61  # every which pixel is looked at first

Lightness = Callable[[slice, np.ndarray], None]  # f_Y of these rows into a flat float32 array


def lightness_of(pixels: np.ndarray) -> Lightness:
    """f_Y of rows of (H, W, 1 or 3) uint8 or uint16 sRGB, when asked for them."""
    if pixels.shape[2] == 1:
        table = _grey_table(pixels.dtype.name)

        def read_grey(rows: slice, f_y: np.ndarray) -> None:
            np.take(table, pixels[rows].reshape(-1), out=f_y, mode="clip")

        return read_grey

    def read_color(rows: slice, f_y: np.ndarray) -> None:
        strip = pixels[rows].reshape(-1, 3)
        if _is_grey(strip):
            np.take(_equal_table(pixels.dtype.name), strip[:, 0], out=f_y, mode="clip")
        else:
            _read_colors(strip, f_y)

    return read_color


@cache
def _grey_table(dtype: str) -> np.ndarray:
    """f_Y of every grey level of uint8 or uint16."""
    return cie_curve(decoded(dtype) * XYZN_OF_RGB[1].sum())


@cache
def _equal_table(dtype: str) -> np.ndarray:
    """f_Y of every colour of equal channels, to the last bit as among others: `_read_colors`."""
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    f_y = np.empty(len(levels), np.float32)
    _read_colors(np.stack([levels] * 3, -1), f_y)
    return f_y


def _is_grey(colors: np.ndarray) -> bool:
    """Whether all of (n, 3) have equal channels; for most that have not, a few say so."""
    return all(
        (part[:, 0] == part[:, channel]).all()
        for part in (colors[::_SAMPLE], colors)
        for channel in (1, 2)
    )


def _read_colors(colors: np.ndarray, f_y: np.ndarray) -> None:
    """f_Y of (n, 3) uint8 or uint16 sRGB into (n,)."""
    light = _lights(colors.dtype.name)
    np.take(light[0], colors[:, 0], out=f_y, mode="clip")
    for channel in (1, 2):
        f_y += np.take(light[channel], colors[:, channel], mode="clip")
    _cie_curve(f_y)


@cache
def _lights(dtype: str) -> np.ndarray:
    """(3, levels) what each level of red, green and blue adds to the light Y."""
    return XYZN_OF_RGB[1][:, None] * decoded(dtype)


def _cie_curve(light: np.ndarray) -> None:
    """See cie.cie_curve; in place, which is faster than with a new array for each step."""
    line = np.clip(light, np.float32(-np.inf), np.float32(CUBE_ROOT_FROM))
    np.clip(light, np.float32(CUBE_ROOT_FROM), np.float32(np.inf), out=light)
    np.cbrt(light, out=light)
    line *= np.float32(LINE_SLOPE)
    light += line
    light -= np.float32(LINE_SLOPE * CUBE_ROOT_FROM)
