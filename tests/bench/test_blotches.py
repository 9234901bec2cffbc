"""bench.blotches: what counts as plain, and what as a blotch."""

import numpy as np
import pytest
import torch

from bench.blotches import blotches, plain_areas, stray
from colorize_hub.colour.lab import lab_to_rgb


@pytest.fixture
def scene():
    """A plain blue half, and a half of strong colours in bands."""
    lab = torch.zeros(3, 64, 64)
    lab[0] = 60
    lab[2, :, :32] = -30
    lab[1, ::8, 32:], lab[1, 4::8, 32:] = 45, -45
    rgb = (lab_to_rgb(lab[None])[0].clamp(0, 1) * 255).byte().movedim(0, 2).numpy()
    return rgb, lab[1:]


def test_only_even_areas_are_plain(scene):
    rgb, ab = scene
    areas = plain_areas(rgb, ab)
    assert areas
    for area in areas:
        assert area.sum() >= 0.02 * 64 * 64
        assert stray(ab[:, area]) < 4
    covered = torch.stack(areas).any(0)
    assert covered[:, :28].all()


def test_a_patch_is_uneven_and_another_colour_is_wrong(scene):
    _, truth = scene
    left = torch.zeros(64, 64, dtype=torch.bool)
    left[:, :32] = True
    right = blotches(truth, truth, [left])
    assert (right.share, right.uneven, right.uneven_truth, right.wrong) == (0.5, 0, 0, 0)

    shifted = truth + torch.tensor([3.0, 4.0])[:, None, None]
    even = blotches(shifted, truth, [left])
    assert even.uneven == pytest.approx(0, abs=1e-4)
    assert even.wrong == pytest.approx(5)

    patched = truth.clone()
    patched[0, 16:48, :32] += 20  # half of the area: 10 from the mean everywhere
    spotted = blotches(patched, truth, [left])
    assert spotted.uneven == pytest.approx(10)
    assert spotted.wrong == pytest.approx(10)


def test_larger_areas_count_more():
    truth, ours = torch.zeros(2, 10, 10), torch.zeros(2, 10, 10)
    large, small = (torch.zeros(10, 10, dtype=torch.bool) for _ in range(2))
    large[:9], small[9:] = True, True
    ours[0, :9] = 10
    assert blotches(ours, truth, [large, small]).wrong == pytest.approx(9)


def test_noise_has_no_plain_areas():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    colours = torch.from_numpy(np.random.default_rng(1).normal(0, 30, (2, 64, 64)))
    assert plain_areas(noise, colours) == []
