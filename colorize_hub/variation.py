"""Variations: other colourings that the predicted distribution supports.

A take makes the bins on one side of a pixel's expected colour likelier, and those on the other side
unlikelier. How far the colour moves is the distribution's own doing: a sky that is surely blue
stays, a coat that could be anything changes. The sides agree within an object, because they are
drawn for distributions, not for pixels.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_hub.bins import palette

_DIRECTIONS = 4  # takes of one draw point to opposite sides of the plane
_STRENGTH = 0.85  # a bin far on the favoured side becomes e^0.85 times as likely
_REACH = 25.0  # ab from the expected colour; much farther bins gain no more: outliers stay rare
_OBJECTS, _PLACES = 0.6, 0.3  # deviation of the direction between objects, across the picture
_COARSE = 3  # cells of the field across the picture, each way


def tilt_logits(logits: Tensor, step: int, take: int) -> Tensor:
    """Logits of a varied, plausible colouring.

    p'(bin) ~ p(bin) exp(0.85 tanh(t . (ab(bin) - mean) / 25)), with t the direction at the pixel.

    Args:
        logits: (Q, h, w) over the ab palette.
        step: grid spacing of the palette.
        take: 0 or more; decides the directions. Takes 4k to 4k + 3 differ by quarter turns.

    Returns:
        (Q, h, w).
    """
    rows = logits.flatten(1).T  # (P, Q); distributions lie in a row, which softmax is fast on
    share = torch.softmax(rows, 1)
    centres = palette(step).to(rows)  # (Q, 2)
    sides = _directions(share, logits.shape[1:], take)
    along = sides @ centres.T - (sides * (share @ centres)).sum(1, keepdim=True)
    return (rows + _STRENGTH * torch.tanh(along / _REACH)).T.view_as(logits)


def _directions(share: Tensor, grid: torch.Size, take: int) -> Tensor:
    """(P, 2) vectors in the a*b* plane, of length about 1, smooth over the picture."""
    draw = torch.Generator().manual_seed(take // _DIRECTIONS)
    angle = torch.rand((), generator=draw) * 2 * math.pi
    angle = angle + (take % _DIRECTIONS) * 2 * math.pi / _DIRECTIONS
    of_object = torch.randn(2, share.shape[1], generator=draw).to(share)
    of_place = torch.randn(1, 2, _COARSE, _COARSE, generator=draw).to(share)
    # The roots of a distribution have length 1, so this has unit variance.
    field = _OBJECTS * share.sqrt() @ of_object.T
    field += _PLACES * F.interpolate(of_place, tuple(grid), mode="bilinear")[0].flatten(1).T
    field[:, 0] += 1
    cosine, sine = float(angle.cos()), float(angle.sin())
    return field @ torch.tensor([[cosine, sine], [-sine, cosine]]).to(share)
