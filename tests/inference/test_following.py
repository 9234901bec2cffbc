"""Marks that are followed: past what covers them slowly, through wear, and back from a turn."""

import cv2
import numpy as np
import pytest

from colorize_hub.inference.following import FlowFollower, Follower
from tests.inference.moving import pan, texture

SIZE = (192, 128)


def followed(frames, *places, kind=Follower):
    """(T, N, 2) places and (T, N) seen."""
    follower = kind(frames[0], np.array(places, np.float32))
    found = [(follower.places.copy(), follower.seen.copy())]
    for frame in frames[1:]:
        follower.follow(frame)
        found.append((follower.places.copy(), follower.seen.copy()))
    return tuple(map(np.stack, zip(*found, strict=True)))


def worn(frames, grain=6.0, flicker=0.05):
    random = np.random.default_rng(0)
    for frame in frames:
        light = 1 + random.uniform(-flicker, flicker)
        yield (frame * light + random.normal(0, grain, frame.shape)).clip(0, 255).astype(np.uint8)


def passing(count, side=40):
    """A textured square goes right over a ground that stands, two pixels a frame."""
    ground, thing = texture(SIZE[1], SIZE[0], 1), texture(side, side, 2)
    for number in range(count):
        frame = ground.copy()
        frame[40 : 40 + side, 2 * number : 2 * number + side] = thing
        yield frame


@pytest.mark.parametrize("wear", [list, lambda frames: list(worn(frames))])
def test_what_slowly_passes_over_a_mark_neither_takes_it_along_nor_its_colour(wear):
    places, seen = followed(wear(passing(72)), (100, 60), (20, 60))
    covered = [2 * t < 100 < 2 * t + 40 for t in range(72)]
    first, last = covered.index(True), 71 - covered[::-1].index(True)
    assert seen[: first - 2, 0].all()
    assert not seen[first + 4 : last - 4, 0].any()
    assert seen[last + 8 :, 0].all()
    apart = np.hypot(*(places[:, 0] - (100, 60)).T)
    assert max(apart[: first - 2].max(), apart[last + 8 :].max()) < 1.5
    assert apart[seen[:, 0]].max() < 8
    assert seen[:, 1].all()
    assert np.abs(places[:, 1] - [(20 + 2 * t, 60) for t in range(72)]).max() < 1.5


def test_grain_and_flicker_do_not_shake_a_mark_off():
    places, seen = followed(list(worn(pan(SIZE[1], SIZE[0], 40, 2))), (150, 60))
    assert seen.all()
    assert np.abs(places[:, 0] - [(150 - 2 * t, 60) for t in range(40)]).max() < 1.5


def test_a_quarter_turn_is_followed():
    still, middle = texture(300, 300), np.array([96.0, 64.0])
    frames, true = [], []
    for degrees in np.linspace(0, 90, 46):
        turn = cv2.getRotationMatrix2D((150, 150), degrees, 1.0)
        turn[:, 2] += middle - 150
        frames.append(cv2.warpAffine(still, turn, SIZE))
        true.append(turn @ (170, 150, 1))
    places, seen = followed(frames, (116, 64))
    assert seen.all()
    assert np.abs(places[:, 0] - true).max() < 1.5


def test_a_mark_that_leaves_the_picture_is_silent_and_comes_back_with_it():
    there = pan(SIZE[1], SIZE[0], 30, 3)
    places, seen = followed([*there, *there[::-1]], (40, 60))
    inside = np.array([40 - 3 * t for t in (*range(30), *range(29, -1, -1))])
    whole = (inside > 18) | ((inside > 4) & (np.arange(60) < 30))  # it is found again by its look
    assert seen[whole, 0].all()
    assert not seen[inside < -2, 0].any()
    assert np.abs(places[whole, 0, 0] - inside[whole]).max() < 1.5


def test_on_an_even_surface_a_mark_stays_while_it_is_as_light():
    even = np.full((SIZE[1], SIZE[0]), 90, np.uint8)
    places, seen = followed([even, even, even + 60, even], (100, 60))
    assert seen[[0, 1, 3], 0].all()
    assert np.abs(places - (100, 60)).max() < 1


def test_many_places_are_followed_by_the_flow_alone():
    grid = [(x, y) for x in range(60, 180, 20) for y in range(20, 110, 20)]
    places, seen = followed(pan(SIZE[1], SIZE[0], 20, 2), *grid, kind=FlowFollower)
    assert seen.mean() > 0.9
    wanted = np.array(grid) - np.stack([(2 * t, 0) for t in range(20)])[:, None]
    assert np.abs(places - wanted)[seen].max() < 2
    _, gone = followed(pan(SIZE[1], SIZE[0], 20, 4), (30, 60), kind=FlowFollower)
    assert not gone[10:].any()
