"""How strong colours may be: one formula for every kind of array, near 0 where nothing is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.strength import log_spread, strength
from tests.golden.pins import FOLDER
from train.data.flat_scenes import flat_scenes
from train.judging.pictures import to_batch

COEFFICIENTS = (0.5, -1.0, 2.0, 0.25)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_it_is_the_logistic_function_of_the_spread(kind):
    maps = np.random.default_rng(0).normal(size=(2, 3, 5, 7)).astype(np.float32)
    logit = np.log(maps.std((2, 3)) + 0.02) @ np.array(COEFFICIENTS[:3]) + COEFFICIENTS[3]
    found = strength(kind(maps), COEFFICIENTS)
    assert type(found) is type(kind(maps))
    assert found.shape == (2, 1, 1, 1)
    assert np.asarray(found)[:, 0, 0, 0] == pytest.approx(expit(logit), abs=1e-6)


def test_without_coefficients_all_colours_are_as_decoded():
    assert torch.equal(strength(torch.randn(2, 3, 4, 4), ()), torch.ones(2, 1, 1, 1))


def test_a_map_that_is_the_same_everywhere_gives_a_number_above_0():
    flat = torch.ones(1, 3, 1, 1)
    assert log_spread(flat) == pytest.approx(np.log(0.02))
    assert 0 < float(strength(flat, (500.0, 500.0, 500.0, -1000.0))) < 1e-6


def with_strength(network, coefficients):
    changed = ColorNet(replace(network.config, strength=coefficients))
    changed.load_state_dict(network.state_dict())
    return Colorizer(TorchEngine(changed.eval(), "cpu", torch.float32))


def test_it_scales_the_colours_of_the_network_and_no_hint(tiny_network):
    picture = np.random.default_rng(0).integers(0, 256, (64, 96), np.uint8)
    plain = with_strength(tiny_network, ()).canvas(picture)
    width = tiny_network.config.decoder_channels[-1]
    half = with_strength(tiny_network, (*(0.0,) * width, 0.0)).canvas(picture)
    assert half.strength.item() == 0.5
    torch.testing.assert_close(half.predict(), plain.predict() / 2)
    torch.testing.assert_close(half.predict(strength=half.strength * 2), plain.predict())
    hints = [Hint(48, 32, (200, 40, 40), radius=8)]
    ours, theirs = half.predict(hints), plain.predict(hints)
    assert torch.equal(ours[:, 8, 12], theirs[:, 8, 12])
    assert not torch.allclose(ours, theirs)
    take, other = (np.asarray(one.variations(1, 2)[0], int) for one in (half, plain))
    apart = [np.ptp(one, axis=2).mean() for one in (take, other)]
    assert apart[0] < 0.8 * apart[1]


def test_scenes_of_nothing_stay_grey_and_photographs_do_not(trained_network):
    if not trained_network.config.strength:
        pytest.skip("only the bundled network has learned it")
    colorizer = Colorizer(TorchEngine(trained_network, "cpu", torch.float32))
    nothing = [scene[:, :, 0] for scene in flat_scenes(10, seed=7)]
    colours = to_batch(map(np.asarray, colorizer.colorize(nothing))).float()
    assert (colours.amax(1) - colours.amin(1)).mean() < 8
    for photograph in sorted(FOLDER.glob("*.grey.png")):
        assert colorizer.canvas(photograph).strength.item() > 0.8
