"""Clips of visitors, coloured one at a time: a queue, progress, and files that go away."""

import logging
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.video import VideoError, colorize_video
from colorize_hub.video.reader import ClipFacts, measured, probe

MOST_SECONDS = 600
MOST_FRAMES = MOST_SECONDS * 60  # what a clip costs, however fast it is said to play
MOST_PIXELS = 1920 * 1088
MOST_WAITING = 8
KEPT_S = 3600.0  # a coloured clip
UNASKED_S = 180.0  # a clip whose page does not ask any more; a page in the background asks seldom
_RECENT_S = 5.0  # frames of so many seconds make the speed


class ClipError(ValueError):
    """A clip that is not taken, or not known; the message is for the visitor."""


class _StoppedError(Exception):
    """The visitor does not want the clip any more."""


@dataclass(eq=False)
class Job:
    """A clip on its way; one thread colours it, others look at it.

    Attributes:
        folder: its own, with the coloured file in it.
        clock: seconds, as of time.monotonic.
        total: frames, about; None where the clip does not tell.
        done: frames that are coloured.
        error: why it failed, or "".
        asked: when its page asked for it last.
    """

    source: Path
    folder: Path
    clock: Callable[[], float]
    total: int | None
    done: int = 0
    error: str = ""
    stopped: bool = False
    finished: bool = False
    asked: float = 0.0
    recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=400))
    future: Future[None] | None = None

    def __post_init__(self) -> None:
        self.asked = self.clock()

    @property
    def target(self) -> Path:
        """The coloured file."""
        return self.folder / f"{self.source.stem}-color.mp4"

    @property
    def speed(self) -> float:
        """Frames a second, lately; 0 where that is not known yet."""
        now = self.clock()
        recent = [one for one in list(self.recent) if one[0] > now - _RECENT_S]
        if len(recent) < 2 or recent[-1][0] == recent[0][0]:
            return 0.0
        return (recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0])

    def progress(self, done: int, total: int | None) -> None:
        """Note how far it is, and stop it if nobody wants it any more.

        Raises:
            _StoppedError: it was cancelled, or its page is gone.
        """
        now = self.clock()
        if self.stopped or now - self.asked > UNASKED_S:
            raise _StoppedError
        self.done, self.total = done, total or self.total
        self.recent.append((now, done))


class Clips:
    """The clips of all visitors of a page."""

    def __init__(
        self,
        folder: str | Path,
        clock: Callable[[], float] = time.monotonic,
        worker: Executor | None = None,
    ) -> None:
        """Open the queue.

        Args:
            folder: coloured clips are written below it, and deleted KEPT_S after their page asked
                for them last.
            clock: seconds, as of time.monotonic.
            worker: does one thing after the other; None is a thread of its own.
        """
        self._folder = Path(folder)
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._clock = clock
        self._worker = worker or ThreadPoolExecutor(1, thread_name_prefix="clip")

    def __len__(self) -> int:
        """How many clips are held: waiting, at work, or coloured and not yet deleted."""
        with self._lock:
            return len(self._jobs)

    def start(
        self, path: str, vividness: float | None, smoothing: float, colorizer: Colorizer
    ) -> dict[str, Any]:
        """Put a clip into the queue.

        Returns:
            Its ``job``, the name to ask for it by, and its width, height and seconds.

        Raises:
            VideoError: it is not a film.
            ClipError: it is too long or too large, or too many wait.
        """
        clip = _checked(path)
        key = secrets.token_urlsafe(16)
        job = Job(Path(path), self._folder / f"clip-{key}", self._clock, clip.frames)

        def work() -> None:
            target, watch = job.target, job.progress
            options = {"vividness": vividness, "recolor": True, "on_progress": watch}
            colorize_video(colorizer, path, target, smoothing=smoothing, **options)

        with self._lock:
            self._delete_old()
            if sum(not one.finished for one in self._jobs.values()) > MOST_WAITING:
                raise ClipError("Too many clips are waiting. Come back in a while.")
            self._jobs[key] = job
            job.future = self._worker.submit(self._run, job, work)
        seconds = None if clip.seconds is None else float(clip.seconds)
        return {"job": key, "width": clip.width, "height": clip.height, "seconds": seconds}

    def state(self, key: str) -> dict[str, Any]:
        """How far a clip is.

        Returns:
            ``state`` "waiting" (with its ``place`` in the queue, from 1), "working" (``done`` and
            ``total`` frames, ``fps``, seconds ``left``), "done" or "failed" (with ``error``).

        Raises:
            ClipError: there is no such clip.
        """
        with self._lock:
            job = self._find(key)
            job.asked = self._clock()
            before = [one for one in self._jobs.values() if not one.finished]
        if job.error:
            return {"state": "failed", "error": job.error}
        if job.finished:
            return {"state": "done"}
        place = before.index(job) if job in before else 0
        if place and not job.done:
            return {"state": "waiting", "place": place}
        speed = job.speed
        left = (job.total - job.done) / speed if job.total and speed else None
        return {
            "state": "working",
            "done": job.done,
            "total": job.total,
            "fps": round(speed, 1),
            "left": None if left is None else max(0.0, round(left, 1)),
        }

    def result(self, key: str) -> Path:
        """Return the coloured file.

        Raises:
            ClipError: there is no such clip, or it is not coloured yet.
        """
        with self._lock:
            job = self._find(key)
        if not job.finished or job.error:
            raise ClipError("This clip is not coloured yet.")
        return job.target

    def cancel(self, key: str) -> None:
        """Stop a clip, if it is still there, and delete its files."""
        with self._lock:
            job = self._jobs.pop(key, None)
        if job is not None:
            job.stopped = True
            if job.finished or (job.future is not None and job.future.cancel()):
                shutil.rmtree(job.folder, ignore_errors=True)

    def _run(self, job: Job, work: Callable[[], None]) -> None:
        """Colours a clip; whatever happens, the job is finished then and leaves no half file."""
        try:
            job.progress(0, job.total)
            job.folder.mkdir(parents=True)
            work()
        except _StoppedError:
            job.error = "Stopped, as its page was closed."
        except (VideoError, OSError, ModuleNotFoundError, MemoryError) as error:
            message = str(error).replace(str(job.target), "the coloured clip")
            job.error = message.replace(str(job.source), job.source.name) or type(error).__name__
        except Exception:
            logging.getLogger(__name__).exception("A clip could not be coloured.")
            job.error = f"{job.source.name} could not be coloured; another clip may do."
        finally:
            job.finished = True
            if job.error or job.stopped:
                shutil.rmtree(job.folder, ignore_errors=True)
            later = threading.Timer(KEPT_S + 1, self._tidy)
            later.daemon = True
            later.start()

    def _tidy(self) -> None:
        with self._lock:
            self._delete_old()

    def _find(self, key: str) -> Job:
        if key not in self._jobs:
            raise ClipError("This clip is no longer kept here; colour it again.")
        return self._jobs[key]

    def _delete_old(self) -> None:
        """Forgets clips that nobody asks for; the lock is held."""
        now = self._clock()
        for key, job in list(self._jobs.items()):
            if job.finished and now - job.asked > (UNASKED_S if job.error else KEPT_S):
                shutil.rmtree(job.folder, ignore_errors=True)
                del self._jobs[key]


def _checked(path: str) -> ClipFacts:
    """Return what is in the clip, whatever it says of itself, if it is not too much to ask."""
    clip, name = probe(Path(path)), Path(path).name
    if clip.width * clip.height > MOST_PIXELS:
        raise ClipError(
            f"{name} is {clip.width} x {clip.height}; up to 1920 x 1080 can be coloured here. "
            "`colorize-hub video` on your own machine takes any size."
        )
    clip = measured(clip)
    if clip.seconds is not None and clip.seconds > MOST_SECONDS:
        raise ClipError(
            f"{name} lasts {_clock(clip.seconds)}; up to {_clock(MOST_SECONDS)} can be coloured "
            "here. `colorize-hub video` on your own machine takes any length."
        )
    if clip.frames is not None and clip.frames > MOST_FRAMES:
        raise ClipError(
            f"{name} has {clip.frames:,} frames; up to {MOST_FRAMES:,} can be coloured here. "
            "`colorize-hub video` on your own machine takes any number."
        )
    return clip


def _clock(seconds: float | Fraction) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
