"""A take moves what is unsure, leaves what is sure, and is the same each time."""

import pytest
import torch

from colorize_hub.colour.palette import decode_bins, palette
from colorize_hub.hints import variation

STEP = 20
CENTRES = torch.from_numpy(palette(STEP))


def bin_at(a, b):
    return int((torch.tensor([a, b], dtype=torch.float32) == CENTRES).all(1).nonzero())


def colour(logits):
    return decode_bins(logits[None], STEP, 0.5)[0]


def scene_of(*bins):
    """Logits of an 8 x 8 grid that is split between bins with equal shares."""
    logits = torch.full((len(CENTRES), 8, 8), -20.0)
    logits[list(bins)] = 0
    return logits


def tilt_logits(logits, take):
    return torch.from_numpy(variation.tilt_logits(logits.numpy(), CENTRES.numpy(), take))


@pytest.mark.parametrize("take", range(8))
def test_what_is_sure_stays(take):
    sky = scene_of(bin_at(0, -40))
    torch.testing.assert_close(colour(tilt_logits(sky, take)), colour(sky), atol=0.1, rtol=0)


def test_what_is_unsure_turns_to_both_sides_within_what_is_expected():
    coat = scene_of(bin_at(60, 40), bin_at(-40, 20), bin_at(20, -60))
    found = torch.stack([colour(tilt_logits(coat, take)) for take in range(4)])
    apart = torch.cdist(found.mean((2, 3)), found.mean((2, 3)))
    assert apart[~torch.eye(4, dtype=torch.bool)].min() > 10
    assert (found.mean(0) - colour(coat)).norm(dim=0).max() < 15
    assert found[:, 0].min() > -41
    assert found[:, 0].max() < 61


def test_directions_are_smooth_in_the_picture():
    coat = scene_of(bin_at(60, 40), bin_at(-40, 20), bin_at(20, -60))
    found = colour(tilt_logits(coat, 5))
    assert found.diff(dim=1).abs().max() < 10
    assert found.diff(dim=2).abs().max() < 10


def test_takes_are_told_apart_by_their_number_only():
    logits = torch.randn(len(CENTRES), 6, 7)
    global_state = torch.get_rng_state()
    first = tilt_logits(logits, 9)
    assert torch.equal(torch.get_rng_state(), global_state)
    assert torch.equal(tilt_logits(logits, 9), first)
    others = [tilt_logits(logits, take) for take in (5, 8, 10, 13)]
    assert all((other - first).abs().max() > 0.1 for other in others)
