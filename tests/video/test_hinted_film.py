"""A film with hints, end to end: the colour follows its thing, stops at cuts, and goes on."""

from fractions import Fraction

import numpy as np
import pytest

from colorize_hub import Hint
from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.video import FilmHint, FilmHints, FilmMoment, VideoError, colorize_video
from colorize_hub.video.cuts import find_shots
from colorize_hub.video.films import find_segments
from colorize_hub.video.reader import probe
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
        (
            FilmHints(hints((3, 60, 60)).hints, film={"name": "new.mkv", "frames": 54}),
            "for 'new.mkv' of 54 frames, and old.mkv has 40",
        ),
    ],
)
def test_bad_hints_are_refused_before_anything_is_written(
    grey_colorizer, film, tmp_path, marks, said
):
    with pytest.raises(VideoError, match=said):
        colorize_video(grey_colorizer, film, tmp_path / "new.mp4", marks, size=64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.mkv"]


def test_at_a_variable_rate_a_time_code_is_its_frame(grey_colorizer, tmp_path):
    times = np.cumsum([0, *[20, 70, 45] * 7])[:20].tolist()
    lossless = {"codec": "ffv1", "pix_fmt": "gray", "time_base": Fraction(1, 1000)}
    film = write_clip(tmp_path / "old.mkv", scene(20), times=times, **lossless)
    by_time = FilmHints((FilmHint(FilmMoment(time="0:00.480"), Hint(68, 68, RED)),))
    assert times[10] < 480 < times[11]
    made = {"time": by_time, "frame": hints((10, 68, 68))}
    for name, marks in made.items():
        colorize_video(grey_colorizer, film, tmp_path / f"{name}.mp4", marks, size=64)
    one, other = (read_clip(tmp_path / f"{name}.mp4") for name in made)
    assert [round(time * 1000) for time in one.times] == times
    assert all(np.array_equal(a, b) for a, b in zip(one.frames, other.frames, strict=True))
    assert min(redness(one.frames[t], 48 + 2 * t, 68) for t in range(20)) > 25


def test_shots_that_are_known_are_not_found_again(grey_colorizer, film, tmp_path, monkeypatch):
    marks, index = hints((10, 68, 68)), find_shots(probe(film))
    colorize_video(grey_colorizer, film, tmp_path / "found.mp4", marks, size=64)
    monkeypatch.delattr("colorize_hub.video.films.find_shots")
    colorize_video(grey_colorizer, film, tmp_path / "known.mp4", marks, size=64, index=index)
    assert (tmp_path / "known.mp4").read_bytes() == (tmp_path / "found.mp4").read_bytes()
    other = write_clip(tmp_path / "other.mkv", scene(4), codec="ffv1", pix_fmt="gray")
    with pytest.raises(VideoError, match=r"the shots of .*old.mkv; give those of .*other.mkv"):
        colorize_video(grey_colorizer, other, tmp_path / "no.mp4", index=index)


def test_colours_set_in_shots_that_stay_are_said_not_to_be_used(grey_colorizer, tmp_path):
    tint = np.where((np.arange(WIDTH) < WIDTH // 2)[:, None], [1, 0.5, 0.2], [0.2, 0.5, 1])
    frames = [np.repeat(one[..., None], 3, 2) for one in scene(20)]
    frames += [(one[..., None] * tint).astype(np.uint8) for one in scene(20, seed=5)]
    film = write_clip(tmp_path / "old.mkv", frames, codec="ffv1", pix_fmt="bgr0")
    marks = hints((3, 56, 68), (25, 68, 68), (30, 68, 68))
    report = colorize_video(grey_colorizer, film, tmp_path / "new.mp4", marks, size=64)
    (said,) = report.warnings
    assert said.endswith("Colours were set in them, at 0:01.0, 0:01.2: these were not used.")
    report = colorize_video(
        grey_colorizer, film, tmp_path / "all.mp4", marks, size=64, recolor=True
    )
    assert report.warnings == ()


def test_places_are_those_of_the_film_as_it_is_shown(grey_colorizer, tmp_path):
    """On pixels twice as wide as high a player shows 384 x 128."""
    made = {"codec": "mpeg4", "pix_fmt": "yuv420p", "options": {"qscale": "2"}}
    film = write_clip(tmp_path / "old.mkv", scene(12), aspect=Fraction(2), **made)
    assert probe(film).shown == (2 * WIDTH, HEIGHT)
    marks = FilmHints(hints((6, 2 * 60, 68)).hints, size=(2 * WIDTH, HEIGHT))
    colorize_video(grey_colorizer, film, tmp_path / "new.mp4", marks, size=64)
    shown = read_clip(tmp_path / "new.mp4").frames
    assert min(redness(shown[t], 48 + 2 * t, 68) for t in range(12)) > 25
    stored = FilmHints(hints((6, 60, 68)).hints, size=(WIDTH, HEIGHT))
    with pytest.raises(VideoError, match=r"old\.mkv has 384 x 128"):
        colorize_video(grey_colorizer, film, tmp_path / "no.mp4", stored, size=64)
