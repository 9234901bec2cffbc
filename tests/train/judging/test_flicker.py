"""Flicker metrics against numpy, and on films whose answer is known."""

import numpy as np
import pytest
import torch

from train.judging import metrics
from train.judging.flicker import cdc, visible, warp, warping_error


def film(frames=6, height=20, width=24, seed=0):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(0, 256, (frames, 3, height, width), dtype=np.uint8))


def moving(frames=5, step=3):
    """(frames, flow, seen) of noise that moves to the left by whole pixels."""
    wide = film(1, 20, 24 + step * frames)[0]
    shown = torch.stack([wide[:, :, step * t : step * t + 24] for t in range(frames)])
    flow = torch.zeros(frames - 1, 2, 20, 24)
    flow[:, 0] = -step
    seen = torch.ones(frames - 1, 20, 24, dtype=torch.bool)
    seen[:, :, :step] = False
    return shown, flow, seen


def test_metrics_names_them_too():
    assert (metrics.cdc, metrics.warping_error) == (cdc, warping_error)


def test_a_still_film_does_not_flicker():
    still = film(1).expand(6, -1, -1, -1)
    flow, seen = torch.zeros(5, 2, 20, 24), torch.ones(5, 20, 24, dtype=torch.bool)
    assert warping_error(still, flow, seen) == pytest.approx(0, abs=1e-20)
    assert cdc(still) == 0


def test_known_motion_has_no_warping_error_and_without_it_there_is_one():
    shown, flow, seen = moving()
    assert warping_error(shown, flow, seen) == pytest.approx(0, abs=1e-9)
    assert warping_error(shown, torch.zeros_like(flow), seen) > 0.1


def test_warping_error_is_the_mean_square_over_what_is_seen():
    shown, flow, seen = film(3), torch.zeros(2, 2, 20, 24), torch.zeros(2, 20, 24).bool()
    seen[0, :5], seen[1, 5:, 7:] = True, True
    values = shown.numpy() / 255
    expected = [
        np.square(values[t] - values[t + 1]).mean(0)[seen[t].numpy()].mean() for t in range(2)
    ]
    assert warping_error(shown, flow, seen) == pytest.approx(np.mean(expected), rel=1e-9)
    as_float = shown.float() / 255
    assert warping_error(as_float, flow, seen) == pytest.approx(np.mean(expected), rel=1e-9)


def test_warping_is_bilinear():
    picture = film(1)[0].double()
    flow = torch.zeros(2, 20, 24)
    flow[0], flow[1] = 0.25, -2
    expected = 0.75 * picture[:, :18, :23] + 0.25 * picture[:, :18, 1:]
    torch.testing.assert_close(warp(picture, flow)[:, 2:, :23], expected, atol=1e-3, rtol=0)


def test_cdc_is_the_divergence_of_histograms():
    shown = film(7)
    shown[3:] //= 2
    values = shown.numpy()

    def share(t, channel):
        return np.bincount(values[t, channel].ravel(), minlength=256) / values[0, 0].size

    def divergence(p, q):
        middle = (p + q) / 2
        parts = [(x[x > 0] * np.log(x[x > 0] / middle[x > 0])).sum() for x in (p, q)]
        return sum(parts) / 2

    expected = [
        np.mean([divergence(share(t, c), share(t + s, c)) for t in range(7 - s) for c in range(3)])
        for s in (1, 2, 4)
    ]
    assert cdc(shown) == pytest.approx(np.mean(expected), rel=1e-9)
    assert cdc(shown, (2,)) == pytest.approx(expected[1], rel=1e-9)


def test_disjoint_colours_reach_the_most():
    alternating = torch.zeros(6, 3, 8, 8, dtype=torch.uint8)
    alternating[::2] = 255
    assert cdc(alternating, (1,)) == pytest.approx(np.log(2))
    assert cdc(alternating, (2, 4)) == 0


def test_pixels_that_vanish_are_not_visible():
    forward = torch.zeros(2, 20, 30)
    assert visible(forward, forward).all()
    forward[0] = 4.0
    seen = visible(forward, -forward)
    assert seen[:, :26].all()
    assert not seen[:, 26:].any()
    assert not visible(forward, torch.zeros_like(forward)).any()
    forward[0, :, 15:] = 0
    assert not visible(forward, -forward)[:, 14].any()  # the border of what moves


def test_wrong_shapes_are_errors():
    shown, flow, seen = moving()
    for frames, motion, mask in (
        (shown[:1], flow[:0], seen[:0]),
        (shown, flow[1:], seen),
        (shown, flow, seen[:, 1:]),
    ):
        with pytest.raises(ValueError, match="warping_error expects two or more frames"):
            warping_error(frames, motion, mask)
    with pytest.raises(ValueError, match="more than 4 frames, got 4"):
        cdc(shown[:4])
    with pytest.raises(ValueError, match=r"expected float pictures in 0\.\.1"):
        cdc(shown.float())
