"""Resizing along one axis as a matrix: banded, so that a large side can be worked on in strips."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, table

_CUBIC = -0.75  # the free parameter of Keys' cubic kernel, as torch has it


@dataclass(frozen=True, eq=False)
class Resizing:
    """From `source` to `target` samples of a line: target values = weights @ source values.

    Attributes:
        source: how many samples there are.
        taps: (k, target) the source samples that each target sample reads, and
        shares: (k, target) float32, how much of each.
        first: (target,) the first source sample that each target sample reads; never falls.
        last: (target,) the last one.
    """

    source: int
    taps: np.ndarray
    shares: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """(target, source) float32; each row sums to 1."""
        weights = np.zeros((self.taps.shape[1], self.source), np.float32)
        np.add.at(weights, (np.arange(len(weights)), self.taps), self.shares)
        return weights

    def along(self, lines: np.ndarray) -> np.ndarray:
        """Lines (..., source) to (..., target).

        Not a matrix product: the threads of a large one fight with torch's, and cost twice the
        time of the network.
        """
        resized = np.take(lines, self.taps[0], -1) * self.shares[0]
        for tap, share in zip(self.taps[1:], self.shares[1:], strict=True):
            resized += np.take(lines, tap, -1) * share
        return resized

    def sources(self, targets: slice) -> slice:
        """Return what a run of target samples reads."""
        return slice(int(self.first[targets.start]), int(self.last[targets.stop - 1]) + 1)

    def targets(self, sources: slice) -> slice:
        """Return what reads from a run of source samples."""
        start = np.searchsorted(self.last, sources.start)
        return slice(int(start), int(np.searchsorted(self.first, sources.stop)))


@lru_cache(maxsize=16)
def bicubic(source: int, target: int) -> Resizing:
    """As F.interpolate(mode="bicubic") resizes a line (Keys 1981, borders repeated)."""
    return bicubic_at((np.arange(target) + 0.5) * (source / target) - 0.5, source)


def bicubic_at(place: np.ndarray, source: int) -> Resizing:
    """Likewise, at any (target,) places: the middles of the samples are at whole numbers."""
    taps = np.floor(place).astype(int)[:, None] + np.arange(-1, 3)  # (target, 4)
    return _banded(taps, cubic(np.abs(place[:, None] - taps)), source)


def cubic(distance: Array) -> Array:
    """Weight of a sample at a distance 0..2 from where a line is resampled (Keys 1981)."""
    near = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance * distance + 1
    far = _CUBIC * (((distance - 5) * distance + 8) * distance - 4)
    return array_namespace(distance).where(distance <= 1, near, far)


@lru_cache(maxsize=16)
def antialiased(source: int, target: int) -> Resizing:
    """As F.interpolate(mode="bilinear", antialias=True) resizes a line: a triangle as filter."""
    scale = source / target
    width = max(scale, 1.0)
    centre = (np.arange(target) + 0.5) * scale
    taps = np.floor(centre - width).astype(int)[:, None] + np.arange(int(2 * width) + 3)
    weights = np.maximum(1 - np.abs(taps + 0.5 - centre[:, None]) / width, 0)
    weights[(taps < 0) | (taps >= source)] = 0
    return _banded(taps, weights / weights.sum(1, keepdims=True), source)


def resized(planes: Array, shape: tuple[int, int]) -> Array:
    """(..., H, W) to (..., h, w): F.interpolate(mode="bilinear", antialias=True)."""
    down, across = antialiased(planes.shape[-2], shape[0]), antialiased(planes.shape[-1], shape[1])
    return _by_matrices(down.weights, planes, across.weights)


def enlarged(planes: Array, shape: tuple[int, int]) -> Array:
    """(..., h, w) to (..., H, W): F.interpolate(mode="bicubic")."""
    down, across = bicubic(planes.shape[-2], shape[0]), bicubic(planes.shape[-1], shape[1])
    return _by_matrices(down.weights, planes, across.weights)


def cell_means(planes: Array, grid: tuple[int, int]) -> Array:
    """(..., H, W) to (..., h, w), each the mean of its window: F.adaptive_avg_pool2d."""
    down, across = _windows(planes.shape[-2], grid[0]), _windows(planes.shape[-1], grid[1])
    return _by_matrices(down, planes, across)


def _by_matrices(down: np.ndarray, planes: Array, across: np.ndarray) -> Array:
    """(h, H) times (..., H, W) times (w, W)^T."""
    return table(down, planes) @ planes @ table(across, planes).T


@lru_cache(maxsize=16)
def _windows(pixels: int, cells: int) -> np.ndarray:
    """(cells, pixels) with 1 / n at the n pixels of a cell."""
    cell, pixel = np.arange(cells)[:, None], np.arange(pixels)
    inside = (pixel >= cell * pixels // cells) & (pixel < -(-(cell + 1) * pixels // cells))
    return (inside / inside.sum(1, keepdims=True)).astype(np.float32)


def _banded(taps: np.ndarray, values: np.ndarray, source: int) -> Resizing:
    """(target, k) weights of the source samples `taps`; those outside count for the border."""
    inside = taps.clip(0, source - 1)
    shares = np.ascontiguousarray(values.T, np.float32)
    return Resizing(source, np.ascontiguousarray(inside.T), shares, inside[:, 0], inside[:, -1])
