"""The palette holds every colour of sRGB; spreading and decoding keep the mean."""

import math

import numpy as np
import pytest
import torch

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.palette import (
    decode_bins,
    fading,
    palette,
    temperature,
)
from train.objective.soft_assignment import soft_assign

STEPS = (5, 10, 20)


def random_ab(count=20_000):
    """(N, 2) a*b* of random colours of sRGB, its corners among them."""
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    rgb = torch.cat((corners, torch.rand(count, 3)))
    return rgb_to_lab(rgb.T[:, None])[1:, 0].T


def bin_at(a, b, step=10):
    return (palette(step) == [a, b]).all(1).nonzero()[0].item()


def logits_of(shares):
    """(Q,) logits of a distribution {(a, b): share}."""
    logits = torch.full((len(palette(10)),), -100.0)
    for (a, b), share in shares.items():
        logits[bin_at(a, b)] = math.log(share)
    return logits


# --- palette ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_palette_is_a_sorted_grid(step):
    rows = palette(step).tolist()
    assert rows == sorted(rows)
    assert len({tuple(row) for row in rows}) == len(rows)
    assert all(value % step == 0 for row in rows for value in row)
    assert [0, 0] in rows


@pytest.mark.parametrize("step", STEPS)
def test_every_colour_lies_between_four_bins(step):
    known = {tuple(row) for row in palette(step).tolist()}
    low = torch.floor(random_ab() / step) * step
    for da, db in ((0, 0), (0, step), (step, 0), (step, step)):
        corners = {tuple(row) for row in (low + torch.tensor([da, db])).tolist()}
        assert corners <= known


@pytest.mark.parametrize("step", STEPS)
def test_every_bin_is_near_a_colour(step):
    distance = torch.cdist(torch.from_numpy(palette(step)), random_ab(), p=torch.inf).amin(1)
    assert distance.max() <= step + 2  # the sample is dense to within 2


def test_the_number_of_bins_is_fixed_because_models_depend_on_it():
    assert [len(palette(step)) for step in STEPS] == [1048, 305, 99]


# --- soft assignment -------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_soft_assignment_keeps_the_mean(step):
    ab = random_ab()
    bins, weights = soft_assign(ab, step)
    assert bins.shape == weights.shape == (len(ab), 4)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(len(ab)))
    mean = (torch.from_numpy(palette(step))[bins] * weights[..., None]).sum(1)
    torch.testing.assert_close(mean, ab, atol=1e-3, rtol=0)


def test_soft_assignment_weighs_by_distance():
    bins, weights = soft_assign(torch.tensor([[12.0, -5.0]]), 10)
    shares = {
        tuple(palette(10)[b].tolist()): w.item() for b, w in zip(bins[0], weights[0], strict=True)
    }
    expected = {(10, -10): 0.4, (10, 0): 0.4, (20, -10): 0.1, (20, 0): 0.1}
    assert shares == pytest.approx(expected, abs=1e-5)


def test_a_bin_centre_is_its_own_bin():
    bins, weights = soft_assign(torch.from_numpy(palette(10)), 10)
    own = (weights * (bins == torch.arange(len(bins))[:, None])).sum(1)
    torch.testing.assert_close(own, torch.ones(len(bins)), atol=1e-4, rtol=0)


def test_means_of_colours_at_the_rim_still_get_a_whole_distribution():
    corners = rgb_to_lab(torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3).T[:, None])
    corners = corners[1:, 0].T  # (8, 2)
    mixed = torch.cat([torch.lerp(corners[:, None], corners, t / 8) for t in range(9)])
    mixed = mixed.reshape(-1, 2)
    bins, weights = soft_assign(mixed, 10)
    torch.testing.assert_close(weights.sum(1), torch.ones(len(mixed)))
    mean = (torch.from_numpy(palette(10))[bins] * weights[..., None]).sum(1)
    assert (mean - mixed).abs().max() <= 10


# --- decoding --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vividness", "power", "factor"),
    [(0, 1, 0.25), (0.3, 1, 0.7), (0.5, 1, 1), (0.75, 2, 1), (1, 4, 1)],
)
def test_decoding_is_the_mean_of_the_sharpened_distribution(vividness, power, factor):
    logits = logits_of({(40, 20): 0.6, (-40, 0): 0.4})[None, :, None, None]
    first, second = 0.6**power, 0.4**power
    mean = torch.tensor([40 * (first - second), 20 * first]) / (first + second) * factor
    decoded = decode_bins(logits, 10, vividness).flatten()
    torch.testing.assert_close(decoded, mean, atol=1e-3, rtol=0)


def test_the_likeliest_colour_wins_at_vividness_1():
    logits = logits_of({(40, 20): 0.8, (-40, 0): 0.2})[None, :, None, None]
    decoded = decode_bins(logits, 10, vividness=1).flatten()
    torch.testing.assert_close(decoded, torch.tensor([40.0, 20.0]), atol=0.5, rtol=0)


def test_decoding_undoes_soft_assignment():
    ab = random_ab(500)
    bins, weights = soft_assign(ab, 10)
    share = torch.zeros(len(ab), len(palette(10))).scatter_add_(1, bins, weights)
    logits = share.clamp_min(1e-20).log().T[None, :, None]  # (1, Q, 1, N)
    decoded = decode_bins(logits, 10, vividness=0.5, chroma_scale=1.5)
    torch.testing.assert_close(decoded[0, :, 0].T, ab * 1.5, atol=1e-3, rtol=0)


def test_every_place_is_decoded_for_itself():
    logits = torch.randn(2, len(palette(10)), 3, 5)
    decoded = decode_bins(logits, 10, 0.5)
    assert decoded.shape == (2, 2, 3, 5)
    one = decode_bins(logits[1:, :, 2:, 4:], 10, 0.5)
    torch.testing.assert_close(decoded[1:, :, 2:, 4:], one, atol=1e-4, rtol=0)


def test_bfloat16_logits_decode_in_float32():
    logits = torch.randn(1, len(palette(10)), 2, 2).bfloat16()
    decoded = decode_bins(logits, 10, 0.3)
    assert decoded.dtype == torch.float32
    torch.testing.assert_close(decoded, decode_bins(logits.float(), 10, 0.3))


@pytest.mark.parametrize(("vividness", "expected"), [(0, 1), (0.5, 1), (0.75, 0.5), (1, 0.25)])
def test_temperature(vividness, expected):
    assert temperature(np.float32(vividness)) == pytest.approx(expected)


@pytest.mark.parametrize(("vividness", "expected"), [(0, 0.25), (0.25, 0.625), (0.5, 1), (1, 1)])
def test_fading(vividness, expected):
    assert fading(np.float32(vividness)) == pytest.approx(expected)


@pytest.mark.parametrize("vividness", [-0.01, 1.01, math.nan, math.inf])
def test_vividness_out_of_range_is_refused(vividness):
    with pytest.raises(ValueError, match=rf"vividness must be 0\.\.1, got {vividness}"):
        decode_bins(torch.zeros(1, len(palette(10)), 2, 2), 10, vividness)
