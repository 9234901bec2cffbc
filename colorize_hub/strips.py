"""The full-size work in strips that fit the cache: pixels to lightness, and lightness to colour.

Only numpy, and never a full-size array of floats. Each pixel's result depends on its own lightness
and the small ab alone, so strips, whole pictures and any number of threads give the same pixels.
Lightness is held as f_Y = (L* + 16) / 116; see gamut.py for these coordinates.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

from colorize_hub.cie import (
    CUBE_ROOT_FROM,
    GAMUT_TOLERANCE,
    LINE_SLOPE,
    RGB_OF_XYZN,
    XYZN_OF_RGB,
)
from colorize_hub.gamut import inverse_cie_curve, largest_scale
from colorize_hub.resizing import antialiased, bicubic

STRIP_PIXELS = 1 << 14
_ONE_THREAD = 1 << 18  # multiplications in a matrix product that BLAS gives no second thread
_SHARE_PIXELS = 1 << 17  # what is worth handing to another thread
_CODES = 1 << 16  # steps of linear light in the table that encodes 8-bit sRGB
_LATER = 1 << 14  # colours outside the gamut are collected, and fitted so many at a time

T = TypeVar("T")
Lightness = Callable[[slice, np.ndarray], None]  # f_Y of these rows into a flat float32 array


def lightness_of(pixels: np.ndarray) -> Lightness:
    """f_Y of rows of (H, W, 1 or 3) uint8 or uint16 sRGB, when asked for them."""
    if pixels.shape[2] == 1:
        table = _grey_table(pixels.dtype.name)

        def read_grey(rows: slice, f_y: np.ndarray) -> None:
            np.take(table, pixels[rows].reshape(-1), out=f_y, mode="clip")

        return read_grey
    light = [_decoded(pixels.dtype.name) * share for share in XYZN_OF_RGB[1]]

    def read_colour(rows: slice, f_y: np.ndarray) -> None:
        strip = pixels[rows].reshape(-1, 3)
        np.take(light[0], strip[:, 0], out=f_y, mode="clip")
        for channel in (1, 2):
            f_y += np.take(light[channel], strip[:, channel], mode="clip")
        _cie_curve(f_y)

    return read_colour


def reduced(
    lightness: Lightness, size: tuple[int, int], small: tuple[int, int], threads: int = 1
) -> np.ndarray:
    """L* reduced by antialiased bilinear filtering: (h, w) float32, 0..100."""
    height, width = size
    down, across = antialiased(height, small[0]), antialiased(width, small[1])

    def reduce(share: slice) -> np.ndarray:
        narrow = np.zeros((small[0], width), np.float32)
        buffer = np.empty(_strip_rows(height, width) * width, np.float32)
        for rows in strips(share.start, share.stop, width):
            strip = buffer[: (rows.stop - rows.start) * width]
            lightness(rows, strip)
            reached, lines = down.targets(rows), strip.reshape(-1, width)
            weights = down.weights[reached, rows]
            block = max(1, _ONE_THREAD // weights.size)
            for left in range(0, width, block):
                narrow[reached, left : left + block] += weights @ lines[:, left : left + block]
        return narrow

    narrow = np.sum(_shared(reduce, height, width, threads), axis=0)
    return across.along(narrow) * np.float32(116) - np.float32(16)


def painted(
    lightness: Lightness, size: tuple[int, int], ab: np.ndarray, dtype: np.dtype, threads: int = 1
) -> np.ndarray:
    """Full-size lightness with a small ab, bicubically enlarged and fitted to sRGB, as pixels.

    Args:
        lightness: of the picture's rows.
        size: (height, width) of the picture.
        ab: (2, h, w) a*b*, float32.
        dtype: uint8 or uint16.
        threads: how many work on it.

    Returns:
        (H, W, 3) of that type.
    """
    height, width = size
    down = bicubic(ab.shape[1], height)
    slopes = ab * np.array([1 / 500, -1 / 200], np.float32)[:, None, None]
    across = bicubic(ab.shape[2], width).along(slopes)  # (2, h, W)
    pixels = np.empty((height, width, 3), dtype)

    def paint(share: slice) -> None:
        painter = _Painter(pixels, _strip_rows(height, width) * width)
        for rows in strips(share.start, share.stop, width):
            sources = down.sources(rows)
            lightness(rows, painter.f_y(rows))
            painter.paint(rows, down.weights[rows, sources], across[:, sources])
        painter.finish()

    _shared(paint, height, width, threads)
    return pixels


def paint_spots(
    pixels: np.ndarray, places: np.ndarray, f_y: np.ndarray, slopes: np.ndarray
) -> None:
    """Paint single pixels, fitted to sRGB: their (n,) flat places, (n,) f_Y and (2, n) slopes."""
    painter = _Painter(pixels, 0)
    for start in range(0, len(places), _LATER):
        part = slice(start, start + _LATER)
        painter.paint_fitted(places[part], f_y[part], slopes[:, part])


class _Painter:
    """Paints strips of one picture, with arrays of its own that every strip uses again."""

    def __init__(self, pixels: np.ndarray, strip: int) -> None:
        most = max(strip, _LATER)
        self._pixels, self._width = pixels.reshape(-1, 3), pixels.shape[1]
        self._f, self._xyz, self._rgb = np.empty((3, 3 * most), np.float32)
        self._codes = np.empty(3 * most, np.intp)
        self._levels = np.empty(3 * most, pixels.dtype)
        # Linear RGB is counted in steps of the table, so that looking up is all there is to do.
        self._white = np.float32(_CODES if pixels.dtype == np.uint8 else 1)
        self._matrix = RGB_OF_XYZN * self._white
        self._slack = self._white * np.float32(GAMUT_TOLERANCE if self._white > 1 else 1e-6)
        self._outside: list[tuple[np.ndarray, np.ndarray]] = []  # places, f of X, Y and Z
        self._collected = 0

    def f_y(self, rows: slice) -> np.ndarray:
        """Where the lightness of these rows belongs: (n,)."""
        return self._part(self._f, (rows.stop - rows.start) * self._width)[1]

    def paint(self, rows: slice, down: np.ndarray, across: np.ndarray) -> None:
        """Paint rows whose f_y is filled in; slopes are `down` (n, k) times `across` (2, k, W)."""
        shape, start = (rows.stop - rows.start, self._width), rows.start * self._width
        count = shape[0] * shape[1]
        f = self._part(self._f, count)
        for channel, slopes in zip((0, 2), across, strict=True):
            np.matmul(down, slopes, out=f[channel].reshape(shape))
            f[channel] += f[1]
        rgb = self._linear(f)
        lowest, highest = rgb.min(0), rgb.max(0)
        low, high = -self._slack, self._white + self._slack
        if not (lowest.min() >= low and highest.max() <= high):
            there = np.flatnonzero(~((lowest >= low) & (highest <= high)))
            self._outside.append((there + start, np.take(f, there, axis=1)))
            self._collected += len(there)
        self._write(slice(start, start + count), rgb)
        if self._collected >= _LATER:
            self.finish()

    def finish(self) -> None:
        """Fit what was outside the gamut so far, and paint it."""
        if not self._outside:
            return
        places, f = (np.concatenate(part, -1) for part in zip(*self._outside, strict=True))
        self._outside, self._collected = [], 0
        f_y, slopes = f[1], f[::2] - f[1]
        for first in range(0, len(places), _LATER):
            part = slice(first, first + _LATER)
            self.paint_fitted(places[part], f_y[part], slopes[:, part])

    def paint_fitted(self, places: np.ndarray, f_y: np.ndarray, slopes: np.ndarray) -> None:
        """Paint single pixels, up to a strip of them, scaled down to fit sRGB."""
        f = self._part(self._f, len(places))
        np.multiply(slopes, largest_scale(f_y, slopes), out=f[::2])
        f[1] = 0
        f += f_y
        self._write(places, self._linear(f))

    def _linear(self, f: np.ndarray) -> np.ndarray:
        """(3, n) linear RGB of f of X, Y and Z; 1 is `_white`."""
        xyz, rgb = self._part(self._xyz, f.shape[1]), self._part(self._rgb, f.shape[1])
        inverse_cie_curve(f, xyz, rgb)
        return np.matmul(self._matrix, xyz, out=rgb)

    def _write(self, places: slice | np.ndarray, rgb: np.ndarray) -> None:
        """Encode (3, n) linear RGB, which is overwritten, into pixels."""
        levels = self._part(self._levels, rgb.shape[1])
        if levels.dtype == np.uint8:
            codes = self._part(self._codes, rgb.shape[1])
            np.copyto(codes, rgb, casting="unsafe")
            np.take(_levels_of_light(), codes, out=levels, mode="clip")
        else:
            _keep_within(rgb)
            np.copyto(levels, _encoded(rgb), casting="unsafe")
        for channel in range(3):
            self._pixels[places, channel] = levels[channel]

    def _part(self, whole: np.ndarray, count: int) -> np.ndarray:
        """The first (3, count) of an array, contiguous."""
        return whole[: 3 * count].reshape(3, count)


def strips(top: int, bottom: int, width: int) -> list[slice]:
    """Rows top to bottom, exclusive, in runs that fit the cache."""
    rows = _strip_rows(bottom, width)
    return [slice(start, min(bottom, start + rows)) for start in range(top, bottom, rows)]


def _strip_rows(height: int, width: int) -> int:
    return min(height, max(1, STRIP_PIXELS // width))


def _shared(work: Callable[[slice], T], height: int, width: int, threads: int) -> list[T]:
    """Do the work on runs of rows: as many as threads, or fewer for a small picture."""
    count = max(1, min(threads, height * width // _SHARE_PIXELS, height))
    ends = [height * part // count for part in range(count + 1)]
    first, *others = [slice(*pair) for pair in pairwise(ends)]
    waiting = [_pool().submit(work, share) for share in others]
    return [work(first), *(one.result() for one in waiting)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="strips")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.cache_clear)


@cache
def _decoded(dtype: str) -> np.ndarray:
    """Linear light, 0..1, of every level of uint8 or uint16 sRGB."""
    most = np.iinfo(dtype).max
    level = np.arange(most + 1) / most
    curve = ((np.maximum(level, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(level > 0.04045, curve, level / 12.92).astype(np.float32)


@cache
def _grey_table(dtype: str) -> np.ndarray:
    """f_Y of every grey level of uint8 or uint16."""
    f_y = _decoded(dtype) * XYZN_OF_RGB[1].sum()
    _cie_curve(f_y)
    return f_y


def _cie_curve(light: np.ndarray) -> None:
    """Light relative to white to its f, in place: the cube root, and near black a line."""
    line = np.minimum(light, np.float32(CUBE_ROOT_FROM))
    np.maximum(light, np.float32(CUBE_ROOT_FROM), out=light)
    np.cbrt(light, out=light)
    line *= np.float32(LINE_SLOPE)
    light += line
    light -= np.float32(LINE_SLOPE * CUBE_ROOT_FROM)


def _keep_within(linear: np.ndarray) -> None:
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


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Levels 0..65535, to be cut to whole numbers, of linear light, which is overwritten."""
    line = np.clip(linear, 0, np.float32(0.0031308))
    np.clip(linear, np.float32(0.0031308), 1, out=linear)
    np.power(linear, np.float32(1 / 2.4), out=linear)
    linear *= np.float32(1.055 * 65535)
    line *= np.float32(12.92 * 65535)
    linear += line
    linear += np.float32(0.5 - (0.055 + 12.92 * 0.0031308) * 65535)
    return linear


@cache
def _levels_of_light() -> np.ndarray:
    """8-bit sRGB of linear light in steps of 1 / 65536, each at its middle."""
    light = (np.arange(_CODES) + 0.5) / _CODES
    curve = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    encoded = np.where(light > 0.0031308, curve, 12.92 * light)
    return np.rint(encoded * 255).astype(np.uint8)
