"""A device of its own: everything happens there, and pictures cross once each way."""

import numpy as np
import pytest
import torch

from colorize_hub import Frame, Hint
from colorize_hub.engines import torch_engine
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from tests.engines import faraway
from tests.inference.moving import pan
from tests.scenes import difference, scene

HINTS = [Hint(40, 30, (200, 40, 40), radius=6), Hint(100, 60, (40, 80, 200))]


@pytest.fixture(scope="module")
def near(tiny_network):
    return Colorizer(TorchEngine(tiny_network, "cpu", torch.float32))


@pytest.fixture(scope="module")
def far(tiny_network):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_engine, "find_device", lambda name: faraway.device())
        return Colorizer(TorchEngine(tiny_network, faraway.NAME, torch.float32))


def alike(one, other):
    assert (one.shape, one.dtype) == (other.shape, other.dtype)
    assert difference(one, other).max() <= (257 if one.dtype == np.uint16 else 1)


def test_the_network_is_there(far):
    assert {one.device.type for one in far.engine.network.parameters()} == {faraway.NAME}


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_crosses_once_each_way(far, near, kind, channels):
    picture = scene(70, 90, channels, kind)
    far.colorize(picture)  # tables that do not change are there from now on
    with faraway.traffic() as seen:
        ours = far.colorize(picture)
    alike(ours, near.colorize(picture))
    assert seen.pictures() == [picture.size, 3 * 70 * 90]


def test_a_list_crosses_once_each_way_in_batches(far, near):
    pictures = [scene(70, 90, seed=i) for i in range(5)]
    pictures += [scene(64, 96, 3, np.uint16), scene(90, 70)]
    far.colorize(pictures)
    with faraway.traffic() as seen:
        ours = far.colorize(pictures)
    for one, other in zip(ours, near.colorize(pictures), strict=True):
        alike(one, other)
    assert seen.pictures() == [
        sum(one.size for one in pictures),
        sum(3 * one.shape[0] * one.shape[1] for one in pictures),
    ]


def test_hints_and_variations(far, near):
    picture = scene(120, 160)
    ours, theirs = (one.canvas(picture) for one in (far, near))
    with faraway.traffic() as seen:
        alike(ours.render(HINTS), theirs.render(HINTS))
    assert seen.pictures(picture.size)[0] == picture.size  # which pixel belongs to which hint
    for one, other in zip(
        ours.variations(2, hints=HINTS), theirs.variations(2, hints=HINTS), strict=True
    ):
        alike(one, other)
    (rgb, share), (wanted, expected) = ours.suggest(50, 60)[0], theirs.suggest(50, 60)[0]
    assert difference(rgb, wanted).max() <= 1
    assert share == pytest.approx(expected, abs=2e-3)
    np.testing.assert_allclose(ours.confidence(), theirs.confidence(), atol=2e-3)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("smoothing", [0, 0.8])
def test_frames_cross_once_each_way(far, near, smoothing, workers):
    frames = [*pan(60, 80, 5, 3), *pan(70, 80, 2, 3, seed=5)]
    frames = [*frames[:3], *(Frame(one, HINTS[:1]) for one in frames[3:5]), *frames[5:]]
    pixels = 5 * 60 * 80 + 2 * 70 * 80
    list(far.colorize_frames(iter(frames), smoothing, 1, workers))
    with faraway.traffic() as seen:
        ours = list(far.colorize_frames(iter(frames), smoothing, 1, workers))
    theirs = list(near.colorize_frames(iter(frames), smoothing, 1))
    assert len(ours) == len(theirs) == len(frames)
    for one, other in zip(ours, theirs, strict=True):
        alike(one, other)
    up, down = seen.pictures(60 * 80)
    assert down == 3 * pixels
    assert pixels < up <= pixels + 2 * 60 * 80  # and where the hints are, once in a batch
