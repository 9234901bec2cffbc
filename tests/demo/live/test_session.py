"""The live picture without a browser: sessions, hints that follow their objects, pace."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize_hub.demo.arguments import RequestError
from colorize_hub.demo.live.pace import Level, Pace
from colorize_hub.demo.live.session import LiveHint, Session, Wish, read_wish
from colorize_hub.demo.models import ModelShelf
from colorize_hub.inference.tracking import Tracker
from tests.pictures.jpegs import jpeg, pixels
from tests.scenes import scene

BLUE = (30, 40, 220)


def room(left, top=50, height=120, width=160):
    """A grey room with a patterned thing in it, 28 pixels a side."""
    room = scene(height, width, seed=1) // 4 + 96
    rng = np.random.default_rng(2)
    if left is not None:
        thing = np.kron(rng.integers(20, 235, (7, 7)), np.ones((4, 4)))
        room[top : top + 28, left : left + 28] = thing
    return room.astype(np.uint8)


@pytest.fixture
def session(tiny_colorizer):
    return Session(ModelShelf(tiny_colorizer))


def hint(x, y, frame, key="shirt", rgb=BLUE, seen=True):
    return LiveHint(key, x, y, frame, rgb, seen)


# --- a session -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(120, 160), (33, 57), (160, 90)])
def test_frame_comes_back_in_colour_at_its_own_size(session, size):
    grey = scene(*size)
    facts, coloured = session.colour(jpeg(grey), Wish(frame=1))
    made = pixels(coloured)
    assert made.shape == (*size, 3)
    assert np.ptp(made, axis=2).mean() > 5
    assert facts == {"frame": 1, "side": 640, "size": 128, "hints": []}


def test_coloured_camera_gives_what_its_grey_picture_gives(session, tiny_colorizer):
    grey = np.asarray(Image.open(io.BytesIO(jpeg(scene(64, 96)))))
    colour = np.stack([grey] * 3, axis=2)
    one = session.colour(jpeg(colour), Wish(frame=1))[1]
    other = Session(ModelShelf(tiny_colorizer)).colour(jpeg(grey), Wish(frame=1))[1]
    assert abs(pixels(one) - pixels(other)).mean() < 2


def test_profile_that_a_browser_encloses_changes_nothing(session, tiny_colorizer):
    picture, plain, enclosed = Image.fromarray(scene(64, 96)), io.BytesIO(), io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(plain, "JPEG")
    picture.save(enclosed, "JPEG", icc_profile=profile)
    one = session.colour(enclosed.getvalue(), Wish(frame=1))[1]
    other = Session(ModelShelf(tiny_colorizer)).colour(plain.getvalue(), Wish(frame=1))[1]
    assert one == other


def test_hint_colours_its_place_and_follows_it(session):
    wish = Wish(frame=1, hints=(hint(64 / 160, 64 / 120, 1),))
    session.colour(jpeg(room(50)), wish)
    for number in range(2, 8):
        left = 50 + 8 * (number - 1)
        wish = Wish(frame=number, hints=wish.hints)
        facts, coloured = session.colour(jpeg(room(left)), wish)
        (where,) = facts["hints"]
        assert where["seen"]
        assert abs(where["x"] * 160 - (left + 14)) < 2.5
        made = pixels(coloured)[62:67, left + 12 : left + 17].mean((0, 1))
        assert made[2] > made[0] + 20


def test_hint_whose_object_left_is_silent_and_comes_back_with_it(session):
    hints = (hint(64 / 160, 64 / 120, 1),)
    plain = Session(session._models)
    for number, left in enumerate([50, 54, None, None, None, None, None], 1):
        facts, coloured = session.colour(jpeg(room(left)), Wish(number, smoothing=0, hints=hints))
        _, without = plain.colour(jpeg(room(left)), Wish(number, smoothing=0))
    assert not facts["hints"][0]["seen"]
    np.testing.assert_array_equal(pixels(coloured), pixels(without))
    for number in (8, 9):
        facts, _ = session.colour(jpeg(room(100, 20)), Wish(number, smoothing=0, hints=hints))
    assert facts["hints"][0]["seen"]
    assert abs(facts["hints"][0]["x"] * 160 - 114) < 3


def test_steady_colour_does_not_keep_what_left(session):
    hints = (hint(64 / 160, 64 / 120, 1),)
    for number, left in enumerate([50, 54, 58, None, None, None, None], 1):
        facts, coloured = session.colour(jpeg(room(left)), Wish(number, hints=hints))
        if not facts["hints"][0]["seen"]:
            fresh = Session(session._models).colour(jpeg(room(left)), Wish(1))[1]
            np.testing.assert_array_equal(pixels(coloured), pixels(fresh))
            return
    pytest.fail("The hint is still seen.")


def test_click_on_a_frame_of_a_moment_ago_means_what_was_there(session):
    for number in range(1, 6):
        session.colour(jpeg(room(40 + 8 * number)), Wish(frame=number))
    late = hint((48 + 14) / 160, 64 / 120, frame=1)
    facts, _ = session.colour(jpeg(room(88)), Wish(frame=6, hints=(late,)))
    assert abs(facts["hints"][0]["x"] * 160 - (88 + 14)) < 2.5


def test_hint_that_the_page_lost_sight_of_is_not_begun_anew(session):
    gone = hint(0.4, 0.5, 1, seen=False)
    facts, _ = session.colour(jpeg(room(50)), Wish(frame=1, hints=(gone,)))
    assert facts["hints"] == [{"key": "shirt", "seen": False}]


def test_hint_without_a_colour_is_followed_and_gets_suggestions(session):
    wish = Wish(frame=1, hints=(hint(0.4, 0.5, 1, rgb=None),), suggest="shirt", smoothing=0)
    facts, coloured = session.colour(jpeg(room(50)), wish)
    assert facts["hints"][0]["seen"]
    assert facts["likely"]["key"] == "shirt"
    assert len(facts["likely"]["colours"]) == 5
    plain = Session(session._models).colour(jpeg(room(50)), Wish(frame=1, smoothing=0))[1]
    np.testing.assert_array_equal(pixels(coloured), pixels(plain))


def test_steadiness_can_be_changed_and_the_camera_turned(session):
    for number, (smoothing, grey) in enumerate(
        [(0.8, room(50)), (0, room(50)), (0.5, room(50)), (0.5, room(50).T.copy())], 1
    ):
        _, coloured = session.colour(jpeg(grey), Wish(number, smoothing=smoothing))
        assert pixels(coloured).shape[:2] == grey.shape


@pytest.mark.parametrize("picture", [b"", b"no picture", jpeg(scene(64, 64))[:60]])
def test_what_is_no_picture_is_refused_and_the_next_frame_is_coloured(session, picture):
    with pytest.raises(RequestError, match="not a JPEG"):
        session.colour(picture, Wish(frame=1))
    assert session.colour(jpeg(scene(64, 64)), Wish(frame=2))[0]["frame"] == 2


def test_picture_of_senseless_size_is_refused(session):
    with pytest.raises(RequestError, match="16 pixels a side"):
        session.colour(jpeg(np.zeros((4, 300), np.uint8)), Wish(frame=1))
    with pytest.raises(RequestError, match="megapixels"):
        session.colour(jpeg(np.zeros((3000, 2000), np.uint8)), Wish(frame=1))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "must be an object"),
        ({}, "frame must be a whole number"),
        ({"frame": 1, "vividness": 2}, "vividness must be a number 0..1"),
        ({"frame": 1, "smoothing": "much"}, "smoothing must be"),
        ({"frame": 1, "hints": [{}] * 25}, "at most 24"),
        ({"frame": 1, "hints": [{"x": 0}]}, "an object with a key"),
        ({"frame": 1, "hints": [{"key": "a", "x": 2, "y": 0, "frame": 1}]}, "x must be"),
        ({"frame": 1, "hints": [{"key": "a", "rgb": [1]}]}, "three numbers"),
    ],
)
def test_wish_that_makes_no_sense_is_refused(value, message):
    with pytest.raises(RequestError, match=message):
        read_wish(value)


def test_place_without_texture_stays_while_its_brightness_does():
    wall = np.full((144, 192), 120, np.uint8)
    tracker = Tracker(wall, 0.5, 0.5)
    tracker.follow(wall + 4)
    assert tracker.seen
    in_front = wall.copy()
    in_front[40:110, 60:130] = 30
    tracker.follow(in_front)
    assert not tracker.seen
    assert tracker.place == pytest.approx((0.5, 0.5), abs=0.01)


# --- pace ----------------------------------------------------------------------------------------


def settled(pace, seconds, frames=400):
    """Levels that were used at the end, if a frame costs so long at (side, size)."""
    levels = []
    for _ in range(frames):
        pace.add(seconds(pace.level))
        levels.append(pace.level)
    return set(levels[-60:])


def test_pace_is_small_on_a_slow_machine_and_large_on_a_fast_one():
    assert settled(Pace(), lambda level: 0.2) == {Level(320, 96)}
    assert settled(Pace(), lambda level: 0.005) == {Level(640, 256)}


@pytest.mark.parametrize(
    ("cheapest", "level"),
    [
        (0.06, Level(320, 96)),
        (0.045, Level(400, 96)),
        (0.03, Level(640, 128)),
        (0.01, Level(640, 256)),
    ],
)
def test_pace_takes_the_largest_level_at_which_a_frame_is_in_time(cheapest, level):
    costs = {(320, 96): 1, (400, 96): 1.1, (480, 128): 1.5, (640, 128): 1.8, (640, 160): 2}
    assert settled(Pace(), lambda one: cheapest * costs.get((one.side, one.size), 3)) == {level}


def test_pace_goes_down_within_seconds():
    pace, seconds = Pace(), 0.0
    while pace.level != Level(320, 96):
        pace.add(0.12)
        seconds += 0.12
    assert seconds < 4


def test_pace_stays_where_the_next_level_is_too_much():
    levels = settled(Pace(), lambda level: 0.03 if level.size <= 160 else 0.09, frames=3000)
    assert max(level.size for level in levels) <= 192
    used = [level for level in levels if level.size == 160]
    assert used
