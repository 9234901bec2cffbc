"""Clips on the server: one at a time, progress, cancel, limits, and files that go away."""

import time

import gradio as gr
import pytest

from colorize_hub.demo.film import clips as clip_module
from colorize_hub.demo.film.clips import Clips
from colorize_hub.demo.film.handlers import ClipHandlers
from colorize_hub.demo.models import ModelShelf
from tests.video.clips import moving_frames, write_clip


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "made"


@pytest.fixture
def handlers(tiny_colorizer, folder, tmp_path):
    return ClipHandlers(Clips(ModelShelf(tiny_colorizer), folder), (tmp_path,))


def a_clip(tmp_path, name="film.mp4", count=6, **options):
    return {"path": str(write_clip(tmp_path / name, moving_frames(count), **options))}


def states(handlers, job):
    """All states until the clip is done or failed."""
    found = []
    for _ in range(600):
        found.append(handlers.clip_state(job))
        if found[-1]["state"] in ("done", "failed"):
            return found
        time.sleep(0.05)
    raise TimeoutError(found[-1])


def test_clip_is_coloured_and_kept_until_it_is_cancelled(handlers, tmp_path, folder):
    begun = handlers.start_clip(a_clip(tmp_path), smoothing=0.8)
    assert (begun["width"], begun["height"]) == (64, 48)
    assert states(handlers, begun["job"])[-1] == {"state": "done"}
    made = handlers.clip_result(begun["job"])
    assert made.endswith("film-color.mp4")
    assert str(folder) in made
    handlers.cancel_clip(begun["job"])
    assert not list(folder.iterdir())
    assert len(handlers.clips) == 0
    with pytest.raises(gr.Error, match="no longer kept"):
        handlers.clip_state(begun["job"])


def test_others_wait_and_a_cancelled_one_makes_room(handlers, tmp_path, folder):
    long = handlers.start_clip(a_clip(tmp_path, "long.mp4", 200))["job"]
    second = handlers.start_clip(a_clip(tmp_path, "second.mp4"))["job"]
    third = handlers.start_clip(a_clip(tmp_path, "third.mp4"))["job"]
    assert handlers.clip_state(second) == {"state": "waiting", "place": 1}
    assert handlers.clip_state(third) == {"state": "waiting", "place": 2}
    handlers.cancel_clip(second)
    assert handlers.clip_state(third)["place"] == 1
    handlers.cancel_clip(long)
    assert states(handlers, third)[-1] == {"state": "done"}
    assert len(list(folder.iterdir())) == 1  # nothing of the cancelled ones is left


def test_progress_rises_and_says_how_long(handlers, tmp_path):
    job = handlers.start_clip(a_clip(tmp_path, count=60))["job"]
    working = [one for one in states(handlers, job) if one["state"] == "working"]
    done = [one["done"] for one in working]
    assert done == sorted(done)
    assert working[-1]["total"] == 60
    assert any(one["fps"] > 0 and one["left"] is not None for one in working)


def test_page_that_does_not_ask_any_more_stops_its_clip(handlers, tmp_path, folder, monkeypatch):
    monkeypatch.setattr(clip_module, "UNASKED_S", 0.2)
    handlers.start_clip(a_clip(tmp_path, count=400))
    for _ in range(200):
        time.sleep(0.05)
        if folder.exists() and not list(folder.iterdir()):
            break
    assert not list(folder.iterdir())


def test_what_is_no_clip_is_refused_without_the_servers_paths(handlers, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("This is not a film.")
    with pytest.raises(gr.Error, match=r"notes\.mp4") as error:
        handlers.start_clip({"path": str(text)})
    assert str(tmp_path) not in str(error.value)
    with pytest.raises(gr.Error, match="no longer kept"):
        handlers.start_clip({"path": "/etc/hostname"})
    with pytest.raises(gr.Error, match="0 to 1"):
        handlers.start_clip(a_clip(tmp_path), smoothing=2)


def test_limits_are_said(handlers, tmp_path, monkeypatch):
    file = a_clip(tmp_path)
    monkeypatch.setattr(clip_module, "MOST_PIXELS", 1000)
    with pytest.raises(gr.Error, match=r"64 x 48; up to 1920 x 1080"):
        handlers.start_clip(file)
    monkeypatch.undo()
    monkeypatch.setattr(clip_module, "MOST_SECONDS", 0.1)
    with pytest.raises(gr.Error, match=r"film\.mp4 lasts 0 minutes; up to"):
        handlers.start_clip(file)


def test_only_so_many_wait(handlers, tmp_path, monkeypatch):
    monkeypatch.setattr(clip_module, "MOST_WAITING", 1)
    file = a_clip(tmp_path, count=100)
    jobs = [handlers.start_clip(file)["job"] for _ in range(2)]
    with pytest.raises(gr.Error, match="Too many clips are waiting"):
        handlers.start_clip(file)
    for job in jobs:
        handlers.cancel_clip(job)


def test_old_results_are_deleted_when_the_next_clip_comes(handlers, tmp_path, folder, monkeypatch):
    job = handlers.start_clip(a_clip(tmp_path))["job"]
    states(handlers, job)
    monkeypatch.setattr(clip_module, "KEPT_S", 0.0)
    other = handlers.start_clip(a_clip(tmp_path, "other.mp4"))["job"]
    states(handlers, other)
    assert len(list(folder.iterdir())) == 1
