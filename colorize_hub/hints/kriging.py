"""Spreading hints: what a few fixed colours say about the rest of the picture.

The difference between what a hint wants and what the network says is spread by Gaussian process
regression (kriging; Rasmussen and Williams 2006, chapter 2) over the decoder's grid: two places
belong together where they are near, equally light, and the network expects the same colours of
them. The last is what keeps a correction on its object.

With one hint the correction is local. The more independent hints there are, the more they say
about the whole picture: a second kernel without locality joins in. Where hints have influence the
network's own colours give way to theirs, and elsewhere its chroma to the chroma that they show.
What kriging finds is corrected by attention from the cells to the hints, where a model has that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_hub.colour.palette import palette
from colorize_hub.hints.kriging_numpy import (
    ATTENTION_NUMBERS,
    BLOCK_NUMBERS,
    CHROMA_PRIOR,
    CROSS,
    DISTRIBUTION_REACH,
    FADING,
    FAR_REACH,
    HALF_FAR,
    INDEPENDENT,
    LIGHTNESS_REACH,
    LOCAL,
    MOST_ANCHORS,
    NOISE,
    REACH,
    SAME_LIGHTNESS,
    attention_step,
)
from colorize_hub.network.attention import HintAttention

_TINY = 1e-12  # keeps the gradient of a square root finite


@dataclass(frozen=True)
class Cells:
    """The P cells of the decoder's grid, row by row, as the network sees them without hints.

    Attributes:
        place: (P, 2) y and x, in short sides of the picture.
        lightness: (P,) L* 0..100.
        roots: (P, Q) square roots of the predicted distribution, averaged with those of
            neighbours as light; the product of two is the Bhattacharyya coefficient.
        ab: (P, 2) mean of the cell's own distribution, a*b*.
        maps: (P, C) the decoder's last map.
    """

    place: Tensor
    lightness: Tensor
    roots: Tensor
    ab: Tensor
    maps: Tensor

    @classmethod
    def read(cls, logits: Tensor, maps: Tensor, lightness: Tensor, step: int) -> Cells:
        """Cells of one picture.

        Args:
            logits: (Q, h, w) over the ab palette, predicted without hints.
            maps: (C, h, w), the decoder's last map without hints.
            lightness: (h, w), L* 0..100.
            step: grid spacing of the palette.
        """
        rows, columns = lightness.shape
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        place = torch.stack((y, x), -1).flatten(0, 1).to(logits) / min(rows, columns)
        share = torch.softmax(logits, 0)
        ab = share.flatten(1).T @ palette(step).to(share)
        roots = _smoothed(share, lightness).flatten(1).T.clamp_min(_TINY).sqrt()
        return cls(place, lightness.flatten(), roots, ab, maps.flatten(1).T)

    @cached_property
    def seen(self) -> Tensor:
        """(P, C + 3): last map, L*, a*, b*."""
        return torch.cat((self.maps, self.lightness[:, None], self.ab), 1)


class Reading(NamedTuple):
    """What kriging finds at n cells, from N hinted ones.

    Attributes:
        spread: (n, 5): a*b*, the network's share of them, influence of the hints 0..1.
        distance: (N, n), in short sides.
        covariance: (N, n).
        weights: (N, n), of the hints.
    """

    spread: Tensor
    distance: Tensor
    covariance: Tensor
    weights: Tensor

    @property
    def ab(self) -> Tensor:
        """(n, 2) a*b*."""
        return self.spread[:, :2]

    @property
    def relation(self) -> Tensor:
        """(3, N, n), as `HintAttention` takes it."""
        return torch.stack((self.distance, self.covariance, self.weights))


class Kriging:
    """Some hinted cells of a picture, and what they say about the others.

    Attributes:
        hints: (N, 5): a*b* wanted, what is missing to it, and independence 0..1 (see _Kernel).
        far: () how much the hints say about the whole picture, 0 for one to nearly 1 for many.
    """

    def __init__(
        self, cells: Cells, anchors: Tensor, wanted: Tensor, own_ab: Tensor, chroma_scale: float
    ) -> None:
        """Solve for the residuals at the hinted cells.

        Args:
            cells: of the picture.
            anchors: (N,) which of them are hinted, one or more.
            wanted: (2, N) their colours.
            own_ab: (2, P) a*b* that the network predicts without hints, chroma not scaled.
            chroma_scale: calibrated factor on ab far from all hints.
        """
        self._kernel, self._own = _Kernel(cells, anchors), own_ab
        independence, self.far = self._kernel.independence, self._kernel.far
        self._chroma = _chroma_of_hints(wanted, cells.ab[anchors].T, independence, chroma_scale)
        _, among = self._kernel.columns(anchors)  # (N, N)
        self._solver = torch.linalg.inv(among + NOISE * torch.eye(len(anchors)).to(among))
        self._residual = wanted - self._mean(anchors, self._solver @ among, among)[0]
        self.hints = torch.cat((wanted, self._residual, independence[None])).T

    def at(self, at: slice | Tensor) -> Reading:
        """What is found at some of the cells."""
        distance, covariance = self._kernel.columns(at)  # (N, n)
        weights = self._solver @ covariance
        mean, influence = self._mean(at, weights, covariance)
        spread = torch.cat((mean + self._residual @ weights, mean, influence[None])).T
        return Reading(spread, distance, covariance, weights)

    def trust(self, found: Reading) -> Tensor:
        """(n, 1) how far a correction of what is found counts, 0..1.

        One hint alone may be any colour that a person likes, so beyond its influence nothing
        changes; many speak of the whole picture.
        """
        influence = found.spread[:, 4:]
        return torch.lerp(influence, torch.ones_like(influence), self.far)

    def _mean(
        self, at: slice | Tensor, weights: Tensor, covariance: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(2, n) the network's colours as far as they count, and (n,) influence of the hints."""
        influence = (weights * covariance).sum(0).clamp(0, 1)
        return self._own[:, at] * self._chroma * (1 - influence) ** FADING, influence


def spread_hints(
    hint_map: Tensor,
    own_ab: Tensor,
    cells: Cells,
    chroma_scale: float,
    attention: HintAttention | None = None,
) -> Tensor:
    """Colours of a picture with hints, on the decoder's grid.

    Args:
        hint_map: (3, h, w) a*, b* and mask, see hint.draw_hints; at least one cell is hinted.
        own_ab: (2, h, w) a*b* that the network predicts without hints, chroma not scaled.
        cells: of the picture.
        chroma_scale: calibrated factor on ab far from all hints.
        attention: corrects what kriging finds; None leaves it.

    Returns:
        (2, h, w) a*b*; hinted cells have exactly the colours of the map.
    """
    anchors = _anchors(hint_map[2] > 0)
    wanted = hint_map[:2].flatten(1)[:, anchors]  # (2, N)
    kriging = Kriging(cells, anchors, wanted, own_ab.flatten(1), chroma_scale)
    if attention is None:
        ab = _kriged(kriging, own_ab.shape[1:])
    else:
        ab = _corrected(attention, kriging, cells, anchors, own_ab.shape[1:])
    return torch.where(hint_map[2] > 0, hint_map[:2], ab)


def _kriged(kriging: Kriging, grid: torch.Size) -> Tensor:
    """(2, h, w) that kriging finds."""
    parts = _blocks(grid.numel(), len(kriging.hints))
    return torch.cat([kriging.at(part).ab for part in parts]).T.view(2, *grid)


def _corrected(
    attention: HintAttention, kriging: Kriging, cells: Cells, anchors: Tensor, grid: torch.Size
) -> Tensor:
    """(2, h, w) of kriging, corrected by attention, which is asked on a coarser grid if large."""
    rows, columns = grid
    apart = attention_step(rows, columns)
    every = torch.arange(rows * columns, device=anchors.device).view(rows, columns)
    asked = every[apart // 2 :: apart, apart // 2 :: apart]
    kriged, corrections = [], []
    for part in _blocks(asked.numel(), len(anchors) * ATTENTION_NUMBERS):
        at = part if apart == 1 else asked.flatten()[part]
        found = kriging.at(at)
        inputs = cells.seen[at], cells.seen[anchors], kriging.hints, found.spread, found.relation
        answer = attention(*(one[None] for one in inputs))[0]
        kriged.append(found.ab)
        corrections.append(kriging.trust(found) * (answer - found.ab))
    coarse = torch.cat(corrections).T.reshape(1, 2, *asked.shape)
    if apart == 1:
        return torch.cat(kriged).T.view(2, *grid) + coarse[0]
    return _kriged(kriging, grid) + F.interpolate(coarse, size=grid, mode="bilinear")[0]


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

    def __init__(self, cells: Cells, anchors: Tensor) -> None:
        self._cells, self._anchors = cells, anchors
        apart = torch.cdist(cells.place[anchors], cells.place[anchors])
        self.independence = 1 / torch.exp(-(apart / INDEPENDENT).square()).sum(1)
        beyond = self.independence.sum() - 1
        self.far = beyond / (beyond + HALF_FAR)

    def columns(self, at: slice | Tensor) -> tuple[Tensor, Tensor]:
        """(N, n) distance and covariance of the anchors with n cells; 0 and 1 at the anchor."""
        cells, anchors = self._cells, self._anchors
        distance = torch.cdist(cells.place[anchors], cells.place[at])
        contrast = cells.lightness[anchors, None] - cells.lightness[at]
        overlap = cells.roots[anchors] @ cells.roots[at].T
        alike = -(contrast / LIGHTNESS_REACH).square() - (1 - overlap) / DISTRIBUTION_REACH
        near = torch.exp(LOCAL * alike - (distance / REACH).square())
        return distance, torch.lerp(near, torch.exp(alike - distance / FAR_REACH), self.far)


def _smoothed(share: Tensor, lightness: Tensor) -> Tensor:
    """(Q, h, w), each cell averaged with its four neighbours where these are as light (h, w)."""
    rows, columns = lightness.shape
    shares = F.pad(share[None], (1, 1, 1, 1), mode="replicate")[0]
    lights = F.pad(lightness[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    total, weights = torch.zeros_like(share), torch.zeros_like(lightness)
    for y, x in CROSS:
        at = slice(y, y + rows), slice(x, x + columns)
        weight = torch.exp(-((lights[at] - lightness) / SAME_LIGHTNESS).square())
        total = torch.addcmul(total, weight, shares[:, *at])
        weights = weights + weight
    return total / weights


def _chroma_of_hints(
    wanted: Tensor, predicted: Tensor, independence: Tensor, chroma_scale: float
) -> Tensor:
    """The factor on predicted ab that fits the hints: least squares, drawn to chroma_scale.

    The first hint changes nothing: it speaks for its object. Returns 0..chroma_scale, shape ().
    """
    count = independence.sum()
    weight = independence * ((count - 1) / count)
    fit = (weight * (wanted * predicted).sum(0)).sum() + CHROMA_PRIOR * chroma_scale
    power = (weight * predicted.square().sum(0)).sum() + CHROMA_PRIOR
    return (fit / power).clamp(0, chroma_scale)


def _anchors(mask: Tensor) -> Tensor:
    """Flat indices of at most MOST_ANCHORS hinted cells, spread over all that are hinted."""
    cells = mask.cpu().flatten().nonzero()[:, 0].numpy()
    rows, columns = np.divmod(cells, mask.shape[1])
    block, kept = 1, np.arange(len(cells))
    while len(kept) > MOST_ANCHORS:
        block *= 2
        key = (rows // block) * mask.shape[1] + columns // block
        kept = np.unique(key, return_index=True)[1]
    return torch.from_numpy(cells[kept]).to(mask.device)
