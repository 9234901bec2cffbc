"""Films of visitors, opened: their shots, their frames, and small pictures of these."""

import io
import threading
from concurrent.futures import Executor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from cachetools import LRUCache
from PIL import Image

from colorize_hub.atomic import write_atomically
from colorize_hub.demo.arguments import RequestError
from colorize_hub.video.cuts import FilmIndex, ShotFinder
from colorize_hub.video.pixels import stretched
from colorize_hub.video.reader import ClipFacts, measured, probe, read_frames
from colorize_hub.video.seeking import read_frame

MOST_SECONDS = 600
MOST_FRAMES = MOST_SECONDS * 60  # what a film costs, however fast it is said to play
MOST_PIXELS = 1920 * 1088
_HELD = 16  # films; one that had to go is read again when it is needed


@dataclass(eq=False)
class OpenFilm:
    """A film that is being read, or was.

    Attributes:
        clip: what it says of itself.
        finder: its shots so far.
        index: all of them, once it is read.
        error: why it cannot be, or "".
    """

    clip: ClipFacts
    finder: ShotFinder
    index: FilmIndex | None = None
    error: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> None:
        """Read it to its end; what goes wrong is kept for whoever asks."""
        try:
            for frame in read_frames(self.clip):
                with self.lock:
                    self.finder.add(frame)
            with self.lock:
                self.index = self.finder.index()
        except (ValueError, OSError, MemoryError) as error:
            name = self.clip.path.name
            self.error = str(error).replace(str(self.clip.path), name) or f"{name} is unreadable."

    def state(self) -> dict[str, Any]:
        """Return how far it is, and its shots until there: first frame, frames, start, end."""
        if self.error:
            return {"state": "failed", "error": self.error}
        with self.lock:
            done = len(self.finder)
            index = self.index or (self.finder.index() if done else None)
        shots = () if index is None else index.shots
        return {
            "state": "reading" if self.index is None else "done",
            "done": done,
            "total": self.clip.frames if self.index is None else done,
            "shots": [[one.first, one.frames, float(one.start), float(one.end)] for one in shots],
        }


class Films:
    """The open films of all visitors; a bounded number is held, 8 bytes a frame."""

    def __init__(self, folder: str | Path, reader: Executor) -> None:
        """Hold none yet.

        Args:
            folder: where single frames go; the page clears it.
            reader: reads films, one after the other.
        """
        self._folder = Path(folder)
        self._reader = reader
        self._films: LRUCache[str, OpenFilm] = LRUCache(_HELD)
        self._lock = threading.Lock()

    def open(self, path: str) -> OpenFilm:
        """Return an open film; one that is not held begins to be read.

        Raises:
            VideoError, OSError: it is no film, or is gone.
            RequestError: it is too long or too large.
        """
        with self._lock:
            found = self._films.get(path)
        if found is not None and Path(path).exists():
            return found
        clip = checked(path)
        made = OpenFilm(clip, ShotFinder(clip))
        with self._lock:
            found = self._films.get(path)
            if found is not None and found.index is not None and Path(path).exists():
                return found
            self._films[path] = made
        self._reader.submit(made.read)
        return made

    def index(self, path: str) -> FilmIndex:
        """Return the shots and times of a film that was read.

        Raises:
            RequestError: it is not read yet, or cannot be; else as `open`.
        """
        film = self.open(path)
        if film.error:
            raise RequestError(film.error)
        if film.index is None:
            raise RequestError(f"{film.clip.path.name} is still being read; try again in a moment.")
        return film.index

    def frame_file(self, path: str, number: int) -> Path:
        """Write a frame as a PNG file as it is shown; on square pixels exactly as it is decoded.

        Raises:
            ValueError: there is no such frame; else as `index`.
        """
        index = self.index(path)
        folder = Path(path).parent.name if Path(path).parent.is_relative_to(self._folder) else ""
        target = self._folder / "frames" / folder / f"{Path(path).stem}-{number:06d}.png"
        if not target.exists():
            frame = read_frame(index, number)
            target.parent.mkdir(parents=True, exist_ok=True)
            file = io.BytesIO()
            pixels = stretched(frame.pixels, index.clip.shown)
            Image.fromarray(pixels).save(file, "PNG", compress_level=1)
            write_atomically(target, file.getvalue())
        return target


def checked(path: str) -> ClipFacts:
    """Return what is in the film, whatever it says of itself, if it is not too much to ask.

    Raises:
        VideoError, OSError: it is no film, or is gone.
        RequestError: it is too long or too large.
    """
    clip, name = probe(Path(path)), Path(path).name
    elsewhere = "`colorize-hub video` on your own machine takes any"
    if clip.width * clip.height > MOST_PIXELS:
        raise RequestError(
            f"{name} is {clip.width} x {clip.height}; up to 1920 x 1080 can be coloured here. "
            f"{elsewhere} size."
        )
    clip = measured(clip)
    if clip.seconds is not None and clip.seconds > MOST_SECONDS:
        raise RequestError(
            f"{name} lasts {_clock(clip.seconds)}; up to {_clock(MOST_SECONDS)} can be coloured "
            f"here. {elsewhere} length."
        )
    if clip.frames is not None and clip.frames > MOST_FRAMES:
        raise RequestError(
            f"{name} has {clip.frames:,} frames; up to {MOST_FRAMES:,} can be coloured here. "
            f"{elsewhere} number."
        )
    return clip


def _clock(seconds: float | Fraction) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
