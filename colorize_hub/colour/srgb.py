"""sRGB (IEC 61966-2-1): the curve between its values and linear light, and tables of it."""

from functools import cache

import numpy as np

from colorize_hub.colour.arrays import Array
from colorize_hub.colour.cie import XYZN_OF_RGB, line_and_curve, power

CODES = 1 << 16  # steps of linear light in the table that encodes 8 bits
_LINE_TO, _LINEAR_TO, _SLOPE = 0.04045, 0.0031308, 12.92


def decode_srgb(rgb: Array) -> Array:
    """SRGB 0..1 to linear light 0..1."""
    base = rgb.clip(_LINE_TO, None) * (1 / 1.055) + 0.055 / 1.055
    return line_and_curve(rgb, _LINE_TO, 1 / _SLOPE, power(base, 2.4))


def encode_srgb(linear: Array) -> Array:
    """Linear light 0..1 to sRGB 0..1."""
    curve = power(linear.clip(_LINEAR_TO, None), 1 / 2.4) * 1.055
    return line_and_curve(linear, _LINEAR_TO, _SLOPE, curve, -0.055)


@cache
def decoded(dtype: str) -> np.ndarray:
    """Linear light, 0..1, of every level of uint8 or uint16 sRGB."""
    most = np.iinfo(dtype).max
    return decode_srgb(np.arange(most + 1) / most).astype(np.float32)


@cache
def levels_of_light() -> np.ndarray:
    """8-bit sRGB of linear light in steps of 1 / 65536, each at its middle."""
    return np.rint(encode_srgb((np.arange(CODES) + 0.5) / CODES) * 255).astype(np.uint8)


def keep_within(linear: np.ndarray) -> None:
    """Cut (3, n) linear RGB to 0..1 in place, and keep its light: 8 bits do not show, 16 would.

    What cutting at 0 adds is taken from the other channels in proportion, what cutting at 1 takes
    is added towards white.
    """
    light = XYZN_OF_RGB[1] @ linear
    np.clip(linear, 0, 1, out=linear)
    cut = XYZN_OF_RGB[1] @ linear
    moved = np.flatnonzero(np.abs(cut - light) > 1e-7)
    if not len(moved):
        return
    part, light, cut = linear[:, moved], light[moved], cut[moved]
    darker = part * (light / np.maximum(cut, np.float32(1e-9)))
    lighter = 1 - (1 - part) * ((1 - light) / np.maximum(1 - cut, np.float32(1e-9)))
    linear[:, moved] = np.where(cut > light, darker, lighter).clip(0, 1)


def encoded(linear: np.ndarray) -> np.ndarray:
    """Levels 0..65535, to be cut to whole numbers, of linear light, which is overwritten.

    `encode_srgb` in place.
    """
    line = np.clip(linear, 0, np.float32(_LINEAR_TO))
    np.clip(linear, np.float32(_LINEAR_TO), 1, out=linear)
    np.power(linear, np.float32(1 / 2.4), out=linear)
    linear *= np.float32(1.055 * 65535)
    line *= np.float32(_SLOPE * 65535)
    linear += line
    linear += np.float32(0.5 - (0.055 + _SLOPE * _LINEAR_TO) * 65535)
    return linear
