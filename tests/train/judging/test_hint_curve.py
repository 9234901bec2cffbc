"""Hints that tell the truth, a floor that only spreads them, and the colour where they were set."""

import numpy as np
import pytest
import torch
from PIL import Image

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from colorize_hub.hints import hint as hints_as_arrays
from colorize_hub.hints.hint import Hint
from tests.scenes import decided, lightness_of
from train.judging.hint_curve import (
    HINT_COUNTS,
    PATCH,
    floor_ab,
    floor_picture,
    hint_curve,
    hint_delta_e,
    true_hints,
)
from train.judging.metrics import psnr


def picture(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    """Smooth random colours, muted."""
    small = np.random.default_rng(seed).integers(80, 180, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def hint_ab(hints):
    return torch.from_numpy(hints_as_arrays.hint_ab(hints))


def batch(rgb):
    return torch.from_numpy(rgb.copy()).movedim(-1, 0)[None]


def grey_of(rgb):
    lightness = lightness_of(rgb)
    neutral = torch.cat((lightness, torch.zeros(2, *lightness.shape[1:])))
    return (lab_to_rgb(neutral)[0] * 255).round().byte().numpy()


def test_hints_tell_the_mean_colour_of_their_patch():
    rgb = picture(0)
    lab = rgb_to_lab(batch(rgb).float() / 255)[0]
    for hint, ab in zip(true_hints(rgb, 20, seed=1), hint_ab(true_hints(rgb, 20, 1)), strict=True):
        top, left = int(hint.y) - PATCH // 2, int(hint.x) - PATCH // 2
        patch = lab[1:, top : top + PATCH, left : left + PATCH]
        assert patch.shape[1:] == (PATCH, PATCH)
        assert torch.allclose(ab, patch.mean((1, 2)), atol=0.8)  # 8-bit colours
        assert (hint.x, hint.y, hint.radius) == (left + 3, top + 3, 3)


def test_hints_are_nested_uniform_and_the_same_each_time():
    rgb = picture(1, 40, 60)
    many = true_hints(rgb, 3000, seed=2)
    assert true_hints(rgb, 7, seed=2) == many[:7]
    assert true_hints(rgb, 7, seed=3) != many[:7]
    x, y = np.array([(hint.x, hint.y) for hint in many]).T
    assert (x.min(), x.max(), y.min(), y.max()) == (3, 57, 3, 37)
    assert np.histogram(x, 5)[0] == pytest.approx(600, rel=0.2)
    assert np.histogram(y, 5)[0] == pytest.approx(600, rel=0.2)
    with pytest.raises(ValueError, match="6 x 6 pixels or more, got 60 x 5"):
        true_hints(rgb[:5], 1, seed=0)


def test_the_floor_without_hints_is_grey():
    rgb = picture(2)
    grey = grey_of(rgb)
    assert np.array_equal(floor_picture(grey, []), np.repeat(grey[:, :, None], 3, 2))


def test_the_floor_spreads_by_place_and_lightness():
    lightness = torch.full((1, 256, 256), 30.0)
    lightness[:, :, 128:] = 70.0
    ab = floor_ab(lightness, [Hint(64, 100, (150, 40, 30)), Hint(192, 100, (90, 120, 200))])
    red, blue = hint_ab([Hint(64, 100, (150, 40, 30)), Hint(192, 100, (90, 120, 200))])
    assert torch.allclose(ab[:, 100, 64], red, atol=0.1 * red.norm())
    assert torch.allclose(ab[:, 100, 120], red, atol=0.3 * red.norm())  # the dark half stays red
    assert torch.allclose(ab[:, 100, 192], blue, atol=0.1 * blue.norm())
    assert ab[:, 250, 0].norm() < ab[:, 100, 64].norm()  # far away it fades to grey


def test_the_floor_by_hand():
    lightness = torch.zeros(1, 32, 32)
    hints = [Hint(16, 16, (200, 30, 30)), Hint(16, 16, (30, 200, 30))]
    at_hint = floor_ab(lightness, hints)[:, 15, 15]
    reach = 160 * 32 / 256 / 2**0.45
    weight = 2 * np.exp(-(0.5**2 + 0.5**2) / 2 / reach**2)
    expected = hint_ab(hints).mean(0) * weight / (weight + 0.05)
    assert torch.allclose(at_hint, expected, atol=1e-3)


def test_more_true_hints_bring_the_floor_nearer_to_the_truth():
    rgb = picture(3, 128, 128)
    grey, hints = grey_of(rgb), true_hints(rgb, 100, seed=0)
    scores = [psnr(batch(floor_picture(grey, hints[:n])), batch(rgb)) for n in (0, 5, 100)]
    assert scores == sorted(scores)
    assert scores[2] > scores[0] + 3


def test_a_hint_that_was_followed_differs_by_nothing():
    rgb = picture(4)
    grey, hints = grey_of(rgb), true_hints(rgb, 8, seed=5)
    lightness = lightness_of(grey[:, :, None])
    coloured = np.repeat(grey[:, :, None], 3, 2)
    ignored = hint_delta_e(coloured, grey, hints)
    for hint, ab in zip(hints, hint_ab(hints), strict=True):
        at = lightness[:, int(hint.y), int(hint.x)][:, None, None]
        lab = torch.cat((at, fit_gamut(at, ab[:, None, None])))
        coloured[int(hint.y), int(hint.x)] = (lab_to_rgb(lab)[:, 0, 0] * 255).round().numpy()
    assert hint_delta_e(coloured, grey, hints) < 0.5 < 3 < ignored


def test_a_hint_under_a_later_one_is_not_judged():
    grey = np.full((40, 40), 128, np.uint8)
    under, over = Hint(20, 20, (200, 60, 60), 3), Hint(22, 20, (128, 128, 128), 3)
    plain = np.repeat(grey[:, :, None], 3, 2)
    assert hint_delta_e(plain, grey, [under, over]) < 0.5
    assert hint_delta_e(plain, grey, [over, under]) > 10


def test_a_colour_that_the_lightness_cannot_show_is_judged_as_far_as_it_can():
    grey = np.full((20, 20), 250, np.uint8)
    assert hint_delta_e(np.full((20, 20, 3), 250, np.uint8), grey, [Hint(9, 9, (0, 0, 255))]) < 10


def test_the_curve_is_that_of_the_pictures_a_user_gets(tiny_colorizer):
    rgb = picture(6)
    grey = grey_of(rgb)
    curve = hint_curve(tiny_colorizer, rgb, grey, seed=0)
    hints = true_hints(rgb, 100, seed=0)
    assert len(curve.psnr) == len(curve.floor_psnr) == len(HINT_COUNTS)
    for index in (0, 4):
        coloured = tiny_colorizer.canvas(grey).render(hints[: HINT_COUNTS[index]])
        assert curve.psnr[index] == pytest.approx(psnr(batch(coloured), batch(rgb)), abs=1e-6)
    assert curve.delta_e == pytest.approx(
        hint_delta_e(tiny_colorizer.canvas(grey).render(hints[:10]), grey, hints[:10]), abs=1e-6
    )
    assert curve.delta_e_grey > 0
    assert np.ptp(curve.psnr) > 0.01  # the hints reach the network
    smaller = hint_curve(tiny_colorizer, rgb, grey, seed=0, size=32)
    assert smaller.psnr != curve.psnr
    assert smaller.floor_psnr == curve.floor_psnr


def test_one_colour_everywhere_scores_by_its_distance(tiny_config):
    orange = decided(tiny_config, 20, 30)
    flat = np.full((64, 64, 3), 128, np.uint8)
    curve = hint_curve(orange, flat, flat[:, :, 0], seed=0)
    assert curve.psnr[0] < 30
    assert curve.delta_e_grey < 0.5
