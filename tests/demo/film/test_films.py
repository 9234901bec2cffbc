"""Films on the server: shots, exact frames, marks that live in their shot, quick previews."""

import json
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from colorize_hub.demo.film import films as film_module
from colorize_hub.demo.film import tracks as track_module
from colorize_hub.demo.film.films import Films
from colorize_hub.demo.film.handlers import ClipHandlers, FilmHandlers
from colorize_hub.demo.models import ModelShelf
from colorize_hub.video.reader import probe, read_frames
from tests.demo.film.test_clips import Later
from tests.video.clips import read_clip, write_clip
from tests.video.test_cuts import textured

RED = [200, 20, 20]


@pytest.fixture
def worker():
    return Later()


@pytest.fixture
def films(tmp_path, worker):
    return Films(tmp_path, worker)


@pytest.fixture
def handlers(films, tiny_colorizer, tmp_path):
    return FilmHandlers(films, ModelShelf(tiny_colorizer), (tmp_path,), tmp_path)


@pytest.fixture
def film(tmp_path):
    """Two shots of 24 and 30 frames, at a variable rate."""
    frames = textured(24, 0) + textured(30, 1)
    times = np.cumsum([40, *[20, 60] * 27])[:54].tolist()
    (tmp_path / "up").mkdir()
    path = tmp_path / "up" / "old.mkv"
    write_clip(path, frames, times=times, time_base=Fraction(1, 1000))
    return {"path": str(path)}


@pytest.fixture
def opened(handlers, film, worker):
    """The film, read."""
    handlers.open_film(film)
    worker.run()
    return film


def work(*marks):
    return json.dumps({"hints": [], "marks": list(marks)})


def mark(frame, x=90, y=60, radius=None):
    return {"frame": frame, "points": [[x, y]], "rgb": RED, "radius": radius}


def test_a_film_is_read_and_its_shots_told(handlers, film, worker):
    facts = handlers.open_film(film)
    assert (facts["width"], facts["height"], facts["frames"]) == (192, 144, 54)
    assert handlers.film_shots(film) == {"state": "reading", "done": 0, "total": 54, "shots": []}
    with pytest.raises(gr.Error, match=r"old\.mkv is still being read"):
        handlers.film_marks(film, "", 0)
    worker.run()
    state = handlers.film_shots(film)
    assert (state["state"], state["done"]) == ("done", 54)
    assert [shot[:2] for shot in state["shots"]] == [[0, 24], [24, 30]]
    assert state["shots"][1][2] == pytest.approx(0.96)


def test_shots_are_told_while_it_is_read(films, film, monkeypatch):
    seen, real = [], film_module.read_frames

    def watched(clip):
        for frame in real(clip):
            yield frame
            seen.append(films.open(film["path"]).state())

    monkeypatch.setattr(film_module, "read_frames", watched)
    opened = films.open(film["path"])
    opened.read()
    assert [one["done"] for one in seen][:3] == [1, 2, 3]
    assert {one["state"] for one in seen} == {"reading"}
    assert [len(one["shots"]) for one in seen][-1] == 2


def test_a_film_that_was_dropped_is_read_again(handlers, opened, films, worker):
    films._films.clear()
    assert handlers.film_shots(opened)["state"] == "reading"
    worker.run()
    assert handlers.film_shots(opened)["state"] == "done"


@pytest.mark.parametrize("number", [0, 23, 24, 53])
def test_a_frame_is_exact_at_a_variable_rate(handlers, opened, number):
    frames = list(read_frames(probe(Path(opened["path"]))))
    with Image.open(handlers.film_frame(opened, number)) as image:
        assert np.array_equal(np.asarray(image), frames[number].pixels)


def test_marks_live_in_their_shot_alone(handlers, opened):
    here, other = handlers.film_marks(opened, work(mark(5), mark(8, 40, 40)), 20)
    assert (here["mark"], here["frame"], here["rgb"]) == (0, 5, tuple(RED))
    assert here["lives"] == [[0, 23]]
    assert np.allclose(here["points"], [[90 + 4, 60]], atol=2)  # it drifts a pixel in 4 frames
    assert other["mark"] == 1
    assert handlers.film_marks(opened, work(mark(5)), 30) == []


def test_a_mark_is_followed_once(handlers, opened, monkeypatch):
    asked, real = [], track_module.track_hints
    monkeypatch.setattr(
        track_module, "track_hints", lambda *of: asked.append(len(of[1])) or real(*of)
    )
    for marks in ([mark(5)], [mark(5), mark(9)], [mark(5), mark(9)]):
        handlers.film_marks(opened, work(*marks), 3)
    assert asked == [1, 1]


def test_few_shots_are_held(handlers, tmp_path, worker, monkeypatch):
    monkeypatch.setattr(track_module, "_SHOTS_HELD", 1)
    path = {"path": str(write_clip(tmp_path / "a.mkv", textured(20, 0) + textured(20, 1)))}
    handlers.open_film(path)
    worker.run()
    for frame in (2, 30, 3):
        assert handlers.film_marks(path, work(mark(frame)), frame)[0]["lives"]
    assert len(handlers._tracks._frames) == 1


def test_a_picture_shows_the_marks_colour(handlers, opened):
    plain = handlers.shot_picture(opened, "", 20)["picture"]
    marked = handlers.shot_picture(opened, work(mark(5, radius=60)), 20)["picture"]
    elsewhere = handlers.shot_picture(opened, work(mark(30, radius=60)), 20)["picture"]
    assert plain.startswith("data:image/jpeg")
    assert marked != plain
    assert elsewhere == plain


def test_a_preview_has_the_shots_times_and_the_marks_colours(handlers, opened):
    made = handlers.preview_shot(opened, work(mark(5, radius=200)), 3)
    shown = read_clip(made)
    assert len(shown.frames) == 24
    steps = np.diff([float(time) for time in shown.times])
    assert steps[:4] == pytest.approx([0.02, 0.06, 0.02, 0.06])
    red = np.mean([one[..., 0].astype(int) - one[..., 1] for one in shown.frames], (1, 2))
    plain = read_clip(handlers.preview_shot(opened, "", 3))
    grey = np.mean([one[..., 0].astype(int) - one[..., 1] for one in plain.frames], (1, 2))
    assert (red > grey + 10).all()
    assert handlers.preview_shot(opened, work(mark(5, radius=200)), 3) == made


def test_a_long_shot_is_previewed_around_the_frame(handlers, tmp_path, worker):
    frames = textured(400, 0)
    path = {"path": str(write_clip(tmp_path / "long.mkv", frames, rate=25))}
    handlers.open_film(path)
    worker.run()
    shown = read_clip(handlers.preview_shot(path, "", 380))
    assert 40 <= len(shown.frames) <= 48
    assert 9 < float(shown.times[-1] - shown.times[0]) < 10


def test_saved_work_is_checked_against_the_film(handlers, opened):
    found = handlers.read_film_hints(opened, work(mark(5)))
    assert found["hints"] == [{"frame": 5, "x": 90.0, "y": 60.0, "rgb": RED, "radius": None}]
    assert handlers.read_film_hints(opened, json.dumps(found)) == found
    with pytest.raises(gr.Error, match=r"There is no frame 99 in old\.mkv, which has 54"):
        handlers.read_film_hints(opened, work(mark(99)))


@pytest.mark.parametrize("frame", [-1, 54, 1.5, "x", None])
def test_a_frame_that_is_not_there_is_said(handlers, opened, frame):
    for ask in (
        lambda: handlers.film_frame(opened, frame),
        lambda: handlers.film_marks(opened, "", frame),
        lambda: handlers.shot_picture(opened, "", frame),
        lambda: handlers.preview_shot(opened, "", frame),
    ):
        with pytest.raises(gr.Error, match="frame"):
            ask()


def test_what_is_no_film_is_refused_without_the_servers_paths(handlers, tmp_path):
    (tmp_path / "notes.mp4").write_text("This is not a film.")
    with pytest.raises(gr.Error, match=r"notes\.mp4") as error:
        handlers.open_film({"path": str(tmp_path / "notes.mp4")})
    assert str(tmp_path) not in str(error.value)
    with pytest.raises(gr.Error, match="no longer kept"):
        handlers.open_film({"path": "/etc/hostname"})


def test_a_film_that_breaks_is_told(handlers, film, worker, monkeypatch):
    def broken(clip):
        raise OSError(f"{clip.path} is gone")
        yield

    handlers.open_film(film)
    monkeypatch.setattr(film_module, "read_frames", broken)
    worker.run()
    assert handlers.film_shots(film) == {"state": "failed", "error": "old.mkv is gone"}
    with pytest.raises(gr.Error, match=r"old\.mkv is gone"):
        handlers.film_frame(film, 0)


def test_hints_of_another_film_are_refused_before_it_is_coloured(
    films, opened, tiny_colorizer, tmp_path
):
    from colorize_hub.demo.film.clips import Clips

    clips = Clips(tmp_path, worker=ThreadPoolExecutor(1))
    handlers = ClipHandlers(clips, films, ModelShelf(tiny_colorizer), (tmp_path,))
    with pytest.raises(gr.Error, match="for a film of 8 x 8 pixels"):
        handlers.start_clip(opened, hints=json.dumps({"hints": [], "size": [8, 8]}))
    assert len(clips) == 0


def test_the_shots_of_an_open_film_are_not_found_again(
    films, opened, tiny_colorizer, tmp_path, monkeypatch
):
    from colorize_hub.demo.film.clips import Clips

    monkeypatch.delattr("colorize_hub.video.films.find_shots")
    clips = Clips(tmp_path / "made", worker=(worker := Later()))
    handlers = ClipHandlers(clips, films, ModelShelf(tiny_colorizer), (tmp_path,))
    job = handlers.start_clip(opened, hints=work(mark(5)))["job"]
    worker.run()
    assert handlers.clip_state(job) == {"state": "done"}


def test_a_frame_is_shown_as_players_do(handlers, worker, tmp_path):
    path = tmp_path / "wide.mkv"
    frames = textured(12, 0)
    height, width = frames[0].shape[:2]
    write_clip(path, frames, codec="mpeg4", aspect=Fraction(4, 3))
    film, shown = {"path": str(path)}, (round(width * 4 / 3), height)
    facts = handlers.open_film(film)
    assert (facts["width"], facts["height"]) == shown
    worker.run()
    with Image.open(handlers.film_frame(film, 3)) as image:
        assert image.size == shown
    placed = json.dumps({"hints": [{"frame": 3, "x": shown[0] - 1, "y": 60, "rgb": RED}]})
    (found,) = handlers.film_marks(film, placed, 3)
    assert found["points"] == [[shown[0] - 1, 60]]
    assert handlers.shot_picture(film, placed, 3)["picture"].startswith("data:image/jpeg")
    preview = read_clip(handlers.preview_shot(film, placed, 3))
    rows, columns = preview.frames[0].shape[:2]
    assert abs(columns / rows - shown[0] / shown[1]) < 0.03
