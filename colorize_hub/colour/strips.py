"""The full-size work in strips that fit the cache: lightness made small, and laid under colour.

Only numpy, and never a full-size array of floats. Each pixel's result depends on its own lightness
and the small ab alone, so strips, whole pictures and any number of threads give the same pixels.
Lightness is held as f_Y = (L* + 16) / 116; see gamut.py for these coordinates.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import TypeVar

import numpy as np

from colorize_hub.colour.cie import (
    GAMUT_TOLERANCE,
    INVERSE_FROM,
    LINE_SLOPE,
    RGB_OF_XYZN,
)
from colorize_hub.colour.gamut import ONE_THREAD, fitted, times
from colorize_hub.colour.lightness import Lightness
from colorize_hub.colour.resizing import antialiased, bicubic
from colorize_hub.colour.srgb import CODES, encoded, keep_within, levels_of_light

# Large, for threads that come back to Python too often wait for each other; small, for the cache.
STRIP_PIXELS = 1 << 17
_STRIP_ALONE = 1 << 14  # of a thread that waits for no other
_REDUCED_ROWS = 32  # of a strip: a matrix over more of them is mostly zeros
_FITTED = 1 << 14  # colours outside the gamut that are fitted at a time: twenty arrays of that size
_SHARE_PIXELS = 1 << 17  # what is worth handing to another thread

T = TypeVar("T")


def reduced(
    lightness: Lightness, size: tuple[int, int], small: tuple[int, int], threads: int = 1
) -> np.ndarray:
    """L* reduced by antialiased bilinear filtering: (h, w) float32, 0..100."""
    height, width = size
    down, across = antialiased(height, small[0]), antialiased(width, small[1])

    def reduce(share: slice) -> np.ndarray:
        narrow = np.zeros((small[0], width), np.float32)
        pixels = min(STRIP_PIXELS, _REDUCED_ROWS * width)
        buffer = np.empty(_strip_rows(height, width, pixels) * width, np.float32)
        for rows in strips(share.start, share.stop, width, pixels):
            strip = buffer[: (rows.stop - rows.start) * width]
            lightness(rows, strip)
            reached, lines = down.targets(rows), strip.reshape(-1, width)
            weights = down.weights[reached, rows]
            block = max(1, ONE_THREAD // weights.size)
            for left in range(0, width, block):
                narrow[reached, left : left + block] += weights @ lines[:, left : left + block]
        return narrow

    shares = _shares(height, width, threads)
    narrow, *others = _at_once([partial(reduce, share) for share in shares])
    for other in others:
        narrow += other
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
    count = len(_shares(height, width, threads))
    strip = STRIP_PIXELS if count > 1 else min(STRIP_PIXELS, _STRIP_ALONE)
    waiting = iter(strips(0, height, width, strip))  # drawn from by all threads

    def paint() -> None:
        painter = _Painter(pixels, _strip_rows(height, width, strip) * width)
        for rows in waiting:
            sources = down.sources(rows)
            lightness(rows, painter.f_y(rows))
            painter.paint(rows, down.weights[rows, sources], across[:, sources])
        painter.finish()

    _at_once([paint] * count)
    return pixels


def paint_spots(
    pixels: np.ndarray, places: np.ndarray, f_y: np.ndarray, slopes: np.ndarray
) -> None:
    """Paint single pixels, fitted to sRGB: their (n,) flat places, (n,) f_Y and (2, n) slopes."""
    most = min(len(places), STRIP_PIXELS)
    painter = _Painter(pixels, most)
    for start in range(0, len(places), max(1, most)):
        part = slice(start, start + most)
        painter.paint_fitted(places[part], f_y[part], slopes[:, part])


class _Painter:
    """Paints strips of one picture, with arrays of its own that every strip uses again."""

    def __init__(self, pixels: np.ndarray, most: int) -> None:
        self._pixels, self._width, self._most = pixels.reshape(-1), pixels.shape[1], most
        self._f, self._xyz, self._rgb = np.empty((3, 3 * most), np.float32)
        self._whole, self._codes = np.empty(most, np.int32), np.empty(most, np.intp)
        self._levels = np.empty(most, pixels.dtype)
        # Linear RGB is counted in steps of the table, so that looking up is all there is to do.
        few = pixels.dtype == np.uint8
        self._white, self._close = np.float32(CODES if few else 1), 1e-5 if few else 0
        self._matrix = RGB_OF_XYZN * self._white
        self._slack = self._white * np.float32(GAMUT_TOLERANCE if few else 1e-6)
        self._outside: list[tuple[np.ndarray, np.ndarray]] = []  # places, f of X, Y and Z
        self._collected = 0

    def f_y(self, rows: slice) -> np.ndarray:
        """Where the lightness of these rows belongs: (n,)."""
        return self._part(self._f, rows)[1].reshape(-1)

    def paint(self, rows: slice, down: np.ndarray, across: np.ndarray) -> None:
        """Paint rows whose f_y is filled in; slopes are `down` (n, k) times `across` (2, k, W)."""
        f, xyz, rgb = (self._part(whole, rows) for whole in (self._f, self._xyz, self._rgb))
        block = max(1, ONE_THREAD // across[0].size)
        for top in range(0, len(down), block):
            np.matmul(down[top : top + block], across, out=f[::2, top : top + block])
        f[::2] += f[1]
        _inverse_cie_curve(f, xyz, rgb)
        f, xyz, rgb = (one.reshape(3, -1) for one in (f, xyz, rgb))
        times(self._matrix, xyz, out=rgb)
        first = rows.start * self._width
        self._set_aside(first, f, rgb, spare=xyz)
        self._write(slice(3 * first, 3 * (first + rgb.shape[1]), 3), rgb)
        if self._collected >= _FITTED:
            self.finish()

    def _set_aside(self, first: int, f: np.ndarray, rgb: np.ndarray, spare: np.ndarray) -> None:
        """Collect those of (3, n) f whose linear RGB lies outside sRGB; `first` is their place."""
        low, high = -self._slack, self._white + self._slack
        if rgb.min() >= low and rgb.max() <= high:
            return
        lowest, highest = spare[:2]
        np.minimum(np.minimum(rgb[0], rgb[1], out=lowest), rgb[2], out=lowest)
        np.maximum(np.maximum(rgb[0], rgb[1], out=highest), rgb[2], out=highest)
        inside = lowest >= low
        inside &= highest <= high
        there = np.flatnonzero(~inside)
        if len(there):
            self._outside.append((there + first, f.take(there, axis=1)))
            self._collected += len(there)

    def finish(self) -> None:
        """Fit what was outside the gamut so far, and paint it."""
        if not self._outside:
            return
        places, f = (np.concatenate(part, -1) for part in zip(*self._outside, strict=True))
        self._outside, self._collected = [], 0
        f[::2] -= f[1]
        most = min(self._most, _FITTED)
        for start in range(0, len(places), most):
            part = slice(start, start + most)
            self.paint_fitted(places[part], f[1, part], f[::2, part])

    def paint_fitted(self, places: np.ndarray, f_y: np.ndarray, slopes: np.ndarray) -> None:
        """Paint single pixels, scaled down to fit sRGB."""
        rgb = fitted(f_y, slopes, self._close)
        rgb *= self._white
        self._write(3 * places, rgb)

    def _write(self, places: slice | np.ndarray, rgb: np.ndarray) -> None:
        """Encode (3, n) linear RGB, which is overwritten; `places` are those of the reds."""
        count = rgb.shape[1]
        whole, codes, levels = self._whole[:count], self._codes[:count], self._levels[:count]
        if levels.dtype != np.uint8:
            keep_within(rgb)
            encoded(rgb)
        for channel, values in enumerate(rgb):
            if levels.dtype == np.uint8:
                with np.errstate(invalid="ignore"):  # far outside; it will be painted over
                    np.copyto(whole, values, casting="unsafe")
                np.copyto(codes, whole)  # from float to this at once takes twice as long
                np.take(levels_of_light(), codes, out=levels, mode="clip")
            else:
                np.copyto(levels, values, casting="unsafe")
            self._pixels[channel:][places] = levels

    def _part(self, whole: np.ndarray, rows: slice) -> np.ndarray:
        """Return the first (3, rows, W) of an array, contiguous."""
        count = rows.stop - rows.start
        return whole[: 3 * count * self._width].reshape(3, count, self._width)


def strips(top: int, bottom: int, width: int, pixels: int | None = None) -> list[slice]:
    """Rows top to bottom, exclusive, in runs that fit the cache, or of so many pixels."""
    rows = _strip_rows(bottom, width, pixels or STRIP_PIXELS)
    return [slice(start, min(bottom, start + rows)) for start in range(top, bottom, rows)]


def _strip_rows(height: int, width: int, pixels: int) -> int:
    return min(height, max(1, pixels // width))


def _shares(height: int, width: int, threads: int) -> list[slice]:
    """Return runs of rows: as many as threads, or fewer for a small picture."""
    count = max(1, min(threads, height * width // _SHARE_PIXELS, height))
    ends = [height * part // count for part in range(count + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


def _at_once(works: list[Callable[[], T]]) -> list[T]:
    """Do the first here and the others in threads."""
    waiting = [_pool().submit(work) for work in works[1:]]
    return [works[0](), *(one.result() for one in waiting)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="strips")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _inverse_cie_curve(f: np.ndarray, out: np.ndarray, spare: np.ndarray) -> None:
    """See cie.inverse_cie_curve; into `out`, and `spare` is overwritten.

    With a new array for each step, to paint 12 megapixels takes 10 % longer.
    """
    if f.min() >= INVERSE_FROM:
        np.multiply(f, f, out=out)
        np.multiply(out, f, out=out)
        return
    np.clip(f, np.float32(INVERSE_FROM), np.float32(np.inf), out=spare)
    np.multiply(spare, spare, out=out)
    np.multiply(out, spare, out=out)
    np.subtract(f, spare, out=spare)
    np.multiply(spare, np.float32(1 / LINE_SLOPE), out=spare)
    np.add(out, spare, out=out)
