"""The ab palette: colours as a distribution over a grid of a*b* bins.

After Zhang, Isola and Efros, "Colorful Image Colorization" (2016): a pixel's chroma is classified
among bins on a regular grid over the part of the a*b* plane that sRGB can show. Targets are
soft-assigned to their four neighbours with bilinear weights, which keeps the mean exact; decoding
is the expectation at a temperature ("annealed mean").
"""

from functools import cache

import torch
from torch import Tensor

from colorize_hub.colour.lab import rgb_to_lab

_GRID_REACH = 120  # the palette never extends beyond +-120 in a* or b*


@cache
def palette(step: int) -> Tensor:
    """Bin centres: every grid corner of a cell that holds a colour of sRGB; (Q, 2) a*, b*.

    So any colour of sRGB lies between four bins of the palette. The default step of 10 gives
    Zhang's grid with the rim filled in. The order is fixed: a* outer, b* inner, ascending.
    """
    side = 2 * (_GRID_REACH // step) + 1
    level = torch.linspace(0, 1, 65)
    cube = torch.cartesian_prod(level, level, level).T[:, None, :]  # (3, 1, 65^3)
    cell = torch.floor(rgb_to_lab(cube)[1:, 0] / step).long() + side // 2  # (2, 65^3)
    used = torch.zeros(side, side, dtype=torch.bool)
    for da in (0, 1):
        for db in (0, 1):
            used[cell[0] + da, cell[1] + db] = True
    return (used.nonzero() - side // 2).float() * step


@cache
def _bin_of_corner(step: int) -> Tensor:
    side = 2 * (_GRID_REACH // step) + 1
    corners = (palette(step) / step).long() + side // 2
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


def temperature(vividness: float) -> float:
    """Softmax temperature for a vividness 0..1: 1 up to 0.5, then down to 0.25.

    0.5 decodes the mean of the distribution as it was learned; towards 1 the likeliest bins win.
    Below 0.5 the mean's chroma fades instead (see `fading`): a temperature above 1 would pull all
    colours to the mean of the palette, which is a tint, not grey.

    Raises:
        ValueError: vividness outside 0..1 or not a number.
    """
    if not 0 <= vividness <= 1:
        raise ValueError(f"vividness must be 0..1, got {vividness}.")
    return 4.0 ** min(0.0, 1 - 2 * vividness)


def fading(vividness: float) -> float:
    """Factor on chroma for a vividness 0..1: from a quarter at 0 to 1 at 0.5 and above."""
    return min(1.0, 0.25 + 1.5 * vividness)


def decode_bins(logits: Tensor, step: int, vividness: float, chroma_scale: float = 1.0) -> Tensor:
    """Expected ab of the distribution at a temperature.

    Args:
        logits: (B, Q, H, W), Q = len(palette(step)).
        step: grid spacing of the palette.
        vividness: 0..1, see `temperature` and `fading`.
        chroma_scale: factor on the result.

    Returns:
        (B, 2, H, W) a*b*, float32.
    """
    # Channels last, as the network leaves them: there softmax is five times as fast.
    last = logits.float().movedim(1, -1) / temperature(vividness)
    centres = palette(step).to(last) * (chroma_scale * fading(vividness))
    return (torch.softmax(last, -1) @ centres).movedim(-1, 1)
