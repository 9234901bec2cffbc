"""Colours as targets: each spread over the four bins of the ab palette around it."""

from functools import cache

import torch
from torch import Tensor

from colorize_hub.colour.palette import GRID_REACH, palette


@cache
def _bin_of_corner(step: int) -> Tensor:
    side = 2 * (GRID_REACH // step) + 1
    corners = torch.from_numpy(palette(step) / step).long() + side // 2
    table = torch.full((side, side), -1)
    table[corners[:, 0], corners[:, 1]] = torch.arange(len(corners))
    return table


def soft_assign(ab: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Spread each ab over the four bins around it with bilinear weights.

    Args:
        ab: (N, 2) a*b* of colours of sRGB (or means of such).
        step: grid spacing.

    Returns:
        bins (N, 4) int64 and weights (N, 4) that sum to 1. The weighted mean of the bins is ab
        wherever the four corners are in the palette; a corner that is not (possible only for a
        mean of colours, at the rim) gives its weight to the others.
    """
    table = _bin_of_corner(step).to(ab.device)
    half = table.shape[0] // 2
    position = (ab / step + half).clamp(0, table.shape[0] - 1.001)
    low = position.floor()
    part = position - low  # (N, 2)
    low = low.long()
    corner = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], device=ab.device)
    index = low[:, None, :] + corner  # (N, 4, 2)
    bins = table[index[..., 0], index[..., 1]]
    share = torch.where(corner.bool(), part[:, None, :], 1 - part[:, None, :])
    weights = share.prod(-1) * (bins >= 0)
    return bins.clamp_min(0), weights / weights.sum(-1, keepdim=True).clamp_min(1e-6)
