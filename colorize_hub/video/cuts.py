"""The shots of a film: where one ends and the next begins, found by PySceneDetect."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from colorize_hub.video.dissolves import DissolveFinder
from colorize_hub.video.opening import VideoError
from colorize_hub.video.reader import ClipFacts, ClipFrame, read_frames

if TYPE_CHECKING:
    from types import ModuleType

Progress = Callable[[int, "int | None"], object]

_SIDE = 256  # pixels of the copies that are compared
_LEAST_FRAMES = 5  # of a shot: what is shorter is a flash or a splice
_APART = 16  # frames between a dissolve and another cut: a fade is a mixture with black too


@dataclass(frozen=True)
class Shot:
    """The frames between two cuts.

    Attributes:
        first: number of its first frame, from 0.
        frames: how many it has.
        start: seconds from the film's first frame to its own.
        end: seconds to the end of its last frame.
    """

    first: int
    frames: int
    start: Fraction
    end: Fraction


@dataclass(frozen=True, eq=False)
class FilmIndex:
    """Every frame's time, and the shots: 8 bytes a frame and a cut, whatever the film.

    Attributes:
        clip: the film.
        times: of each frame, in units of the film's time_base.
        end: of the last frame, in the same units.
        cuts: number of the first frame of each shot but the first, rising.
    """

    clip: ClipFacts
    times: Sequence[int]
    end: int
    cuts: Sequence[int]

    @cached_property
    def shots(self) -> Sequence[Shot]:
        """All shots, in order; there is one at least. Each is made when it is asked for."""
        return _Shots(self)

    def shot_of(self, frame: int) -> Shot:
        """Return the shot that a frame is in."""
        return self.shots[bisect_right(self.cuts, frame)]

    def seconds(self, frame: int) -> Fraction:
        """Return the time of a frame, or of the film's end, from the film's first frame."""
        time = self.times[frame] if frame < len(self.times) else self.end
        return (time - self.times[0]) * self.clip.time_base


class _Shots(Sequence[Shot]):
    def __init__(self, index: FilmIndex) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index.cuts) + 1

    def __getitem__(self, number: int) -> Shot:  # pyright: ignore[reportIncompatibleMethodOverride]
        index = self._index
        number = range(len(self))[number]
        first = index.cuts[number - 1] if number else 0
        last = index.cuts[number] if number < len(index.cuts) else len(index.times)
        return Shot(first, last - first, index.seconds(first), index.seconds(last))


class ShotFinder:
    """Finds the shots of a film, frame by frame.

    AdaptiveDetector finds cuts: a frame whose mean change of luma stands out among those around it.
    ThresholdDetector finds fades through black, and cuts in the middle of the black. A dissolve is
    no cut to either of them; it is cut in its middle. All look at small grey copies.
    """

    def __init__(self, clip: ClipFacts) -> None:
        """Find none yet.

        Raises:
            ModuleNotFoundError: PySceneDetect is missing.
        """
        module = _scenedetect()
        self._clip = clip
        self._timecode = module.FrameTimecode
        self._detectors: list[Any] = [
            module.AdaptiveDetector(luma_only=True, min_scene_len=_LEAST_FRAMES),
            module.ThresholdDetector(min_scene_len=_LEAST_FRAMES),
        ]
        self._dissolves = DissolveFinder()
        self._times = array("q")
        self._cuts = array("q")
        self._mixed = array("q")  # the middles of dissolves
        self._end = 0

    def __len__(self) -> int:
        """How many frames it has seen."""
        return len(self._times)

    def add(self, frame: ClipFrame) -> None:
        """Look at the next frame."""
        code = self._timecode(len(self._times), fps=25.0)  # frames are counted, not timed
        grey = _small(frame.pixels)
        self._times.append(frame.time)
        self._end = frame.time + frame.duration
        if (mixed := self._dissolves.add(grey)) is not None:
            self._mixed.append(mixed)
        picture = grey[..., None].repeat(3, axis=2)  # BGR, as PySceneDetect takes frames
        for detector in self._detectors:
            for cut in detector.process_frame(code, picture):
                _insert(self._cuts, cut.frame_num, _LEAST_FRAMES)

    def index(self) -> FilmIndex:
        """Return what is found by now.

        Raises:
            ValueError: it has seen no frame.
        """
        if not self._times:
            raise ValueError("A film without a frame has no shots.")
        cuts, going_on = self._cuts[:], self._dissolves.going_on
        for mixed in (*self._mixed, *([] if going_on is None else [going_on])):
            _insert(cuts, mixed, _APART)
        return FilmIndex(self._clip, self._times[:], self._end, cuts)


def _insert(cuts: array[int], cut: int, apart: int) -> None:
    """Put a cut in its place, unless another one is so near that it is the same."""
    place = bisect_left(cuts, cut)
    around = [0, *cuts[max(0, place - 1) : place + 1]]
    if all(abs(cut - other) >= apart for other in around):
        cuts.insert(place, cut)


def find_shots(clip: ClipFacts, on_progress: Progress | None = None) -> FilmIndex:
    """Read a film once, and find its shots.

    Args:
        clip: what `probe` found.
        on_progress: called after each frame with how many are read and how many there are, about;
            None where the film does not tell. What it raises stops the work and is raised.

    Raises:
        VideoError, FileNotFoundError: as for `read_frames`.
        ModuleNotFoundError: PyAV or PySceneDetect is missing.
    """
    finder = ShotFinder(clip)
    for done, frame in enumerate(read_frames(clip), 1):
        finder.add(frame)
        if on_progress is not None:
            on_progress(done, clip.frames)
    if not len(finder):
        raise VideoError(f"No frame of {clip.path} can be decoded.")
    return finder.index()


def time_code(seconds: Fraction) -> str:
    """Return HH:MM:SS.mmm as files of hints take it; cut off, so that it never lies after."""
    whole, thousandths = divmod(int(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{thousandths:03d}"


def spread(shots: Sequence[Shot], most: int) -> Iterator[tuple[int, Shot]]:
    """Yield so many of the shots at most, at even distances, with their numbers from 1."""
    count = min(most, len(shots))
    for step in range(count):
        number = step * len(shots) // count
        yield number + 1, shots[number]


def _small(pixels: np.ndarray) -> np.ndarray:
    """(h, w) grey of a small copy."""
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(image.convert("L"))


def _scenedetect() -> ModuleType:
    """PySceneDetect, which takes a moment.

    Raises:
        ModuleNotFoundError: it is missing.
    """
    try:
        import scenedetect
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Shots need PySceneDetect: pip install 'colorize-hub[video]'", name="scenedetect"
        ) from error
    return scenedetect
