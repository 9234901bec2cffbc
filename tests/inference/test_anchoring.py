"""Carried hints hold their colours at their places, and change what is far from them not at all."""

import numpy as np
import pytest
import torch

from colorize_hub import Frame, Hint
from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.resizing import enlarged
from colorize_hub.hints.hint import hint_ab
from colorize_hub.inference.anchoring import anchored
from tests.inference.moving import pan
from tests.scenes import decided

SIZE = (96, 128)  # of the picture, four pixels to a cell
HINTS = [Hint(50.0, 30.0, (200, 90, 60)), Hint(101.5, 64.5, (60, 90, 200), 3.0)]


@pytest.fixture
def ab():
    return np.random.default_rng(0).normal(0, 15, (2, 24, 32)).astype(np.float32)


def shown(ab, hint):
    """The a*b* that a picture has at a hint's place, once its colours are enlarged."""
    large = enlarged(ab, (SIZE[0] * 8, SIZE[1] * 8))
    return large[:, int(hint.y * 8), int(hint.x * 8)]


CORNERS = [Hint(0.0, 0.0, (200, 90, 60)), Hint(127, 95, (9, 99, 9))]


@pytest.mark.parametrize("hint", [*HINTS, *CORNERS])
def test_the_place_of_a_hint_has_its_colour(ab, hint):
    held = anchored(ab, [hint], SIZE)
    assert np.abs(shown(held, hint) - hint_ab([hint])[0]).max() < 1


def test_two_apart_are_both_held_and_what_is_far_stays(ab):
    held = anchored(ab, HINTS, SIZE)
    for hint in HINTS:
        assert np.abs(shown(held, hint) - hint_ab([hint])[0]).max() < 1
    y, x = np.mgrid[:24, :32] * 4 + 2
    near = [np.hypot(x - hint.x, y - hint.y) < 32 for hint in HINTS]
    assert np.abs(held - ab)[:, ~np.any(near, 0)].max() < 0.1


def test_of_two_in_one_place_the_later_counts(ab):
    both = anchored(ab, [Hint(50, 30, (10, 200, 10)), HINTS[0]], SIZE)
    assert np.array_equal(both, anchored(ab, HINTS[:1], SIZE))


def test_without_hints_nothing_changes_and_what_is_right_stays(ab):
    assert anchored(ab, [], SIZE) is ab
    right = np.tile(hint_ab(HINTS[:1])[0][:, None, None], (1, 24, 32))
    assert np.abs(anchored(right, HINTS[:1], SIZE) - right).max() < 1e-4


def test_tensors_are_held_as_arrays_are(ab):
    of_torch = anchored(torch.from_numpy(ab), HINTS, SIZE)
    assert np.allclose(of_torch.numpy(), anchored(ab, HINTS, SIZE), atol=1e-4)


@pytest.mark.parametrize("smoothing", [0.8, 0.95])
def test_steady_colour_leaves_a_carried_hint_its_colour(tiny_config, smoothing):
    """The mean over the frames pulled it to what is around: the ground is as green as can be."""
    colorizer = decided(tiny_config, -60, 60)
    frames = [
        Frame(grey, [Hint(90 - 2 * t, 50, HINTS[0].rgb)], size=96, carried=True)
        for t, grey in enumerate(pan(*SIZE, 8, 2))
    ]
    wanted = hint_ab(HINTS[:1])[0]
    for t, rgb in enumerate(colorizer.colorize_frames(frames, smoothing, look_ahead=2)):
        pixel = np.asarray(rgb)[50, 90 - 2 * t].astype(np.float32)[:, None, None] / 255
        assert np.abs(rgb_to_lab(pixel)[1:, 0, 0] - wanted).max() < 6
