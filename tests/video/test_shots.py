"""Colour shots in a grey film: left as they are and named, or coloured when told; no leak."""

import sys
from fractions import Fraction

import numpy as np
import pytest

from colorize_hub.video import colorize_video
from colorize_hub.video.reader import ClipFrame
from colorize_hub.video.shots import LeftShots, by_color
from tests.pictures.test_toning import SEPIA, toned
from tests.scenes import difference
from tests.video.clips import moving_frames, read_clip, write_clip

LOSSLESS = {"codec": "ffv1", "pix_fmt": "bgr0"}
FINE = {"codec": "libx264", "pix_fmt": "yuv444p", "options": {"crf": "1"}}


def grey(count, seed=0, height=48, width=64):
    frames = moving_frames(count, height, width, seed=seed)
    return [frame[..., None].repeat(3, 2) for frame in frames]


def colored(count, seed=0, height=48, width=64):
    return moving_frames(count, height, width, channels=3, seed=seed)


def greyed(frames):
    """The same scene without its colours."""
    luma = [np.rint(one @ [0.299, 0.587, 0.114]).astype(np.uint8) for one in frames]
    return [one[..., None].repeat(3, 2) for one in luma]


def faded(frames, shares):
    """Each darker, or lighter, by its share."""
    return [(one * share).astype(np.uint8) for one, share in zip(frames, shares, strict=True)]


def states(frames):
    """A letter a frame: C for a shot in colour, g for the others."""
    clip = (ClipFrame(pixels, index, 1) for index, pixels in enumerate(frames))
    return "".join(("gC"[is_colored]) * len(list(run)) for is_colored, run in by_color(clip))


RISING = np.linspace(0, 1, 15)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([one[..., 0] for one in grey(30)], "g" * 30),
        (grey(30), "g" * 30),
        (colored(30), "C" * 30),
        (colored(1), "C"),
        (grey(24) + colored(24, 1) + grey(24, 2), "g" * 24 + "C" * 24 + "g" * 24),
        (colored(20) + grey(3, 1) + colored(20, 2), "C" * 20 + "g" * 3 + "C" * 20),
        (grey(20) + colored(4, 1) + grey(20, 2), "g" * 20 + "C" * 4 + "g" * 20),
        # no cut between them: the same scene
        (greyed(colored(40)[:20]) + colored(40)[20:], "g" * 20 + "C" * 20),
        # a flash of colour is a fault of the film, a grey moment one of the light
        (
            greyed(colored(20)[:10]) + colored(20)[10:12] + greyed(colored(20)[12:]),
            "g" * 20,
        ),
        (colored(40)[:18] + greyed(colored(40)[18:22]) + colored(40)[22:], "C" * 40),
        # a shot in colour that begins in the dark, after a cut
        (grey(20) + faded(colored(20, 1), np.linspace(0.02, 1, 20)), "g" * 20 + "C" * 20),
    ],
)
def test_shots_are_told_apart(frames, expected):
    assert states(frames) == expected


def test_through_black_each_side_keeps_its_own():
    """The scenes fade out and in; between them all is black and no cut is to be seen."""
    first = faded(grey(30), [*[1] * 15, *RISING[::-1]])
    second = faded(colored(30, 1), [*RISING, *[1] * 15])
    found = states(first + second + first)
    assert found.count("gC") == found.count("Cg") == 1
    assert set(found[:25]) == {"g"}
    assert set(found[40:60]) == {"C"}
    assert set(found[65:]) == {"g"}


def test_prints_in_one_tint_are_not_in_colour():
    frames = [toned(one, SEPIA) for one in moving_frames(30, 96, 128)]
    assert states(frames) == "g" * 30


def test_without_opencv_changes_that_last_are_found(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    frames = grey(24) + colored(24, 1) + grey(24, 2)
    assert states(frames) == "g" * 24 + "C" * 24 + "g" * 24


def test_only_the_shots_at_hand_are_held():
    read = []

    def frames():
        for index, pixels in enumerate(colored(60)):
            read.append(index)
            yield ClipFrame(pixels, index, 1)

    ((_, run),) = [next(by_color(frames()))]
    for taken, _ in zip(range(20), run, strict=False):
        assert len(read) <= taken + 14


# --- the film --------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path):
    """24 grey frames, 24 in colour, 24 grey ones, a second each."""
    frames = grey(24) + colored(24, 1) + grey(24, 2)
    return write_clip(tmp_path / "mixed.mkv", frames, rate=24, **FINE)


@pytest.mark.parametrize("smoothing", [0, 0.8])
def test_colour_shots_stay_and_are_named(colour_film, tmp_path, mixed, smoothing):
    old = read_clip(mixed)
    report, new = colour_film(mixed, smoothing, look_ahead=8)
    assert report.warnings == (
        "Shots that have colour were left as they are: 0:01.0 to 0:02.0; --recolor colours them"
        " too.",
    )
    assert (report.frames, new.times) == (72, old.times)
    apart = [difference(*pair).mean() for pair in zip(new.frames, old.frames, strict=True)]
    assert max(apart[24:48]) < 6  # 4:2:0 and 8 bits
    assert min(apart[:24] + apart[48:]) > 10


class Counted:
    """A colorizer that counts the frames of each film that it is given."""

    def __init__(self, colorizer):
        self.config, self.engine = colorizer.config, colorizer.engine
        self._colorizer, self.films = colorizer, []

    def colorize_frames(self, frames, **options):
        self.films.append(0)
        for pixels in self._colorizer.colorize_frames(frames, **options):
            self.films[-1] += 1
            yield pixels


def test_nothing_leaks_over_a_cut(tiny_colorizer, tmp_path, mixed):
    """What is coloured on both sides is to the model a film of its own each."""
    counted = Counted(tiny_colorizer)
    colorize_video(counted, mixed, tmp_path / "new.mp4", size=32)
    assert counted.films == [24, 24]


def test_colour_shots_are_coloured_when_told(colour_film, mixed):
    report, new = colour_film(mixed, recolor=True)
    assert report.warnings == ()
    old = read_clip(mixed)
    apart = [difference(*pair).mean() for pair in zip(new.frames, old.frames, strict=True)]
    assert min(apart) > 10


def test_a_film_in_colour_is_said_to_have_been_left(colour_film, tmp_path):
    source = write_clip(tmp_path / "film.mkv", colored(14), **LOSSLESS)
    report, new = colour_film(source)
    assert report.warnings == (
        "It has colour throughout and was left as it is; --recolor colours it.",
    )
    for one, other in zip(new.frames, read_clip(source).frames, strict=True):
        assert difference(one, other).mean() < 8


def test_a_film_of_toned_prints_is_coloured(colour_film, tmp_path):
    frames = [toned(one, SEPIA) for one in moving_frames(14, 96, 128)]
    source = write_clip(tmp_path / "sepia.mkv", frames, **LOSSLESS)
    report, new = colour_film(source)
    assert report.warnings == ()
    assert min(difference(*pair).mean() for pair in zip(new.frames, frames, strict=True)) > 5


def test_many_shots_are_counted():
    left = LeftShots([[n * 1000, n * 1000 + 500] for n in range(1, 12)], all_of_it=False)
    said = left.sentence(1000, Fraction(1, 10))
    assert said.startswith("Shots that have colour were left as they are: 0:00.0 to 0:50.0, 1:40.0")
    assert ", 3 more; " in said
    assert LeftShots().sentence(0, Fraction(1)) is None
