"""Class-rebalanced soft cross-entropy over ab bins (Zhang, Isola and Efros 2016)."""

import torch
from torch import Tensor

from colorize_hub.bins import palette, soft_assign


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

    The divisor is N, not the sum of weights: so the mean over processes of equal share is the
    mean over all.

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
