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
_STRENGTH = 1.1  # a bin far on the favoured side becomes e^1.1 times as likely, the other e^-1.1
_REACH = 25.0  # ab from the expected colour; much farther bins gain no more: outliers stay rare
_OBJECTS, _PLACES = 0.6, 0.3  # deviation of the direction between objects, across the picture
_COARSE = 3  # cells of the field across the picture, each way


def tilt_logits(logits: Tensor, step: int, take: int) -> Tensor:
    """Logits of a varied, plausible colouring.

    p'(bin) ~ p(bin) exp(1.1 tanh(t . (ab(bin) - mean) / 25)), with t the direction at the pixel.

    Args:
        logits: (Q, h, w) over the ab palette.
        step: grid spacing of the palette.
        take: 0 or more; decides the directions. Takes 4k to 4k + 3 differ by quarter turns.

    Returns:
        (Q, h, w).
    """
    share = torch.softmax(logits, 0)
    centres = palette(step).to(logits)  # (Q, 2)
    mean = torch.einsum("qc,qhw->chw", centres, share)
    sides = _directions(share, take)
    along = torch.einsum("qc,chw->qhw", centres, sides) - (mean * sides).sum(0)
    return logits + _STRENGTH * torch.tanh(along / _REACH)


def _directions(share: Tensor, take: int) -> Tensor:
    """(2, h, w) vectors in the a*b* plane, of length about 1, smooth over the picture."""
    bins, height, width = share.shape
    draw = torch.Generator().manual_seed(take // _DIRECTIONS)
    angle = torch.rand((), generator=draw) * 2 * math.pi
    angle = angle + (take % _DIRECTIONS) * 2 * math.pi / _DIRECTIONS
    of_object = torch.randn(2, bins, generator=draw).to(share)
    of_place = torch.randn(1, 2, _COARSE, _COARSE, generator=draw).to(share)
    # The roots of a distribution have length 1, so this has unit variance.
    field = _OBJECTS * torch.einsum("cq,qhw->chw", of_object, share.sqrt())
    field += _PLACES * F.interpolate(of_place, (height, width), mode="bilinear")[0]
    field[0] += 1
    cosine, sine = float(angle.cos()), float(angle.sin())
    turn = torch.tensor([[cosine, -sine], [sine, cosine]]).to(share)
    return torch.einsum("dc,chw->dhw", turn, field)
