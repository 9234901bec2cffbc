"""Spreading hints: what a few fixed colours say about the rest of the picture.

The difference between what a hint wants and what the network says is spread by Gaussian process
regression (kriging; Rasmussen and Williams 2006, chapter 2) over the decoder's grid: two places
belong together where they are near, equally light, and the network expects the same colours of
them. The last is what keeps a correction on its object.

With one hint the correction is local. The more independent hints there are, the more they say
about the whole picture: a second kernel without locality joins in. Where hints have influence the
network's own colours give way to theirs, and elsewhere its chroma to the chroma that they show.
What kriging finds is corrected by attention from the cells to the hints, where a model has that.

Arrays are of numpy or torch; gradients flow.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from colorize_hub.colour.arrays import Array, like, to_numpy
from colorize_hub.colour.resizing import resized
from colorize_hub.hints.cells import Cells

REACH = 0.6  # of the near kernel, in short sides of the picture
NOISE = 0.04  # variance of a hint relative to that of the residuals
_FAR_REACH = 8.0  # of the far kernel: slopes of colour, hardly any locality
_LIGHTNESS_REACH = 50.0  # L*
_DISTRIBUTION_REACH = 0.45  # 1 - Bhattacharyya coefficient
_LOCAL = 2.7  # how much more the near kernel asks cells to be alike
_INDEPENDENT = 0.25  # short sides of the picture: nearer hints say the same
_HALF_FAR = 0.7  # independent hints beyond the first at which both kernels weigh the same
_FADING = 1.5  # exponent by which the network's ab give way where hints have influence
_CHROMA_PRIOR = 50.0  # squared ab that hints must bring to change the chroma of the rest
_MOST_ANCHORS = 256  # hinted cells in the regression; the rest follow their neighbours
BLOCK_NUMBERS = 1 << 22
_ATTENDING = 64 * 64  # cells of a picture that attend to the hints, about; the rest follow
_ATTENTION_NUMBERS = 8  # that attention keeps for a cell and a hint

Attention = Callable[..., Array]  # see HintAttention.forward


class Reading(NamedTuple):
    """What kriging finds at n cells, from N hinted ones.

    Attributes:
        spread: (n, 5): a*b*, the network's share of them, influence of the hints 0..1.
        distance: (N, n), in short sides.
        covariance: (N, n).
        weights: (N, n), of the hints.
    """

    spread: Array
    distance: Array
    covariance: Array
    weights: Array

    @property
    def ab(self) -> Array:
        """(n, 2) a*b*."""
        return self.spread[:, :2]

    @property
    def relation(self) -> Array:
        """(3, N, n), as `HintAttention` takes it."""
        xp = array_namespace(self.distance)
        return xp.stack((self.distance, self.covariance, self.weights))


class Kriging:
    """Some hinted cells of a picture, and what they say about the others.

    Attributes:
        hints: (N, 5): a*b* wanted, what is missing to it, and independence 0..1 (see _Kernel).
        far: () how much the hints say about the whole picture, 0 for one to nearly 1 for many.
    """

    def __init__(
        self,
        cells: Cells,
        anchors: Array,
        wanted: Array,
        own_ab: Array,
        chroma_scale: float,
        solver: Array | None = None,
    ) -> None:
        """Solve for the residuals at the hinted cells.

        Args:
            cells: of the picture.
            anchors: (N,) which of them are hinted, one or more.
            wanted: (2, N) their colours.
            own_ab: (2, P) a*b* that the network predicts without hints, chroma not scaled.
            chroma_scale: calibrated factor on ab far from all hints.
            solver: (N, N) inverse of what `hint_system` gives; None computes it.
        """
        xp = array_namespace(wanted)
        self._kernel, self._own = _Kernel(cells, anchors), own_ab
        independence, self.far = self._kernel.independence, self._kernel.far
        self._chroma = _chroma_of_hints(wanted, cells.ab[anchors].T, independence, chroma_scale)
        _, among = self._kernel.columns(anchors)  # (N, N)
        self._solver = xp.linalg.inv(_noisy(among, anchors)) if solver is None else solver
        self._residual = wanted - self._mean(anchors, self._solver @ among, among)[0]
        self.hints = xp.concat((wanted, self._residual, independence[None])).T

    def at(self, at: slice | Array) -> Reading:
        """Return what is found at some of the cells."""
        distance, covariance = self._kernel.columns(at)  # (N, n)
        weights = self._solver @ covariance
        mean, influence = self._mean(at, weights, covariance)
        rows = (mean + self._residual @ weights, mean, influence[None])
        spread = array_namespace(mean).concat(rows).T
        return Reading(spread, distance, covariance, weights)

    def trust(self, found: Reading) -> Array:
        """(n, 1) how far a correction of what is found counts, 0..1.

        One hint alone may be any colour that a person likes, so beyond its influence nothing
        changes; many speak of the whole picture.
        """
        influence = found.spread[:, 4:]
        return influence + self.far * (1 - influence)

    def _mean(self, at: slice | Array, weights: Array, covariance: Array) -> tuple[Array, Array]:
        """(2, n) the network's colours as far as they count, and (n,) influence of the hints."""
        influence = (weights * covariance).sum(0).clip(0, 1)
        return self._own[:, at] * self._chroma * (1 - influence) ** _FADING, influence


def spread_hints(
    hint_map: Array,
    own_ab: Array,
    cells: Cells,
    chroma_scale: float,
    attention: Attention | None = None,
) -> Array:
    """Colours of a picture with hints, on the decoder's grid.

    Args:
        hint_map: (3, h, w) a*, b* and mask, see hint.draw_hints; at least one cell is hinted.
        own_ab: (2, h, w) a*b* that the network predicts without hints, chroma not scaled.
        cells: of the picture.
        chroma_scale: calibrated factor on ab far from all hints.
        attention: corrects what kriging finds, see HintAttention; None leaves it.

    Returns:
        (2, h, w) a*b*; hinted cells have exactly the colours of the map.
    """
    anchors = _anchors(hint_map[2])
    wanted = hint_map[:2].reshape(2, -1)[:, anchors]  # (2, N)
    kriging = Kriging(cells, anchors, wanted, own_ab.reshape(2, -1), chroma_scale)
    _, rows, columns = own_ab.shape
    if attention is None:
        ab = _kriged(kriging, (rows, columns))
    else:
        ab = _corrected(attention, kriging, cells, anchors, (rows, columns))
    return array_namespace(ab).where(hint_map[2] > 0, hint_map[:2], ab)


def hint_system(cells: Cells, anchors: Array) -> Array:
    """(N, N) covariance of N hinted cells and their noise, whose inverse solves for residuals."""
    return _noisy(_Kernel(cells, anchors).columns(anchors)[1], anchors)


def _noisy(among: Array, anchors: Array) -> Array:
    return among + NOISE * like(anchors[:, None] == anchors, among)


def attention_step(rows: int, columns: int) -> int:
    """Every which row and column of cells attends to the hints, on a grid of this size."""
    return max(1, round(math.sqrt(rows * columns / _ATTENDING)))


def _kriged(kriging: Kriging, grid: tuple[int, int]) -> Array:
    """(2, h, w) that kriging finds."""
    parts = _blocks(math.prod(grid), len(kriging.hints))
    return _joined([kriging.at(part).ab for part in parts], grid)


def _corrected(
    attention: Attention, kriging: Kriging, cells: Cells, anchors: Array, grid: tuple[int, int]
) -> Array:
    """(2, h, w) of kriging, corrected by attention, which is asked on a coarser grid if large."""
    apart = attention_step(*grid)
    every = np.arange(math.prod(grid)).reshape(grid)
    asked = every[apart // 2 :: apart, apart // 2 :: apart]
    places = array_namespace(anchors).asarray(asked.reshape(-1), device=device(anchors))
    kriged, corrections = [], []
    for part in _blocks(asked.size, len(anchors) * _ATTENTION_NUMBERS):
        at = part if apart == 1 else places[part]
        found = kriging.at(at)
        inputs = cells.seen[at], cells.seen[anchors], kriging.hints, found.spread, found.relation
        answer = attention(*(one[None] for one in inputs))[0]
        kriged.append(found.ab)
        corrections.append(kriging.trust(found) * (answer - found.ab))
    coarse = _joined(corrections, asked.shape)
    if apart == 1:
        return _joined(kriged, grid) + coarse
    return _kriged(kriging, grid) + resized(coarse, grid)


def _joined(parts: list[Array], grid: tuple[int, ...]) -> Array:
    """(n, 2) of every part to (2, h, w)."""
    return array_namespace(*parts).concat(parts).T.reshape(2, *grid)


def _blocks(cells: int, numbers: int) -> list[slice]:
    """So many cells in parts for which `numbers` each are not too many."""
    most = max(1, BLOCK_NUMBERS // numbers)
    return [slice(first, first + most) for first in range(0, cells, most)]


class _Kernel:
    """Covariance of the residuals of the network, between anchors and cells.

    Attributes:
        independence: (N,) how much of its own each anchor says: 1 for a lonely one, 1 / k for each
            of k in one place, as in a stroke. The sum is the number of independent hints.
        far: () weight of the kernel without locality.
    """

    def __init__(self, cells: Cells, anchors: Array) -> None:
        self._cells, self._anchors = cells, anchors
        apart = _squared_apart(cells.place[anchors], cells.place[anchors])
        xp = array_namespace(apart)
        self.independence = 1 / xp.exp(apart * -(_INDEPENDENT**-2)).sum(1)
        beyond = self.independence.sum() - 1
        self.far = beyond / (beyond + _HALF_FAR)

    def columns(self, at: slice | Array) -> tuple[Array, Array]:
        """(N, n) distance and covariance of the anchors with n cells; 0 and 1 at the anchor."""
        cells, anchors = self._cells, self._anchors
        squared = _squared_apart(cells.place[anchors], cells.place[at])
        xp = array_namespace(squared)
        distance = xp.sqrt(squared)
        contrast = cells.lightness[anchors][:, None] - cells.lightness[at]
        overlap = cells.roots[anchors] @ cells.roots[at].T
        alike = contrast * contrast * -(_LIGHTNESS_REACH**-2)
        alike = alike + (overlap - 1) * (1 / _DISTRIBUTION_REACH)
        near = xp.exp(_LOCAL * alike - squared * REACH**-2)
        return distance, near + self.far * (xp.exp(alike - distance * (1 / _FAR_REACH)) - near)


def _squared_apart(one: Array, other: Array) -> Array:
    """(N, 2), (n, 2) -> (N, n) squared distance, exact where they are near."""
    y, x = (one[:, None, axis] - other[:, axis] for axis in (0, 1))
    return y * y + x * x


def _chroma_of_hints(
    wanted: Array, predicted: Array, independence: Array, chroma_scale: float
) -> Array:
    """Return the factor on predicted ab that fits the hints: least squares, drawn to chroma_scale.

    The first hint changes nothing: it speaks for its object. Returns 0..chroma_scale, shape ().
    """
    count = independence.sum()
    weight = independence * ((count - 1) / count)
    fit = (weight * (wanted * predicted).sum(0)).sum() + _CHROMA_PRIOR * chroma_scale
    power = (weight * (predicted * predicted).sum(0)).sum() + _CHROMA_PRIOR
    return (fit / power).clip(0, chroma_scale)


def _anchors(mask: Array) -> Array:
    """Flat indices of at most _MOST_ANCHORS hinted cells, spread over all that are hinted."""
    hinted = to_numpy(mask) > 0
    cells = np.flatnonzero(hinted)
    rows, columns = np.divmod(cells, hinted.shape[1])
    block, kept = 1, np.arange(len(cells))
    while len(kept) > _MOST_ANCHORS:
        block *= 2
        key = (rows // block) * hinted.shape[1] + columns // block
        kept = np.unique(key, return_index=True)[1]
    return array_namespace(mask).asarray(cells[kept], device=device(mask))
