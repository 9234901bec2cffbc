"""Any frame, sought: pixel for pixel what reading from the beginning gives, at any rate."""

from fractions import Fraction

import numpy as np
import pytest

from colorize_hub.video import seeking
from colorize_hub.video.cuts import find_shots
from colorize_hub.video.reader import probe, read_frames
from colorize_hub.video.seeking import read_frame, read_from
from tests.video.clips import moving_frames, write_clip

VARIABLE = np.cumsum([700, *[20, 33, 61] * 30])[:90].tolist()
CASES = {
    "h264 with B-frames": {"options": {"bf": "3", "g": "12"}},
    "variable rate": {"times": VARIABLE, "time_base": Fraction(1, 1000), "options": {"g": "9"}},
    "one keyframe": {"options": {"g": "900"}},
    "turned": {"rotation": 90},
}


def made(tmp_path, name, count=90, **options):
    path = tmp_path / ("film.mp4" if "turned" in name else "film.mkv")
    return find_shots(probe(write_clip(path, moving_frames(count, step=1), **options)))


@pytest.mark.parametrize("case", CASES)
def test_a_frame_that_is_sought_is_the_frame(tmp_path, case):
    index = made(tmp_path, case, **CASES[case])
    frames = list(read_frames(index.clip))
    for number in (0, 1, 8, 9, 44, 88, 89):
        found = read_frame(index, number)
        assert (found.time, found.duration) == (frames[number].time, frames[number].duration)
        assert np.array_equal(found.pixels, frames[number].pixels)


@pytest.mark.parametrize("case", CASES)
def test_what_follows_is_the_rest_of_the_film(tmp_path, case):
    index = made(tmp_path, case, **CASES[case])
    frames = list(read_frames(index.clip, 41))
    for one, other in zip(read_from(index, 41), frames, strict=True):
        assert one.time == other.time
        assert np.array_equal(one.pixels, other.pixels)


def test_only_what_lies_before_is_not_decoded(tmp_path, monkeypatch):
    index = made(tmp_path, "", **CASES["h264 with B-frames"])
    monkeypatch.setattr(seeking, "read_frames", None)  # it would be called to begin anew
    assert read_frame(index, 80).time == index.times[80]


@pytest.mark.parametrize("container", ["avi", "h264", "ts"])
def test_where_times_are_not_to_be_relied_on_it_is_read_from_the_start(tmp_path, container):
    options = {} if container != "avi" else {"codec": "mpeg4"}
    path = write_clip(tmp_path / f"film.{container}", moving_frames(40, step=1), **options)
    index = find_shots(probe(path))
    frames = list(read_frames(index.clip))
    for number in (0, 25, len(frames) - 1):
        assert np.array_equal(read_frame(index, number).pixels, frames[number].pixels)


def test_interlaced_frames_are_deinterlaced_alike(tmp_path):
    options = {"flags": "+ildct+ilme", "g": "10"}
    path = write_clip(tmp_path / "film.mkv", moving_frames(40), codec="mpeg2video", options=options)
    index = find_shots(probe(path))
    frames = list(read_frames(index.clip))
    for number in (0, 13, 30, 39):
        assert np.array_equal(read_frame(index, number).pixels, frames[number].pixels)


@pytest.mark.parametrize("number", [-1, 90])
def test_a_frame_past_the_end_is_refused(tmp_path, number):
    index = made(tmp_path, "")
    with pytest.raises(ValueError, match=f"no frame {number}; the film has 90"):
        read_frame(index, number)


def test_a_film_that_was_changed_is_said(tmp_path):
    index = made(tmp_path, "")
    write_clip(index.clip.path, moving_frames(5))
    with pytest.raises(ValueError, match="has the film been changed"):
        read_frame(index, 60)
