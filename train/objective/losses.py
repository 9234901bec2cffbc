"""Losses on the predicted distribution over ab bins, and on the colours decoded from it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_hub.colour.palette import palette
from train.objective.soft_assignment import soft_assign

_RIGHT = 9.0  # squared ab units: a picture with less error is as good as right
_KEPT_SCALE = 1.4  # of the truth's chroma over the decoded one
_JUST_SEEN = 10.0  # ab units
_NO_CUSP = 1e-3  # squared ab units: keeps the gradient of a grey picture finite


def bin_prior(ab: Tensor, step: int) -> Tensor:
    """How often each bin occurs: (N, 2) ab -> (Q,), sums to 1."""
    bins, weights = soft_assign(ab, step)
    count = torch.zeros(len(palette(step)))
    return count.scatter_add(0, bins.flatten(), weights.flatten()) / weights.sum()


def bin_weights(prior: Tensor, rebalance: float) -> Tensor:
    """Loss weight of each bin, 1 / ((1 - r) p + r / Q), scaled so that its mean over p is 1."""
    # The floor keeps a bin that the prior never saw from outweighing all others at r = 0.
    weights = 1 / ((1 - rebalance) * prior + rebalance / len(prior)).clamp_min(1e-3 / len(prior))
    return weights / (weights * prior).sum()


def soft_cross_entropy(logits: Tensor, ab: Tensor, step: int, weights: Tensor) -> Tensor:
    """Mean over N cells of the weighted cross-entropy against the soft-assigned target.

    Class-rebalanced as by Zhang, Isola and Efros 2016, "Colorful Image Colorization". The divisor
    is N, not the sum of weights: so the mean over processes of equal share is the mean over all.

    Args:
        logits: (N, Q).
        ab: (N, 2), the true mean colours.
        step: grid spacing of the palette.
        weights: (Q,), from `bin_weights`.
    """
    bins, target = soft_assign(ab, step)  # (N, 4) each
    log_share = logits.float().log_softmax(1).gather(1, bins)
    rarity = (weights[bins] * target).sum(1)
    return -((log_share * target).sum(1) * rarity).mean()


def balanced_scale(ab: Tensor, truth: Tensor) -> Tensor:
    """Return the factor on chroma that makes a batch as colourful as the truth, 0.5 to 3.

    Colourfulness after Hasler and Suesstrunk 2003, but of ab: spread plus 0.3 times offset.

    Args:
        ab: (B, 2, h, w) decoded colours.
        truth: (B, 2, h, w).
    """
    return (_colorfulness(truth).mean() / _colorfulness(ab).mean()).clamp(0.5, 3)


def fading(ab: Tensor, truth: Tensor) -> Tensor:
    """How far colours are from the strength they should keep: squared log of the ratio, 0 at best.

    The losses at equal colourfulness do not care how strong colours are before they are scaled;
    this holds them where one calibrated factor, 1.4, is enough.

    Args:
        ab: (B, 2, h, w) decoded colours.
        truth: (B, 2, h, w).
    """
    ratio = _KEPT_SCALE * _colorfulness(ab).mean() / _colorfulness(truth).mean()
    return ratio.clamp_min(_NO_CUSP).log().square()


def log_error(ab: Tensor, truth: Tensor) -> Tensor:
    """Mean over pictures of the log of the mean squared error of ab: -PSNR up to constants.

    With colours brought to the truth's colourfulness it follows the figure a model is judged by,
    PSNR at equal colourfulness: colour goes where it is sure to be right.

    Args:
        ab: (B, 2, h, w) decoded colours.
        truth: (B, 2, h, w).
    """
    return ((ab - truth).square().mean((1, 2, 3)) + _RIGHT).log().mean()


def inconsistency(ab: Tensor, other: Tensor) -> Tensor:
    """Mean distance of the colours of the same pictures at two sizes, in steps of 10 ab units.

    Both as colourful as the first, so that fading colours at one size gain nothing, plus the
    log of the ratio of their colourfulness.

    Args:
        ab: (B, 2, h, w) decoded colours.
        other: (B, 2, h', w').
    """
    one, two = at_one_size(ab, other)
    ratio = (_colorfulness(one).mean() / _colorfulness(two).mean()).clamp(0.2, 5)
    apart = ((one - two * ratio).square().sum(1) + _NO_CUSP).sqrt().mean() / _JUST_SEEN
    return apart + ratio.log().abs()


def at_one_size(ab: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Both (B, 2, h, w), the larger averaged down to the smaller one's cells."""
    rows, columns = (min(one, two) for one, two in zip(ab.shape[2:], other.shape[2:], strict=True))
    return F.adaptive_avg_pool2d(ab, (rows, columns)), F.adaptive_avg_pool2d(other, (rows, columns))


def _colorfulness(ab: Tensor) -> Tensor:
    flat = ab.flatten(2)
    spread = flat.var(2, correction=0).sum(1)
    offset = flat.mean(2).square().sum(1)
    return (spread + _NO_CUSP).sqrt() + 0.3 * (offset + _NO_CUSP).sqrt()
