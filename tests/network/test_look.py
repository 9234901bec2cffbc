"""A large picture is seen twice: detail from the one, broad colours mostly from the other."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.measure import block_reduce

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.look import Look
from colorize_hub.web.prints import EXAMPLES, example_path
from train.judging.metrics import spread_delta_e


def lightness(*shape):
    return torch.rand(shape) * 100


def with_overview(network, overview):
    other = ColorNet(replace(network.config, overview=overview))
    other.load_state_dict(network.state_dict())
    return other.eval()


def enlarged(plane, side):
    return np.asarray(Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR))


@pytest.mark.parametrize(("overview", "side"), [(0, 96), (64, 64), (96, 64)])
@torch.inference_mode()
def test_small_pictures_are_seen_once(tiny_network, overview, side):
    grey = lightness(2, 1, side, side + 32)
    look = Look(with_overview(tiny_network, overview), grey)
    torch.testing.assert_close(look.plain, tiny_network(grey))


@torch.inference_mode()
def test_the_broad_layout_goes_towards_that_of_the_small_picture(tiny_network):
    grey = lightness(1, 1, 128, 128)
    look = Look(with_overview(tiny_network, 64), grey)
    small = np.asarray(Image.fromarray(grey[0, 0].numpy()).resize((64, 64), Image.BILINEAR))
    once, whole = tiny_network(grey), tiny_network(torch.tensor(small)[None, None])
    apart = 0.7 * (np.stack([enlarged(plane, 32) for plane in whole[0].numpy()]) - once[0].numpy())
    apart = block_reduce(apart, (1, 2, 2), np.mean)
    expected = once[0].numpy() + np.stack([enlarged(plane, 32) for plane in apart])
    np.testing.assert_allclose(look.plain[0].numpy(), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(apart).mean() > 1e-3


@torch.inference_mode()
def test_hints_are_added_to_what_was_seen(tiny_network):
    look = Look(with_overview(tiny_network, 32), lightness(1, 1, 96, 64))
    hint_map = torch.zeros(1, 3, 24, 16)
    torch.testing.assert_close(look.hinted(hint_map), look.plain)
    hint_map[:, :, 12, 8] = torch.tensor([60.0, -20.0, 1.0])
    changed = (look.hinted(hint_map) - look.plain).abs().amax((0, 1))
    assert changed[12, 8] > 4 * changed[0, 0]


def test_colours_depend_less_on_the_working_size(trained_network):
    photo = Image.open(example_path(next(iter(EXAMPLES))))

    def apart(overview):
        colorizer = Colorizer(
            TorchEngine(with_overview(trained_network, overview), "cpu", torch.float32)
        )
        coloured = [colorizer.colorize(photo, size=size) for size in (160, 256, 384)]
        pixels = [np.array(one)[::4, ::4] for one in coloured]
        return spread_delta_e([torch.from_numpy(one).movedim(-1, 0)[None] for one in pixels])

    assert apart(128) < 0.9 * apart(0)
