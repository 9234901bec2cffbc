"""Motion between two frames: found where it is, trusted where it holds, refused at a cut."""

import sys

import numpy as np
import pytest
import torch

from colorize_hub.inference.motion import Motion, load_opencv, motions, optical_flow
from tests.inference.moving import lightness, pan, texture

GRID = (24, 32)  # of pictures of 96 x 128


def inner(values):
    return values[..., 3:-3, 3:-3]


def test_flow_of_a_pan_is_found():
    one, following = (lightness(frame) for frame in pan(96, 128, 2, 3))
    for thorough in (False, True):
        flow = optical_flow(following, one, thorough)
        assert flow.shape == (2, 96, 128)
        assert abs(float(flow[0, 12:-12, 12:-12].median()) - 3) < 0.3
        assert flow[1, 12:-12, 12:-12].abs().median() < 0.2


def test_values_are_carried_to_where_their_things_moved():
    one, following = (lightness(frame) for frame in pan(96, 128, 2, 4))  # one cell to the left
    to_next, back = motions(one, following, GRID)
    columns = torch.arange(32.0).expand(1, 24, 32)
    assert (inner(to_next.carry(columns)) - inner(columns) - 1).abs().mean() < 0.1
    assert (inner(back.carry(columns)) - inner(columns) + 1).abs().mean() < 0.1
    assert inner(to_next.trust).mean() > 0.9


def test_what_is_new_is_not_trusted():
    before = texture(96, 128)
    after = before.copy()
    after[32:64, 48:80] = np.where(before[32:64, 48:80] > 128, 20, 240)
    to_next, _ = motions(lightness(before), lightness(after), GRID)
    assert to_next.trust[9:15, 13:19].mean() < 0.1
    assert to_next.trust[:, :8].mean() > 0.9


def test_a_flash_is_no_cut_and_another_scene_is():
    one, brighter = lightness(texture(96, 128)), lightness(texture(96, 128)) + 8
    to_next, _ = motions(one, brighter, GRID)
    assert to_next.trust.mean() > 0.9
    assert motions(one, lightness(texture(96, 128, seed=1)), GRID) is None
    dark, light = torch.full((1, 1, 96, 128), 20.0), torch.full((1, 1, 96, 128), 80.0)
    assert motions(dark, light, GRID) is None


def test_noise_alone_is_trusted():
    noisy = [lightness(texture(96, 128)) + 2 * torch.randn(1, 1, 96, 128) for _ in range(2)]
    assert motions(*noisy, GRID)[0].trust.mean() > 0.85


def test_the_smallest_working_size_has_motion():
    one = lightness(texture(32, 32))
    assert motions(one, one, (8, 8))[0].trust.mean() > 0.9


def test_carrying_again_and_again_amplifies_nothing():
    y, x = torch.meshgrid(torch.arange(16) + 0.5, torch.arange(16) + 0.5, indexing="ij")
    grid = 2 * torch.stack((x + 0.5, y), -1)[None] / 16 - 1  # half a cell: where blur is worst
    motion = Motion(grid, torch.ones(16, 16))
    blurred = sharp = torch.rand(2, 16, 16) - 0.5
    for _ in range(100):
        sharp = motion.carry(sharp, sharp=True)
        blurred = motion.carry(blurred)
    assert sharp.abs().max() < 0.75
    stripes = torch.sin(torch.arange(16.0) * np.pi / 3).expand(1, 16, 16)
    once = [motion.carry(stripes, sharp)[..., 3:-3].square().mean() for sharp in (False, True)]
    assert once[1] > 1.15 * once[0]


@pytest.mark.parametrize("sharp", [False, True])
def test_arrays_are_carried_as_tensors_are(sharp):
    source = torch.rand(1, 16, 20, 2) * 2.4 - 1.2  # also from beyond the border
    values = torch.rand(3, 24, 32)
    expected = Motion(source, torch.ones(16, 20)).carry(values, sharp)
    found = Motion(source.numpy(), np.ones((16, 20), np.float32)).carry(values.numpy(), sharp)
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-5)


def test_motion_of_arrays_is_that_of_tensors():
    one, following = (lightness(frame) for frame in pan(96, 128, 2, 4))
    expected = motions(one, following, GRID)[0]
    found = motions(one.numpy(), following.numpy(), GRID)[0]
    assert isinstance(found.trust, np.ndarray)
    np.testing.assert_allclose(found.source, expected.source.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.trust, expected.trust.numpy(), atol=1e-3)


def test_missing_opencv_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'colorize-hub\[video\]'"):
        load_opencv()
