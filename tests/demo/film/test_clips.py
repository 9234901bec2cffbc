"""Clips on the server: one at a time, progress, cancel, limits, and files that go away."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import count

import gradio as gr
import pytest

from colorize_hub.demo.film import films as film_module
from colorize_hub.demo.film.clips import KEPT_S, UNASKED_S, Clips
from colorize_hub.demo.film.films import Films
from colorize_hub.demo.film.handlers import ClipHandlers
from colorize_hub.demo.models import ModelShelf
from tests.video.clips import moving_frames, read_clip, write_clip


class Later(Executor):
    """Does nothing before `run`, and then all of it, here."""

    def __init__(self):
        self._work = []

    def submit(self, call, /, *args):
        self._work.append((Future(), call, args))
        return self._work[-1][0]

    def run(self):
        while self._work:
            future, call, args = self._work.pop(0)
            if future.set_running_or_notify_cancel():
                future.set_result(call(*args))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Watched:
    """A colorizer that calls back before each frame."""

    def __init__(self, colorizer, before_frame):
        self.config, self.engine = colorizer.config, colorizer.engine
        self._colorizer, self._before = colorizer, before_frame

    def colorize_frames(self, frames, **options):
        for frame in self._colorizer.colorize_frames(frames, **options):
            self._before()
            yield frame


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "made"


@pytest.fixture
def worker():
    return Later()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def serve(folder, tmp_path, worker):
    """A page with a colorizer and a clock."""

    def handlers(colorizer, clock):
        clips, films = Clips(folder, clock, worker), Films(folder, worker)
        return ClipHandlers(clips, films, ModelShelf(colorizer), (tmp_path,))

    return handlers


@pytest.fixture
def handlers(serve, tiny_colorizer, clock):
    return serve(tiny_colorizer, clock)


def a_clip(tmp_path, name="film.mp4", frames=6, **options):
    return {"path": str(write_clip(tmp_path / name, moving_frames(frames), **options))}


def test_clip_is_coloured_and_kept_until_it_is_cancelled(tiny_colorizer, tmp_path, folder):
    thread = ThreadPoolExecutor(1)
    clips = Clips(folder, worker=thread)
    films = Films(folder, thread)
    handlers = ClipHandlers(clips, films, ModelShelf(tiny_colorizer), (tmp_path,))
    begun = handlers.start_clip(a_clip(tmp_path), smoothing=0.8)
    assert (begun["width"], begun["height"]) == (64, 48)
    thread.shutdown()
    assert handlers.clip_state(begun["job"]) == {"state": "done"}
    made = handlers.clip_result(begun["job"])
    assert made.endswith("film-color.mp4")
    assert str(folder) in made
    handlers.cancel_clip(begun["job"])
    assert not list(folder.iterdir())
    assert len(handlers.clips) == 0
    with pytest.raises(gr.Error, match="no longer kept"):
        handlers.clip_state(begun["job"])


def test_others_wait_and_a_cancelled_one_makes_room(handlers, worker, tmp_path, folder):
    first, second, third = (
        handlers.start_clip(a_clip(tmp_path, f"{name}.mp4"))["job"] for name in "abc"
    )
    assert handlers.clip_state(second) == {"state": "waiting", "place": 1}
    assert handlers.clip_state(third) == {"state": "waiting", "place": 2}
    handlers.cancel_clip(second)
    assert handlers.clip_state(third)["place"] == 1
    handlers.cancel_clip(first)
    worker.run()
    assert handlers.clip_state(third) == {"state": "done"}
    assert len(list(folder.iterdir())) == 1  # nothing of the cancelled ones is left


def test_a_clip_cancelled_at_work_leaves_nothing(serve, tiny_colorizer, worker, tmp_path, folder):
    jobs, done = [], count()

    def cancel():
        if next(done) == 5:
            handlers.cancel_clip(jobs[0])

    handlers = serve(Watched(tiny_colorizer, cancel), Clock())
    jobs.append(handlers.start_clip(a_clip(tmp_path, frames=100))["job"])
    worker.run()
    assert not list(folder.iterdir())
    assert next(done) < 20


def test_progress_rises_and_says_how_long(serve, tiny_colorizer, worker, tmp_path):
    """With a clock by which every look at it takes 0.1 s."""
    jobs, states = [], []
    watched = Watched(tiny_colorizer, lambda: states.append(handlers.clip_state(jobs[0])))
    handlers = serve(watched, count(0, 0.1).__next__)
    jobs.append(handlers.start_clip(a_clip(tmp_path, frames=60))["job"])
    worker.run()
    assert {one["state"] for one in states} == {"working"}
    done = [one["done"] for one in states]
    assert done == sorted(done)
    assert done[-1] > 50
    assert {one["total"] for one in states} == {60}
    assert any(one["fps"] > 0 and one["left"] is not None for one in states)


def test_page_that_does_not_ask_any_more_pauses_its_clip(
    serve, tiny_colorizer, clock, worker, tmp_path, folder
):
    coloured = count()

    def pass_time():
        clock.now += UNASKED_S / 5
        next(coloured)

    handlers = serve(Watched(tiny_colorizer, pass_time), clock)
    job = handlers.start_clip(a_clip(tmp_path, frames=400))["job"]
    worker.run()
    assert next(coloured) < 20
    assert handlers.clip_state(job)["state"] == "paused"
    with pytest.raises(gr.Error, match="not coloured yet"):
        handlers.clip_result(job)
    clock.now += KEPT_S + 1
    handlers.start_clip(a_clip(tmp_path, "other.mp4"))
    worker.run()
    assert len(list(folder.iterdir())) == 1  # what nobody came back for is deleted


def test_a_paused_clip_goes_on_where_it_stopped(serve, tiny_colorizer, worker, tmp_path, folder):
    jobs, done, states = [], count(), []

    def before_frame():
        if next(done) == 40:
            handlers.pause_clip(jobs[0])
        states.append(handlers.clip_state(jobs[0]).get("done"))

    handlers = serve(Watched(tiny_colorizer, before_frame), Clock())
    jobs.append(handlers.start_clip(a_clip(tmp_path, frames=100))["job"])
    worker.run()
    paused = handlers.clip_state(jobs[0])
    assert paused["state"] == "paused"
    assert 30 < paused["done"] < 60
    assert handlers.resume_clip(jobs[0])["state"] == "working"
    worker.run()
    assert handlers.clip_state(jobs[0]) == {"state": "done"}
    assert len(read_clip(handlers.clip_result(jobs[0])).frames) == 100
    assert next(done) < 100 + 40 + 10  # what came before is coloured anew for steadiness only
    handlers.cancel_clip(jobs[0])
    assert not list(folder.iterdir())


def test_a_clip_that_is_paused_while_it_waits_lets_others_pass(handlers, worker, tmp_path):
    first, second = (handlers.start_clip(a_clip(tmp_path, f"{n}.mp4"))["job"] for n in "ab")
    handlers.pause_clip(first)
    assert handlers.clip_state(first)["state"] == "paused"
    assert handlers.clip_state(second)["state"] == "working"
    handlers.resume_clip(first)
    assert handlers.clip_state(first) == {"state": "waiting", "place": 1}
    worker.run()
    assert handlers.clip_state(first) == handlers.clip_state(second) == {"state": "done"}


def test_what_is_no_clip_is_refused_without_the_servers_paths(handlers, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("This is not a film.")
    with pytest.raises(gr.Error, match=r"notes\.mp4") as error:
        handlers.start_clip({"path": str(text)})
    assert str(tmp_path) not in str(error.value)
    with pytest.raises(gr.Error, match="no longer kept"):
        handlers.start_clip({"path": "/etc/hostname"})
    with pytest.raises(gr.Error, match=r"smoothing must be a number 0\.\.1"):
        handlers.start_clip(a_clip(tmp_path), smoothing=2)


def recorded(tmp_path):
    """What a browser records: nothing in it says how long it is."""
    options = {"codec": "libvpx", "container_options": {"live": "1"}}
    return a_clip(tmp_path, "recorded.webm", 50, **options)


@pytest.mark.parametrize(
    ("limit", "most", "message"),
    [
        ("MOST_PIXELS", 1000, r"64 x 48; up to 1920 x 1080"),
        ("MOST_SECONDS", 1, r"{name} lasts 2 s; up to 1 s can be coloured here"),
        ("MOST_FRAMES", 49, r"{name} has 50 frames; up to 49 can be coloured here"),
    ],
)
@pytest.mark.parametrize("make", [recorded, lambda folder: a_clip(folder, frames=50)])
def test_limits_are_said_whatever_a_clip_says(
    handlers, tmp_path, monkeypatch, make, limit, most, message
):
    file = make(tmp_path)
    monkeypatch.setattr(film_module, limit, most)
    name = file["path"].rpartition("/")[2]
    with pytest.raises(gr.Error, match=message.format(name=name)):
        handlers.start_clip(file)
    assert len(handlers.clips) == 0


def test_a_header_that_says_less_than_there_is_is_not_believed(handlers, tmp_path, monkeypatch):
    path = write_clip(tmp_path / "film.webm", moving_frames(50), codec="libvpx")
    path.write_bytes(path.read_bytes().replace(b"00:00:02.0", b"00:00:00.2"))
    assert film_module.probe(path).seconds < 1
    monkeypatch.setattr(film_module, "MOST_SECONDS", 1)
    with pytest.raises(gr.Error, match="lasts 2 s; up to 1 s"):
        handlers.start_clip({"path": str(path)})


def test_a_recorded_clip_within_the_limit_tells_how_far_it_is(handlers, worker, tmp_path):
    begun = handlers.start_clip(recorded(tmp_path))
    assert begun["seconds"] == pytest.approx(2, abs=0.05)
    assert handlers.clip_state(begun["job"])["total"] == 50
    worker.run()
    assert handlers.clip_state(begun["job"]) == {"state": "done"}


def test_only_so_many_wait(handlers, tmp_path, monkeypatch):
    monkeypatch.setattr("colorize_hub.demo.film.clips.MOST_WAITING", 1)
    file = a_clip(tmp_path)
    for _ in range(2):
        handlers.start_clip(file)
    with pytest.raises(gr.Error, match="Too many clips are waiting"):
        handlers.start_clip(file)


def test_old_results_are_deleted_when_the_next_clip_comes(
    handlers, clock, worker, tmp_path, folder
):
    handlers.start_clip(a_clip(tmp_path))
    worker.run()
    clock.now += KEPT_S + 1
    handlers.start_clip(a_clip(tmp_path, "other.mp4"))
    worker.run()
    (left,) = folder.iterdir()
    assert [path.name for path in left.iterdir()] == ["other-color.mp4"]
