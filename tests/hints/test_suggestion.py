"""The colours that a distribution suggests, shown at a lightness."""

import pytest
import torch

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.palette import palette
from colorize_hub.hints.suggestion import suggest_colors
from tests.colour.test_palette import logits_of


def bin_at(a, b, step=10):
    return (palette(step) == [a, b]).all(1).nonzero()[0].item()


def lab_of(rgb):
    return rgb_to_lab(torch.tensor(rgb)[:, None, None] / 255)[:, 0, 0]


def test_suggestions_find_both_peaks_and_their_shares():
    red = {(40, 20): 0.5, (40, 30): 0.1, (50, 20): 0.1}
    blue = {(0, -40): 0.2, (0, -30): 0.1}
    (first, most), (second, rest) = suggest_colors(logits_of(red | blue), 10, 60.0, k=2)
    assert (most, rest) == pytest.approx((0.7, 0.3), abs=1e-3)
    mean_red, mean_blue = (60, 290 / 7, 150 / 7), (60, 0, -110 / 3)
    assert lab_of(first).tolist() == pytest.approx(mean_red, abs=1)
    assert lab_of(second).tolist() == pytest.approx(mean_blue, abs=1)


def test_one_suggestion_is_the_mean():
    ((rgb, share),) = suggest_colors(logits_of({(40, 20): 0.5, (-20, 0): 0.5}), 10, 60.0, k=1)
    assert share == pytest.approx(1)
    assert lab_of(rgb).tolist() == pytest.approx((60, 10, 10), abs=1)


def test_a_distribution_of_one_colour_has_one_suggestion():
    ((rgb, share),) = suggest_colors(logits_of({(40, 20): 1.0}), 10, 60.0, k=5)
    assert share == pytest.approx(1)
    assert lab_of(rgb).tolist() == pytest.approx((60, 40, 20), abs=1)


def test_suggestions_can_be_shown_at_the_lightness_and_keep_their_hue():
    ((rgb, _),) = suggest_colors(logits_of({(0, 80): 1.0}), 10, 20.0, k=1)
    lightness, a, b = lab_of(rgb).tolist()
    assert lightness == pytest.approx(20, abs=0.5)
    assert abs(a) < 1.5
    assert b > 10


@pytest.mark.parametrize("k", [1, 3, 8, 1000])
def test_suggestions_are_ordered_and_share_out_the_distribution(k):
    found = suggest_colors(torch.randn(len(palette(10))), 10, 50.0, k)
    shares = [share for _, share in found]
    assert 1 <= len(found) <= min(k, len(palette(10)))
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=0.05)
    assert all(0 <= level <= 255 for rgb, _ in found for level in rgb)


def test_suggestions_differ_from_each_other():
    found = suggest_colors(torch.randn(len(palette(10))), 10, 50.0, 5)
    assert len({rgb for rgb, _ in found}) == 5
