"""The loss against a plain loop, and its weights."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.palette import palette
from train.objective.losses import (
    balanced_scale,
    bin_prior,
    bin_weights,
    fading,
    inconsistency,
    log_error,
    soft_cross_entropy,
)

STEP = 10
BINS = len(palette(STEP))


@pytest.fixture
def ab():
    """(300, 2) colours of sRGB."""
    return rgb_to_lab(torch.rand(3, 1, 300))[1:, 0].T


def shares(colour):
    """Bilinear weights of one colour on the palette, {bin: weight}, by hand."""
    at = {tuple(centre): index for index, centre in enumerate(palette(STEP).tolist())}
    low = [math.floor(c / STEP) for c in colour]
    found = {}
    for a in (low[0], low[0] + 1):
        for b in (low[1], low[1] + 1):
            weight = (1 - abs(colour[0] / STEP - a)) * (1 - abs(colour[1] / STEP - b))
            if (a * STEP, b * STEP) in at:
                found[at[a * STEP, b * STEP]] = weight
    return found


def test_the_prior_counts_colours(ab):
    prior = bin_prior(ab, STEP)
    expected = torch.zeros(BINS)
    for colour in ab.tolist():
        for index, weight in shares(colour).items():
            expected[index] += weight / len(ab)
    assert prior.sum() == pytest.approx(1)
    assert torch.allclose(prior, expected, atol=1e-5)


@pytest.mark.parametrize("rebalance", [0.0, 0.3, 0.5, 1.0])
def test_weights_average_to_one_over_the_prior(ab, rebalance):
    prior = bin_prior(ab, STEP)  # many bins never occur
    weights = bin_weights(prior, rebalance)
    assert float((weights * prior).sum()) == pytest.approx(1, abs=1e-5)
    assert bool(weights.isfinite().all())
    mixed = (1 - rebalance) * prior + rebalance / BINS
    seen = prior > 1e-5
    assert torch.allclose((weights * mixed)[seen], (weights * mixed)[seen][0], rtol=1e-4)


def test_without_rebalancing_all_weigh_one(ab):
    assert torch.allclose(bin_weights(bin_prior(ab, STEP), 1.0), torch.ones(BINS))


def test_cross_entropy_equals_a_plain_loop(ab):
    logits = torch.randn(len(ab), BINS) * 3
    weights = bin_weights(bin_prior(ab, STEP), 0.5)
    total = 0.0
    for row, colour in zip(logits.double().numpy(), ab.tolist(), strict=True):
        log_share = row - row.max() - np.log(np.exp(row - row.max()).sum())
        target = shares(colour)
        rarity = sum(weight * float(weights[index]) for index, weight in target.items())
        total -= rarity * sum(weight * log_share[index] for index, weight in target.items())
    loss = soft_cross_entropy(logits, ab, STEP, weights)
    assert float(loss) == pytest.approx(total / len(ab), rel=1e-5)


def test_the_mean_over_equal_shares_is_the_mean_over_all(ab):
    logits, weights = torch.randn(len(ab), BINS), bin_weights(bin_prior(ab, STEP), 0.5)
    whole = soft_cross_entropy(logits, ab, STEP, weights)
    halves = [
        soft_cross_entropy(logits[part], ab[part], STEP, weights)
        for part in (slice(0, 150), slice(150, 300))
    ]
    assert float(whole) == pytest.approx(float(sum(halves)) / 2, rel=1e-5)


def test_half_precision_logits_are_summed_in_full(ab):
    logits = torch.randn(len(ab), BINS).bfloat16()
    loss = soft_cross_entropy(logits, ab, STEP, torch.ones(BINS))
    assert loss.dtype == torch.float32
    assert torch.equal(loss, soft_cross_entropy(logits.float(), ab, STEP, torch.ones(BINS)))


def maps(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)) * 20


def test_the_balanced_scale_makes_dull_colours_as_strong_as_the_true_ones():
    truth = maps(4, 2, 8, 8)
    assert float(balanced_scale(truth / 2, truth)) == pytest.approx(2, rel=1e-3)
    assert float(balanced_scale(truth * 2, truth)) == pytest.approx(0.5, rel=1e-3)


def test_the_balanced_scale_of_grey_is_bounded_and_differentiable():
    grey = torch.zeros(2, 2, 4, 4, requires_grad=True)
    scale = balanced_scale(grey, maps(2, 2, 4, 4))
    assert float(scale.detach()) == 3
    (scale * grey.sum()).backward()
    assert grey.grad is not None
    assert torch.isfinite(grey.grad).all()


def test_the_log_error_counts_a_decibel_the_same_in_dull_and_in_vivid_pictures():
    truth = maps(2, 2, 16, 16)
    vivid, dull = truth[:1] * 4, truth[1:]
    error = maps(1, 2, 16, 16)
    halved = [
        float(log_error(t + e, t) - log_error(t + e / 2, t))
        for t, e in ((vivid, error * 4), (dull, error * 4))
    ]
    assert halved[0] == pytest.approx(halved[1], rel=1e-4)
    assert halved[0] == pytest.approx(math.log(4), rel=0.02)  # 6 dB


def test_inconsistency_is_the_distance_between_sizes_in_steps_of_ten():
    small = maps(2, 2, 4, 4)
    large = F.interpolate(small, scale_factor=3)
    assert float(inconsistency(small, large)) < 0.02
    mixed = small.flip(0)
    apart = (small - mixed).norm(dim=1).mean() / 10
    assert float(inconsistency(small, F.interpolate(mixed, scale_factor=2))) == pytest.approx(
        float(apart), rel=1e-3
    )
    assert float(inconsistency(small, large / 2)) == pytest.approx(math.log(2), abs=0.02)


def test_fading_colours_are_held():
    truth = maps(2, 2, 8, 8)
    strength = {factor: float(fading(truth * factor, truth)) for factor in (0.1, 0.5, 1 / 1.4, 1.5)}
    assert strength[1 / 1.4] == pytest.approx(0, abs=1e-4)
    assert strength[0.1] > strength[0.5] > strength[1 / 1.4] < strength[1.5]
    grey = torch.zeros(2, 2, 4, 4, requires_grad=True)
    fading(grey, truth).backward()
    assert grey.grad.isfinite().all()
