"""A film with hints, end to end: the colour follows its thing, stops at cuts, and goes on."""

import numpy as np
import pytest

from colorize_hub import Hint
from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.video import FilmHint, FilmHints, FilmMoment, VideoError, colorize_video
from colorize_hub.video.films import find_segments
from tests.inference.moving import texture
from tests.scenes import decided, difference
from tests.video.clips import read_clip, write_clip

RED = (220, 30, 40)
WIDTH, HEIGHT, SIDE = 192, 128, 56


def scene(count, seed=0):
    """A square goes right over a ground, two pixels a frame."""
    ground, thing = texture(HEIGHT, WIDTH, seed) // 2, texture(SIDE, SIDE, seed + 1) // 2 + 127
    frames = []
    for number in range(count):
        frame = ground.copy()
        frame[40 : 40 + SIDE, 20 + 2 * number : 20 + 2 * number + SIDE] = thing
        frames.append(frame)
    return frames


def hints(*marks):
    """Of (frame, x, y)."""
    return FilmHints(tuple(FilmHint(FilmMoment(frame=t), Hint(x, y, RED)) for t, x, y in marks))


def redness(rgb, x, y):
    """a* around a place."""
    patch = rgb[y - 2 : y + 3, x - 2 : x + 3].astype(np.float32).reshape(-1, 3).T[:, None] / 255
    return float(rgb_to_lab(patch)[1].mean())


@pytest.fixture
def grey_colorizer(tiny_config):
    """It finds everything grey, so that all colour is the hints'."""
    return decided(tiny_config, 0, 0)


@pytest.fixture
def film(tmp_path):
    """Two shots of 20 frames."""
    frames = scene(20) + scene(20, seed=5)
    return write_clip(tmp_path / "old.mkv", frames, codec="ffv1", pix_fmt="gray")


@pytest.mark.parametrize("smoothing", [0.8, 0])
def test_the_colour_goes_with_its_thing_and_stops_at_the_cut(
    grey_colorizer, film, tmp_path, smoothing
):
    marks = hints((10, 68, 68))
    report = colorize_video(grey_colorizer, film, tmp_path / "new.mp4", marks, smoothing, size=64)
    shown = read_clip(tmp_path / "new.mp4").frames
    assert report.frames == 40
    assert report.warnings == ()
    on_it = [redness(shown[t], 48 + 2 * t, 68) for t in range(20)]
    assert min(on_it) > 25
    assert max(redness(shown[t], 48 + 2 * (t - 20), 68) for t in range(20, 40)) < 2


def test_films_without_hints_are_as_they_were(tiny_colorizer, film, tmp_path):
    one, other = tmp_path / "one.mp4", tmp_path / "other.mp4"
    colorize_video(tiny_colorizer, film, one, size=32)
    colorize_video(tiny_colorizer, film, other, FilmHints(), size=32)
    assert one.read_bytes() == other.read_bytes()


def test_a_half_made_film_goes_on_with_the_same_hints_only(
    grey_colorizer, film, tmp_path, monkeypatch
):
    monkeypatch.setattr("colorize_hub.video.writer.SEGMENT_FRAMES", 8)
    target, marks = tmp_path / "new.mp4", hints((10, 68, 68))
    colorize_video(grey_colorizer, film, tmp_path / "whole.mp4", marks, size=64)

    def stop(done, total):
        if done > 12:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        colorize_video(grey_colorizer, film, target, marks, size=64, on_progress=stop)
    assert find_segments(tmp_path / "new.mp4.part")
    with pytest.raises(VideoError, match="begun with another hints"):
        colorize_video(grey_colorizer, film, target, hints((9, 66, 68)), size=64, resume=True)
    report = colorize_video(grey_colorizer, film, target, marks, size=64, resume=True)
    assert report.frames == 40
    assert report.new_frames < 40
    resumed, whole = (read_clip(tmp_path / name).frames for name in ("new.mp4", "whole.mp4"))
    assert max(difference(a, b).mean() for a, b in zip(resumed, whole, strict=True)) < 3


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        (hints((40, 60, 60)), "no frame 40"),
        (hints((3, 192, 60)), "outside the film's 192 x 128 pixels"),
    ],
)
def test_bad_hints_are_refused_before_anything_is_written(
    grey_colorizer, film, tmp_path, marks, said
):
    with pytest.raises(VideoError, match=said):
        colorize_video(grey_colorizer, film, tmp_path / "new.mp4", marks, size=64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.mkv"]
