"""Steady colour on tensors: quiet where nothing changes, fresh where something does."""

import pytest
import torch

from colorize_hub.inference.motion import Motion
from colorize_hub.inference.steady import State, TemporalSmoother, look_back, memory
from tests.inference.moving import lightness, pan, texture

GRID = (24, 32)  # of pictures of 96 x 128
STILL = lightness(texture(96, 128))


def flickering(frames, spread=8.0):
    """A constant colour and noise."""
    colour = torch.tensor([20.0, -10.0])[:, None, None]
    return [colour + spread * torch.randn(2, *GRID) for _ in range(frames)]


def unmoved():
    y, x = torch.meshgrid(torch.arange(24) + 0.5, torch.arange(32) + 0.5, indexing="ij")
    grid = 2 * torch.stack((x / 32, y / 24), -1)[None] - 1
    return Motion(grid, torch.ones(GRID))


def test_memory_reaches_from_nothing_to_a_hundred_frames():
    assert memory(0) == 0
    assert memory(0.8) == pytest.approx(0.96)
    assert memory(1) == pytest.approx(0.99)
    for wrong in (-0.1, 1.1, float("nan"), True):
        with pytest.raises(ValueError, match="smoothing must be 0"):
            TemporalSmoother(wrong)


def test_flicker_of_a_still_scene_is_averaged_away():
    raw = flickering(20)
    sizes = []
    for smoothing in (0.0, 0.5, 1.0):
        smoother = TemporalSmoother(smoothing)
        last = [smoother.smooth(STILL, ab) for ab in raw][-1].colour[:2]
        sizes.append(float((last - last.mean((1, 2), keepdim=True)).std()))
    assert sizes[0] == pytest.approx(8, rel=0.1)
    assert sizes[1] < 0.55 * sizes[0]
    assert sizes[2] < 0.3 * sizes[0]


def test_the_first_frame_and_the_first_after_a_cut_are_fresh():
    smoother, raw = TemporalSmoother(1.0), flickering(4)
    assert torch.equal(smoother.smooth(STILL, raw[0]).ab, raw[0])
    assert not torch.equal(smoother.smooth(STILL, raw[1]).ab, raw[1])
    assert smoother.to_previous is not None
    other = lightness(texture(96, 128, seed=1))
    assert torch.equal(smoother.smooth(other, raw[2]).ab, raw[2])
    assert smoother.to_previous is None


def test_colours_follow_what_moves_and_leave_no_trail():
    """A bright disc crosses the picture; frame 0 alone knows its colour, ground is bluish."""
    y, x = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    ground, smoother = lightness(texture(96, 128)) * 0.5, TemporalSmoother(0.9)
    for t in range(12):
        disc = (x - 24 - 6 * t) ** 2 + (y - 48) ** 2 < 18**2
        picture = torch.where(
            disc, lightness(texture(96, 128, 1)).roll(6 * t, 3) * 0.4 + 55, ground
        )
        small = disc.float()[None, None]
        on = torch.nn.functional.interpolate(small, GRID, mode="area")[0]
        red, blue = torch.tensor([60.0, 40.0]), torch.tensor([-5.0, -30.0])
        ab = on * red[:, None, None] + (1 - on) * blue[:, None, None]
        smoothed = smoother.smooth(picture, ab + 4 * torch.randn(2, *GRID)).ab
    off = (smoothed - ab).square().sum(0).sqrt()
    assert off[9:15, 20:25].mean() < 6  # on the disc
    assert off[9:15, 2:14].mean() < 6  # where it has been
    assert off[:6].mean() < 4


def test_a_pan_carries_the_average_along():
    frames, smoother = pan(96, 128, 12, 4), TemporalSmoother(0.9)
    pattern = 30 * torch.sin(torch.arange(64.0) / 2).expand(2, 24, 64)
    for t, frame in enumerate(frames):
        truth = pattern[..., t : t + 32]
        smoothed = smoother.smooth(lightness(frame), truth + 8 * torch.randn(2, *GRID)).ab
    error = (smoothed - truth)[:, 3:-3, 3:20]
    assert error.square().mean().sqrt() < 5  # 8 without smoothing


def test_the_mean_of_colours_that_disagree_is_not_dull():
    smoother = TemporalSmoother(1.0)
    for t in range(10):
        ab = torch.tensor([30.0, 25.0 * (-1) ** t])[:, None, None].expand(2, *GRID)
        smoothed = smoother.smooth(STILL, ab)
    assert smoothed.colour[:2].square().sum(0).sqrt().mean() < 31
    assert smoothed.ab.square().sum(0).sqrt().mean() == pytest.approx(39, abs=0.5)


def test_what_is_new_loses_the_flicker_of_what_it_looks_like():
    mean, flicker = torch.full((2, *GRID), 20.0), 6.0
    frames = torch.full(GRID, 24.0)
    frames[8:16, 10:18] = 0  # just uncovered
    before = State(State.fresh(mean).colour, frames)
    alike = State.fresh(mean + flicker)
    calmed = alike.calmed(before).colour[:2]
    assert (calmed - mean)[:, 10:14, 12:16].abs().max() < 0.3 * flicker
    assert (calmed - mean)[:, :2].mean() > 0.7 * flicker  # what has a past uses its own
    other = alike.colour.clone()
    other[:2, 8:16, 10:18] = torch.tensor([-40.0, 0.0])[:, None, None]
    kept = State(other, alike.frames).calmed(before).colour
    torch.testing.assert_close(kept[:2, 8:16, 10:18], other[:2, 8:16, 10:18], atol=0.5, rtol=0)


def test_what_a_person_changes_shows_at_once():
    smoother, shift = TemporalSmoother(1.0), torch.zeros(2, *GRID)
    shift[0, 10:14, 10:14] = 50
    raw = flickering(9)
    before = [smoother.smooth(STILL, ab) for ab in raw[:8]][-1].ab
    after = smoother.smooth(STILL, raw[8] + shift, shift).ab
    assert (after - before)[0, 10:14, 10:14].mean() == pytest.approx(50, abs=2)
    assert (after - before)[:, :8].abs().mean() < 2


def test_a_change_of_working_size_keeps_what_was_averaged():
    smoother = TemporalSmoother(1.0)
    for ab in flickering(10):
        smoother.smooth(STILL, ab)
    larger = torch.nn.functional.interpolate(STILL, (128, 160), mode="bilinear")
    state = smoother.smooth(larger, torch.zeros(2, 32, 40))
    assert state.frames.mean() > 6
    assert state.colour[0].mean() == pytest.approx(20 * 10 / 11, abs=1.5)


def test_looking_back_is_the_mean_of_what_comes():
    assert look_back([], 0.8) is None
    states = [State.fresh(torch.full((2, *GRID), value)) for value in (10.0, 40.0)]
    found = look_back([(state, unmoved()) for state in states], 1.0)
    assert found is not None
    keep = memory(1.0)
    torch.testing.assert_close(found.frames, torch.full(GRID, keep * (1 + keep)))
    expected = (10 + 40 * keep) / (1 + keep)
    torch.testing.assert_close(found.colour[0], torch.full(GRID, expected))


def test_the_strength_of_a_scene_is_the_mean_of_its_frames():
    smoother, other = TemporalSmoother(0.8), lightness(texture(96, 128, seed=1))
    found = []
    for picture, own in ((STILL, 0.2), (STILL, 1.0), (STILL, 0.6), (other, 0.5), (other, 0.9)):
        ab = torch.zeros(2, *GRID)
        smoother.move(picture, ab)
        found.append(float(smoother.strength(torch.tensor(own))))
        smoother.add(ab)
    assert found == pytest.approx([0.2, 0.6, 0.6, 0.5, 0.7])
