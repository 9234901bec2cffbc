"""Hints carried through a shot: they stay on their thing, and are silent where it is not seen."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from colorize_hub import Hint
from colorize_hub.inference.tracking import small_grey
from colorize_hub.video import FilmHint, FilmHints, FilmMoment, VideoError
from colorize_hub.video.cuts import FilmIndex, find_shots
from colorize_hub.video.reader import probe
from colorize_hub.video.tracking import (
    TrackedHint,
    TrackedHints,
    frame_number,
    track_film,
    track_hints,
)
from tests.inference.moving import texture
from tests.video.clips import write_clip

RED = (200, 30, 40)
SIZE = (192, 128)


def windows(corners, seed=0):
    """A window over a texture, at the given rows and columns."""
    wide = texture(400, 600, seed)
    return [wide[y : y + SIZE[1], x : x + SIZE[0]].copy() for y, x in corners]


def thing_over_ground(places, cover=(), seed=0, side=56):
    """A textured square at each (x, y) over another texture; from some frames it is hidden."""
    ground, thing = texture(SIZE[1], SIZE[0], seed + 1), texture(side, side, seed + 2)
    frames = []
    for number, (x, y) in enumerate(places):
        frame = ground.copy()
        if number not in cover:
            frame[y : y + side, x : x + side] = thing
        frames.append(frame)
    return frames


def test_marks_follow_a_pan_both_ways_from_their_frame():
    frames = windows([(2 * t, 4 * t) for t in range(60)])
    (mark,) = track_hints(frames, [(20, Hint(100, 60, RED, 4.0))], SIZE)
    true = np.array([(100 + 4 * (20 - t), 60 + 2 * (20 - t)) for t in range(60)])
    inside = ((true > 8) & (true < np.array(SIZE) - 8)).all(1)
    assert inside.sum() > 20
    assert mark.seen[inside].all()
    assert np.abs(mark.places - true)[inside].max() < 1.5
    outside = ((true < -2) | (true > np.array(SIZE) + 2)).any(1)
    assert outside.any()
    assert not mark.seen[outside].any()
    assert mark.at(20) == Hint(100, 60, RED, 4.0)
    assert mark.at(60) is None


def test_a_mark_on_a_thing_moves_with_it_and_one_on_the_ground_stays():
    places = [(10 + 2 * t, 40) for t in range(40)]
    frames = thing_over_ground(places)
    marks = [(20, Hint(50 + 28, 40 + 28, RED)), (20, Hint(150, 20, RED))]
    thing, ground = track_hints(frames, marks, SIZE)
    assert thing.seen.all()
    assert np.abs(thing.places - [(38 + 2 * t, 68) for t in range(40)]).max() < 2
    assert np.abs(ground.places[ground.seen] - (150, 20)).max() < 1


def test_a_mark_is_silent_while_its_thing_is_covered_and_speaks_again_after():
    places = [(40 + t, 40) for t in range(30)]
    frames = thing_over_ground(places, cover=range(12, 18))
    (mark,) = track_hints(frames, [(5, Hint(73, 68, RED))], SIZE)
    assert mark.lives == [(0, 11), (18, 29)]
    assert np.abs(mark.places - [(68 + t, 68) for t in range(30)])[18:].max() < 2


def test_a_zoom_is_followed():
    import cv2

    still = texture(300, 450)
    frames, scales = [], np.linspace(1, 1.6, 40)
    for scale in scales:
        turn = np.array([[scale, 0, 96 - 225 * scale], [0, scale, 64 - 150 * scale]])
        frames.append(cv2.warpAffine(still, turn, SIZE))
    (mark,) = track_hints(frames, [(0, Hint(110, 80, RED))], SIZE)
    true = np.array([(96 + 14 * scale, 64 + 16 * scale) for scale in scales])
    assert mark.seen.all()
    assert np.abs(mark.places - true).max() < 2


def test_places_count_pixels_of_the_film_whatever_the_size_that_is_searched():
    frames = [
        np.kron(frame, np.ones((4, 4), np.uint8))
        for frame in windows([(0, 2 * t) for t in range(9)])
    ]
    small = [small_grey(Image.fromarray(frame)) for frame in frames]
    assert small[0].shape == (128, 192)
    (mark,) = track_hints(small, [(0, Hint(402, 242, RED))], (768, 512))
    assert np.abs(mark.places - [(402 - 8 * t, 242) for t in range(9)]).max() < 4


@pytest.fixture
def two_shots(tmp_path):
    """Twelve frames of a pan, then twelve of another scene, at a variable rate."""
    frames = windows([(0, 2 * t) for t in range(12)]) + windows([(9, 2 * t) for t in range(12)], 7)
    times = [round(t * 1001 / 24) + (t > 5) * 333 for t in range(24)]
    path = write_clip(
        tmp_path / "film.mkv",
        frames,
        codec="ffv1",
        pix_fmt="gray",
        times=times,
        time_base=Fraction(1, 1000),
    )
    return find_shots(probe(path))


def film_hints(*moments):
    return FilmHints(tuple(FilmHint(moment, Hint(90, 60, RED)) for moment in moments))


def carried(index, *moments):
    return TrackedHints(index, track_film(index, film_hints(*moments)))


def test_marks_do_not_cross_a_cut(two_shots):
    assert list(two_shots.cuts) == [12]
    tracked = carried(two_shots, FilmMoment(frame=4))
    assert [len(tracked.on(number)) for number in range(24)] == [1] * 12 + [0] * 12
    assert tracked.on(4) == [Hint(90, 60, RED)]
    assert abs(tracked.on(0)[0].x - 98) < 1
    assert tracked.at(two_shots.times[4]) == tracked.on(4)
    both = carried(two_shots, FilmMoment(frame=12), FilmMoment(frame=11))
    assert both.on(12) == both.on(11) == [Hint(90, 60, RED)]


@pytest.mark.parametrize("number", [0, 5, 6, 7, 23])
def test_a_time_code_means_the_frame_that_is_shown_then(two_shots, number):
    seconds = two_shots.seconds(number)
    last = two_shots.seconds(number + 1) - Fraction(1, 1000)
    for time in (seconds, last):
        code = f"00:00:{float(time):06.3f}"
        assert frame_number(two_shots, FilmMoment(time=code)) == number


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (FilmMoment(frame=24), "no frame 24 in film.mkv, which has 24 frames"),
        (FilmMoment(time="00:00:09.000"), "nothing at time 00:00:09.000 in film.mkv, which ends"),
    ],
)
def test_a_moment_past_the_end_is_refused(two_shots, moment, said):
    with pytest.raises(VideoError, match=said):
        track_film(two_shots, film_hints(moment))


def test_a_film_without_a_cut_is_one_shot(tmp_path):
    frames = windows([(0, t) for t in range(10)])
    index = find_shots(
        probe(write_clip(tmp_path / "film.mkv", frames, codec="ffv1", pix_fmt="gray"))
    )
    tracked = carried(index, FilmMoment(frame=5))
    assert all(tracked.on(number) for number in range(10))
    assert carried(index).on(3) == []


def test_a_film_of_a_hundred_thousand_cuts_is_looked_up(two_shots):
    cuts = range(6, 600_001, 6)
    index = FilmIndex(two_shots.clip, range(600_006), 600_006, cuts)
    assert len(index.shots) == 100_001
    places = np.array([(20 + t, 30) for t in range(6)], np.float32)
    seen = np.ones(6, bool)
    hint = TrackedHint(Hint(22, 30, RED), 300_002, 300_000, places, seen)
    tracked = TrackedHints(index, [hint])
    assert tracked.on(300_005) == [Hint(25, 30, RED)]
    assert tracked.on(299_999) == tracked.on(300_006) == tracked.on(600_005) == []
    assert tracked.marked == [300_002]
