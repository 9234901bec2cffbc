"""Clips of visitors, coloured one at a time: a queue, progress, and files that go away."""

import logging
import secrets
import shutil
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colorize_hub.demo.film.films import checked
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.video import VideoError, colorize_video
from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.hints import FilmHints

MOST_WAITING = 8
KEPT_S = 3600.0  # a coloured clip, and one that stopped half-way
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
        stopped: it was cancelled.
        paused: it stopped half-way, or is to; what there is of it is kept.
        asked: when its page asked for it last.
    """

    source: Path
    folder: Path
    clock: Callable[[], float]
    total: int | None
    done: int = 0
    error: str = ""
    stopped: bool = False
    paused: bool = False
    finished: bool = False
    asked: float = 0.0
    recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=400))
    future: Future[None] | None = None
    work: Callable[[], object] = lambda: None

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
            _StoppedError: it was cancelled or paused, or its page is gone.
        """
        now = self.clock()
        self.paused = self.paused or now - self.asked > UNASKED_S
        if self.stopped or self.paused:
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
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._clock = clock
        self._worker = worker or ThreadPoolExecutor(1, thread_name_prefix="clip")

    def __len__(self) -> int:
        """How many clips are held: waiting, at work, or coloured and not yet deleted."""
        with self._lock:
            return len(self._jobs)

    def start(
        self,
        path: str,
        vividness: float | None,
        smoothing: float,
        colorizer: Colorizer,
        hints: FilmHints | None = None,
        index: FilmIndex | None = None,
    ) -> dict[str, Any]:
        """Put a clip into the queue, with the colours that a person fixed.

        Args:
            path: of the clip.
            vividness: 0..1; None takes the model's.
            smoothing: 0..1.
            colorizer: the model.
            hints: of the clip.
            index: its shots, if they are found already.

        Returns:
            Its ``job``, the name to ask for it by, and its width, height and seconds.

        Raises:
            VideoError: it is not a film.
            RequestError: it is too long or too large.
            ClipError: too many wait.
        """
        clip = checked(path)
        key = secrets.token_urlsafe(16)
        job = Job(Path(path), self._folder / f"clip-{key}", self._clock, clip.frames)

        options: dict[str, Any] = {"vividness": vividness, "smoothing": smoothing, "hints": hints}
        options |= {"index": index, "recolor": True, "resume": True, "on_progress": job.progress}
        job.work = lambda: colorize_video(colorizer, path, job.target, **options)
        with self._lock:
            self._delete_old()
            self._submit(key, job)
        seconds = None if clip.seconds is None else float(clip.seconds)
        return {"job": key, "width": clip.width, "height": clip.height, "seconds": seconds}

    def state(self, key: str) -> dict[str, Any]:
        """How far a clip is.

        Returns:
            ``state`` "waiting" (with its ``place`` in the queue, from 1), "working" (``done`` and
            ``total`` frames, ``fps``, seconds ``left``), "paused" (half-way, to be resumed),
            "done" or "failed" (with ``error``).

        Raises:
            ClipError: there is no such clip.
        """
        with self._lock:
            job = self._find(key)
            job.asked = self._clock()
            before = [one for one in self._jobs.values() if not one.finished]
        if job.error:
            return {"state": "failed", "error": job.error}
        if job.finished and job.paused:
            return {"state": "paused", "done": job.done, "total": job.total}
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

    def pause(self, key: str) -> None:
        """Let others come first: a clip at work stops, and what there is of it is kept."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and not job.finished:
                job.paused = True
                if job.future is not None and job.future.cancel():
                    job.finished = True

    def resume(self, key: str) -> dict[str, Any]:
        """Go on with a clip that stopped half-way; return its state.

        Raises:
            ClipError: there is no such clip, or too many wait.
        """
        with self._lock:
            job = self._find(key)
            job.asked = self._clock()
            job.paused = job.paused and job.finished  # it did not notice yet: it just goes on
            if job.paused:
                job.paused = job.finished = False
                job.recent.clear()
                self._jobs.move_to_end(key)
                self._submit(key, job)
        return self.state(key)

    def result(self, key: str) -> Path:
        """Return the coloured file.

        Raises:
            ClipError: there is no such clip, or it is not coloured yet.
        """
        with self._lock:
            job = self._find(key)
        if not job.finished or job.error or job.paused:
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

    def _submit(self, key: str, job: Job) -> None:
        """Put a job into the queue; the lock is held."""
        if sum(not one.finished for one in self._jobs.values() if one is not job) > MOST_WAITING:
            job.finished = job.paused = True
            raise ClipError("Too many clips are waiting. Come back in a while.")
        self._jobs[key] = job
        job.future = self._worker.submit(self._run, job)

    def _run(self, job: Job) -> None:
        """Colour a clip; whatever happens, the job is finished then and leaves no half file."""
        try:
            job.progress(job.done, job.total)
            job.folder.mkdir(parents=True, exist_ok=True)
            job.work()
        except _StoppedError:  # whoever resumes it before it is finished asks again
            job.paused = not job.stopped
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
        """Forget clips that nobody asks for; the lock is held."""
        now = self._clock()
        for key, job in list(self._jobs.items()):
            if job.finished and now - job.asked > (UNASKED_S if job.error else KEPT_S):
                shutil.rmtree(job.folder, ignore_errors=True)
                del self._jobs[key]
