"""Canvas: encoded once, rendered as colorize does, with hints in the picture's own pixels."""

import numpy as np
import pytest
import torch

from colorize_hub.bins import palette, suggest_colours
from colorize_hub.colorizer import Colorizer
from colorize_hub.compose import pixels_to_lightness
from colorize_hub.hints import Hint
from colorize_hub.network import ColorNet
from tests.scenes import decided, difference, scene

RED = (200, 30, 40)


def test_a_canvas_renders_what_colorize_gives(tiny_colorizer):
    grey, hints = scene(40, 60), [Hint(10, 20, RED, radius=8)]
    canvas = tiny_colorizer.canvas(grey)
    assert (canvas.height, canvas.width) == (40, 60)
    for options in ({}, {"vividness": 0.9}, {"hints": hints}, {"hints": hints, "vividness": 0}):
        expected = tiny_colorizer.colorize(grey, **options)
        np.testing.assert_array_equal(canvas.render(**options), expected)
    small = tiny_colorizer.canvas(grey, size=32).render()
    np.testing.assert_array_equal(small, tiny_colorizer.colorize(grey, size=32))


def test_logits_are_those_of_the_decoder_with_the_hints(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(40, 60))  # worked on at 64 x 96
    plain, hinted = canvas.logits(), canvas.logits([Hint(10, 20, RED)])
    assert (plain.dtype, plain.shape) == (torch.float32, (1, len(palette(10)), 16, 24))
    assert (plain - hinted).abs().max() > 0.01


def test_a_canvas_encodes_once(tiny_network):
    colorizer = Colorizer(tiny_network, device="cpu", dtype=torch.float32)
    encoded = []
    colorizer._network.encoder.register_forward_hook(lambda *_: encoded.append(1))
    canvas = colorizer.canvas(scene(40, 60))
    canvas.render()
    canvas.render(hints=[Hint(10, 20, RED)], vividness=1)
    canvas.suggest(3, 4)
    canvas.confidence()
    assert len(encoded) == 1


def test_a_hint_changes_colour_most_around_itself(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(256, 256), size=256)
    changed = difference(canvas.render([Hint(200, 40, RED, radius=20)]), canvas.render()).sum(2)
    assert changed[20:60, 180:220].mean() > 4 * changed[128:, :128].mean()
    assert changed[20:60, 180:220].mean() > 1


def test_the_last_hint_wins_and_none_leaves_the_picture(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(40, 60))
    red, green = Hint(10, 20, RED), Hint(10, 20, (30, 160, 60))
    np.testing.assert_array_equal(canvas.render([green, red]), canvas.render([red]))
    assert difference(canvas.render([red]), canvas.render([green])).any()
    np.testing.assert_array_equal(canvas.render([]), canvas.render())


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (60, 0), (0, 40), (0, -0.5)])
def test_places_outside_the_picture_are_an_error(tiny_colorizer, x, y):
    canvas = tiny_colorizer.canvas(scene(40, 60))
    with pytest.raises(ValueError, match="outside the picture of 60 x 40"):
        canvas.render([Hint(x, y, RED)])
    with pytest.raises(ValueError, match="outside the picture of 60 x 40"):
        canvas.suggest(x, y)


def test_suggestions_of_a_place(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(40, 60))
    found = canvas.suggest(59, 39, k=3)
    assert len(found) == 3
    shares = [share for _, share in found]
    assert shares == sorted(shares, reverse=True)
    assert 0.9 < sum(shares) <= 1.0001
    assert all(isinstance(level, int) and 0 <= level <= 255 for rgb, _ in found for level in rgb)
    assert len(canvas.suggest(0, 0)) <= 5
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        canvas.suggest(0, 0, k=0)


@pytest.mark.parametrize(("x", "y", "row", "column"), [(3, 30, 12, 1), (59.9, 0, 0, 23)])
def test_suggestions_are_read_at_the_place(tiny_colorizer, x, y, row, column):
    canvas = tiny_colorizer.canvas(scene(40, 60))
    here = canvas.logits()[0, :, row, column]  # of a grid of 16 x 24
    lightness = pixels_to_lightness(scene(40, 60)[..., None])[0, int(y), int(x)]
    assert canvas.suggest(x, y) == suggest_colours(here, 10, float(lightness), 5)


def test_a_suggestion_of_a_sure_network_is_its_colour_in_the_picture(tiny_config):
    canvas = decided(tiny_config, 20, -30).canvas(scene(40, 60))
    ((rgb, share),) = canvas.suggest(17, 29)
    assert share == pytest.approx(1)
    assert difference(rgb, canvas.render()[29, 17]).max() <= 1


def test_confidence(tiny_config, tiny_colorizer):
    sure = decided(tiny_config, 0, 0).canvas(scene(40, 60)).confidence()
    np.testing.assert_allclose(sure, np.ones((40, 60)), atol=1e-5)
    network = ColorNet(tiny_config).eval()
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.zeros_(network.head.bias)
    unsure = Colorizer(network, "cpu", torch.float32).canvas(scene(40, 60)).confidence()
    np.testing.assert_allclose(unsure, np.zeros((40, 60)), atol=1e-5)
    confidence = tiny_colorizer.canvas(scene(40, 60)).confidence()
    assert (confidence.dtype, confidence.shape) == (np.float32, (40, 60))
    assert 0 < confidence.min() < confidence.max() < 1
