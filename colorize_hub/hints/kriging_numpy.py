"""kriging.py without torch, for models in ONNX: a test holds the two together.

The constants of both stand here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from colorize_hub.network.working import resized

REACH = 0.6  # of the near kernel, in short sides of the picture
FAR_REACH = 8.0  # of the far kernel: slopes of colour, hardly any locality
LIGHTNESS_REACH = 50.0  # L*
DISTRIBUTION_REACH = 0.45  # 1 - Bhattacharyya coefficient
SAME_LIGHTNESS = 10.0  # L*: over neighbours nearer than this the distribution is averaged
LOCAL = 2.7  # how much more the near kernel asks cells to be alike
NOISE = 0.04  # variance of a hint relative to that of the residuals
INDEPENDENT = 0.25  # short sides of the picture: nearer hints say the same
HALF_FAR = 0.7  # independent hints beyond the first at which both kernels weigh the same
FADING = 1.5  # exponent by which the network's ab give way where hints have influence
CHROMA_PRIOR = 50.0  # squared ab that hints must bring to change the chroma of the rest
MOST_ANCHORS = 256  # hinted cells in the regression; the rest follow their neighbours
BLOCK_NUMBERS = 1 << 22
ATTENDING = 64 * 64  # cells of a picture that attend to the hints, about; the rest follow
ATTENTION_NUMBERS = 8  # that attention keeps for a cell and a hint
CROSS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))  # a cell and its neighbours, from one up and left


@dataclass(frozen=True)
class CellArrays:
    """kriging.Cells as arrays."""

    place: np.ndarray
    lightness: np.ndarray
    roots: np.ndarray
    ab: np.ndarray
    maps: np.ndarray

    @classmethod
    def read(
        cls, logits: np.ndarray, maps: np.ndarray, ab: np.ndarray, lightness: np.ndarray
    ) -> CellArrays:
        """Cells of one picture.

        Args:
            logits: (Q, h, w) over the ab palette, predicted without hints.
            maps: (C, h, w), the decoder's last map without hints.
            ab: (2, h, w) a*b*, the mean of that distribution.
            lightness: (h, w), L* 0..100.
        """
        rows, columns = lightness.shape
        place = np.mgrid[:rows, :columns].reshape(2, -1).T.astype(np.float32) / min(rows, columns)
        roots = np.sqrt(_smoothed(softmax(logits), lightness))
        return cls(place, lightness.ravel(), _by_cell(roots), _by_cell(ab), _by_cell(maps))

    @property
    def seen(self) -> np.ndarray:
        """(P, C + 3): last map, L*, a*, b*."""
        return np.concatenate((self.maps, self.lightness[:, None], self.ab), 1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Shares (Q, ...) of logits (Q, ...)."""
    share = np.exp(logits - logits.max(0))
    share /= share.sum(0)
    return share


def spread_hints(
    hint_map: np.ndarray,
    own_ab: np.ndarray,
    cells: CellArrays,
    chroma_scale: float,
    attention: Callable[..., np.ndarray] | None = None,
) -> np.ndarray:
    """Colours of a picture with hints; arguments and result as for kriging.spread_hints."""
    anchors = _anchors(hint_map[2] > 0)
    wanted = hint_map[:2].reshape(2, -1)[:, anchors]  # (2, N)
    kriging = _Kriging(cells, anchors, wanted, own_ab.reshape(2, -1), chroma_scale)
    every = np.arange(hint_map[2].size).reshape(hint_map[2].shape)
    if attention is None:
        ab = _kriged(kriging, every)
    else:
        ab = _corrected(attention, kriging, cells.seen, anchors, every)
    return np.where(hint_map[2] > 0, hint_map[:2], ab)


class _Kriging:
    """See kriging.Kriging, whose attributes these are."""

    def __init__(
        self,
        cells: CellArrays,
        anchors: np.ndarray,
        wanted: np.ndarray,
        own: np.ndarray,
        chroma_scale: float,
    ) -> None:
        self._kernel, self._own = _Kernel(cells, anchors), own
        independence, self.far = self._kernel.independence, self._kernel.far
        self._chroma = _chroma_of_hints(wanted, cells.ab[anchors].T, independence, chroma_scale)
        _, among = self._kernel.columns(anchors)  # (N, N)
        self._solver = np.linalg.inv(among + NOISE * np.eye(len(anchors), dtype=np.float32))
        self._residual = wanted - self._mean(anchors, self._solver @ among, among)[0]
        self.hints = np.concatenate((wanted, self._residual, independence[None])).T

    def at(self, at: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of n cells (n, 5) as kriging.Reading has it, and (N, n) distance, covariance, weights."""
        distance, covariance = self._kernel.columns(at)
        weights = self._solver @ covariance
        mean, influence = self._mean(at, weights, covariance)
        spread = np.concatenate((mean + self._residual @ weights, mean, influence[None])).T
        return spread, (distance, covariance, weights)

    def _mean(
        self, at: np.ndarray, weights: np.ndarray, covariance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        influence = (weights * covariance).sum(0).clip(0, 1)
        return self._own[:, at] * self._chroma * (1 - influence) ** FADING, influence


def _kriged(kriging: _Kriging, every: np.ndarray) -> np.ndarray:
    parts = _blocks(every.ravel(), len(kriging.hints))
    return np.concatenate([kriging.at(at)[0][:, :2] for at in parts]).T.reshape(2, *every.shape)


def _corrected(
    attention: Callable[..., np.ndarray],
    kriging: _Kriging,
    seen: np.ndarray,
    anchors: np.ndarray,
    every: np.ndarray,
) -> np.ndarray:
    apart = attention_step(*every.shape)
    asked = every[apart // 2 :: apart, apart // 2 :: apart]
    kriged, corrections = [], []
    for at in _blocks(asked.ravel(), len(anchors) * ATTENTION_NUMBERS):
        spread, relation = kriging.at(at)
        answer = attention(seen[at], seen[anchors], kriging.hints, spread, np.stack(relation))
        trust = spread[:, 4:] + kriging.far * (1 - spread[:, 4:])
        kriged.append(spread[:, :2])
        corrections.append(trust * (answer - spread[:, :2]))
    coarse = np.concatenate(corrections).T.reshape(2, *asked.shape)
    if apart == 1:
        return np.concatenate(kriged).T.reshape(coarse.shape) + coarse
    return _kriged(kriging, every) + np.stack([resized(plane, every.shape) for plane in coarse])


def attention_step(rows: int, columns: int) -> int:
    """Every which row and column of cells attends to the hints, on a grid of this size."""
    return max(1, round(math.sqrt(rows * columns / ATTENDING)))


def _blocks(cells: np.ndarray, numbers: int) -> list[np.ndarray]:
    """(n,) cells in parts for which `numbers` each are not too many."""
    most = max(1, BLOCK_NUMBERS // numbers)
    return [cells[first : first + most] for first in range(0, len(cells), most)]


class _Kernel:
    def __init__(self, cells: CellArrays, anchors: np.ndarray) -> None:
        self._cells, self._anchors = cells, anchors
        apart = _squared_apart(cells.place[anchors], cells.place[anchors])
        self.independence = 1 / np.exp(-apart / INDEPENDENT**2).sum(1)
        beyond = self.independence.sum() - 1
        self.far = np.float32(beyond / (beyond + HALF_FAR))

    def columns(self, at: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, n) distance and covariance of the anchors with n cells; 0 and 1 at the anchor."""
        cells, anchors = self._cells, self._anchors
        squared = _squared_apart(cells.place[anchors], cells.place[at])
        contrast = cells.lightness[anchors, None] - cells.lightness[at]
        overlap = cells.roots[anchors] @ cells.roots[at].T
        alike = -((contrast / LIGHTNESS_REACH) ** 2) - (1 - overlap) / DISTRIBUTION_REACH
        near = np.exp(LOCAL * alike - squared / REACH**2)
        distance = np.sqrt(squared)
        return distance, near + (np.exp(alike - distance / FAR_REACH) - near) * self.far


def _squared_apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N, 2), (n, 2) -> (N, n) squared distance, exact where they are near."""
    y, x = (np.subtract.outer(one[:, axis], other[:, axis]) for axis in (0, 1))
    return y * y + x * x


def _chroma_of_hints(
    wanted: np.ndarray, predicted: np.ndarray, independence: np.ndarray, chroma_scale: float
) -> float:
    count = independence.sum()
    weight = independence * ((count - 1) / count)
    fit = (weight * (wanted * predicted).sum(0)).sum() + CHROMA_PRIOR * chroma_scale
    power = (weight * (predicted**2).sum(0)).sum() + CHROMA_PRIOR
    return float(np.clip(fit / power, 0, chroma_scale))


def _anchors(mask: np.ndarray) -> np.ndarray:
    cells = np.flatnonzero(mask)
    rows, columns = np.divmod(cells, mask.shape[1])
    block, kept = 1, np.arange(len(cells))
    while len(kept) > MOST_ANCHORS:
        block *= 2
        key = (rows // block) * mask.shape[1] + columns // block
        kept = np.unique(key, return_index=True)[1]
    return cells[kept]


def _smoothed(share: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """(Q, h, w), each cell averaged with its four neighbours where these are as light (h, w)."""
    rows, columns = lightness.shape
    shares = np.pad(share, ((0, 0), (1, 1), (1, 1)), "edge")
    lights = np.pad(lightness, 1, "edge")
    total, weights = np.zeros_like(share), np.zeros_like(lightness)
    for y, x in CROSS:
        at = slice(y, y + rows), slice(x, x + columns)
        weight = np.exp(-(((lights[at] - lightness) / SAME_LIGHTNESS) ** 2))
        total += weight * shares[:, *at]
        weights += weight
    return total / weights


def _by_cell(maps: np.ndarray) -> np.ndarray:
    """(C, h, w) to (h * w, C)."""
    channels, rows, columns = maps.shape
    return maps.reshape(channels, rows * columns).T
