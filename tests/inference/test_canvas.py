"""Canvas: encoded once, rendered as colorize does, with hints in the picture's own pixels."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from colorize_hub.colour.palette import palette
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.hints.hint import Hint, hint_ab, hinted_pixels
from colorize_hub.hints.suggestion import suggest_colors
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from tests.scenes import decided, difference, lightness_of, scene
from train.judging.metrics import ciede2000

RED, GREEN, BLUE = (200, 30, 40), (30, 160, 60), (40, 60, 190)
PRINTS = sorted((Path(__file__).parents[2] / "colorize_hub/demo/examples").glob("*.jpg"))


@pytest.fixture(scope="module")
def trained_colorizer(trained_network):
    return Colorizer(TorchEngine(trained_network, device="cpu"))


def off_the_hints(picture, coloured, hints):
    """CIEDE2000 of each hinted pixel from its hint's colour at the picture's own lightness.

    Dark pixels are left out: there a step of 8 bits is a visible difference.
    """
    owner = torch.from_numpy(hinted_pixels(hints, picture.shape[:2]))
    lightness = lightness_of(picture[..., None])
    fixed = (owner >= 0) & (lightness[0] > 8)
    wanted = torch.from_numpy(hint_ab(hints)[owner[fixed]].T)[:, None]  # (2, 1, n)
    there = lightness[:, fixed][:, None]
    wanted = torch.cat((there, fit_gamut(there, wanted)))
    got = torch.from_numpy(coloured[fixed.numpy()]).T[:, None] / 255
    return ciede2000(rgb_to_lab(got.float()), wanted)


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


@pytest.mark.parametrize(("size", "looks"), [(32, 1), (64, 2)])
def test_a_canvas_encodes_when_it_is_made(tiny_network, size, looks):
    colorizer = Colorizer(TorchEngine(tiny_network, device="cpu", dtype=torch.float32))
    encoded = []
    colorizer.engine.network.encoder.register_forward_hook(lambda *_: encoded.append(1))
    canvas = colorizer.canvas(scene(40, 60), size)
    canvas.render()
    canvas.render(hints=[Hint(10, 20, RED)], vividness=1)
    canvas.suggest(3, 4)
    canvas.confidence()
    assert len(encoded) == looks


def test_a_hint_changes_colour_most_around_itself(single_look_colorizer):
    canvas = single_look_colorizer.canvas(scene(256, 256), size=256)
    changed = difference(canvas.render([Hint(200, 40, RED, radius=20)]), canvas.render()).sum(2)
    assert changed[20:60, 180:220].mean() > 4 * changed[192:, :64].mean()
    assert changed[20:60, 180:220].mean() > 1


def test_the_last_hint_wins_and_none_leaves_the_picture(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(40, 60))
    red, green = Hint(10, 20, RED), Hint(10, 20, GREEN)
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
    lightness = lightness_of(scene(40, 60)[..., None])[0, int(y), int(x)]
    assert canvas.suggest(x, y) == suggest_colors(here, 10, float(lightness), 5)


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
    unsure = (
        Colorizer(TorchEngine(network, "cpu", torch.float32)).canvas(scene(40, 60)).confidence()
    )
    np.testing.assert_allclose(unsure, np.zeros((40, 60)), atol=1e-5)
    confidence = tiny_colorizer.canvas(scene(40, 60)).confidence()
    assert (confidence.dtype, confidence.shape) == (np.float32, (40, 60))
    assert 0 < confidence.min() < confidence.max() < 1


# --- hints are exact -------------------------------------------------------------------------


@pytest.mark.parametrize("path", PRINTS, ids=lambda path: path.stem)
def test_hints_are_exact_on_the_example_prints(trained_colorizer, path):
    grey = np.asarray(Image.open(path).convert("L"))
    height, width = grey.shape
    rng = np.random.default_rng(1)
    hints = [
        Hint(x * width, y * height, (int(255 * x), int(255 * y), 40), radius)
        for (x, y), radius in zip(rng.random((12, 2)), [None, 0, 3, 25] * 3, strict=True)
    ]
    coloured = np.asarray(trained_colorizer.canvas(grey).render(hints))
    assert off_the_hints(grey, coloured, hints).max() <= 1.5
    assert off_the_hints(grey, coloured, hints).mean() <= 0.5


@pytest.mark.parametrize("vividness", [None, 0, 1])
def test_hints_are_exact_on_noise_larger_than_the_working_size(tiny_colorizer, vividness):
    noise = np.random.default_rng(0).integers(30, 226, (700, 900), np.uint8)
    hints = [Hint(333, 444, RED), Hint(334, 444, GREEN), Hint(10.5, 20.5, BLUE, 40)]
    coloured = tiny_colorizer.canvas(noise).render(hints, vividness)
    assert off_the_hints(noise, coloured, hints).max() <= 1.5


@pytest.mark.parametrize("size", [(2, 1), (1, 2), (31, 1000), (1000, 31), (5, 7), (300, 40)])
def test_hints_on_any_size(tiny_colorizer, size):
    grey = np.full(size, 120, np.uint8)
    corners = [Hint(x, y, RED) for x in (0, size[1] - 0.5) for y in (0, size[0] - 0.5)]
    coloured = tiny_colorizer.canvas(grey).render(corners)
    assert coloured.shape == (*size, 3)
    assert off_the_hints(grey, coloured, corners).max() <= 1.5


def test_ten_thousand_hints(tiny_colorizer):
    grey = scene(256, 256)
    rng = np.random.default_rng(2)
    colours = [RED, GREEN, BLUE]
    hints = [
        Hint(x, y, colours[i % 3], 1.5) for i, (x, y) in enumerate(256 * rng.random((10_000, 2)))
    ]
    assert off_the_hints(grey, tiny_colorizer.canvas(grey).render(hints), hints).max() <= 1.5


def test_a_hint_colours_what_it_lies_on(trained_colorizer):
    """A disc on a plain ground: the whole disc turns red, the ground hardly."""
    y, x = np.mgrid[:256, :256]
    disc = np.hypot(y - 128, x - 100) < 45
    grey = np.where(disc, 90, 190).astype(np.uint8)
    canvas = trained_colorizer.canvas(grey)
    before, after = (
        rgb_to_lab(torch.from_numpy(picture).movedim(-1, 0) / 255)
        for picture in (canvas.render(), canvas.render([Hint(100, 128, RED)]))
    )
    wanted = torch.from_numpy(hint_ab([Hint(0, 0, RED)])[0, :, None])
    inside, outside = torch.from_numpy(disc), torch.from_numpy(~disc)
    left = (after[1:, inside] - wanted).norm(dim=0).mean()
    assert left < 0.4 * (before[1:, inside] - wanted).norm(dim=0).mean()
    means = [lab[:, outside].mean(1)[:, None, None] for lab in (before, after)]
    assert ciede2000(*means) < 3


def test_no_hints_is_what_the_network_predicts(tiny_colorizer):
    grey = scene(64, 96)
    canvas = tiny_colorizer.canvas(grey)
    lightness = lightness_of(grey[..., None])
    ab = tiny_colorizer.predict_ab(canvas.lightness)
    rgb = lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, ab[0])))) * 255
    assert difference(canvas.render(), rgb.round().movedim(0, -1).numpy()).max() <= 1


def test_suggestions_take_hints_into_account(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(40, 60))
    assert canvas.suggest(10, 20, hints=[Hint(10, 20, RED)]) != canvas.suggest(10, 20)


# --- variations and threads ------------------------------------------------------------------


def test_variations_are_numbered_and_varied(trained_colorizer):
    canvas = trained_colorizer.canvas(PRINTS[0])
    takes = canvas.variations(4, seed=8)
    assert all(isinstance(take, Image.Image) and take.size == takes[0].size for take in takes)
    for k, take in enumerate(takes):
        (again,) = canvas.variations(1, seed=8 + k)
        np.testing.assert_array_equal(np.asarray(take), np.asarray(again))
    assert all(
        difference(one, other).mean() > 0.5
        for i, one in enumerate(takes)
        for other in [*takes[:i], canvas.render()]
    )


def test_variations_keep_the_hints(tiny_colorizer):
    grey, hints = scene(200, 300), [Hint(50, 60, RED, 9), Hint(200, 150, GREEN)]
    takes = tiny_colorizer.canvas(grey).variations(3, seed=1, hints=hints, vividness=0.8)
    assert all(off_the_hints(grey, take, hints).max() <= 1.5 for take in takes)
    assert difference(takes[0], takes[2]).any()


@pytest.mark.parametrize("options", [{"n": 0}, {"n": True}, {"n": 2.0}, {"seed": -1}])
def test_variations_need_whole_numbers(tiny_colorizer, options):
    with pytest.raises(ValueError, match="must be a whole number from"):
        tiny_colorizer.canvas(scene(40, 60)).variations(**options)


def test_eight_threads_share_a_canvas(tiny_colorizer):
    canvas = tiny_colorizer.canvas(scene(100, 120))
    rng = np.random.default_rng(4)
    drawn = [[Hint(x, y, RED, 3) for x, y in 100 * rng.random((n, 2))] for n in range(12)]

    def colour(hints):
        return [canvas.render(hints), *canvas.variations(2, seed=len(hints), hints=hints)]

    serial = [colour(hints) for hints in drawn]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(colour, drawn))
    for one, other in zip(serial, parallel, strict=True):
        np.testing.assert_array_equal(np.stack(one), np.stack(other))
