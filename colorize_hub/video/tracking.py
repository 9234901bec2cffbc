"""Hints carried through their shot, forwards and backwards from the frame they were set on."""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, islice

import numpy as np
from PIL import Image

from colorize_hub.hints.hint import Hint
from colorize_hub.inference.following import FlowFollower, Follower
from colorize_hub.inference.tracking import small_grey
from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.hints import FilmHints, FilmMoment
from colorize_hub.video.opening import VideoError
from colorize_hub.video.seeking import read_from

_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, eq=False)
class TrackedHint:
    """A hint, and where what it lies on is in each frame of its shot.

    Attributes:
        hint: as it was set.
        frame: number of the frame that it was set on.
        first: number of the first frame that `places` tells of.
        places: (T, 2) float32, x and y in pixels of the film as it is shown, frame by frame from
            `first` on.
        seen: (T,) bool, whether it lives there; where it is lost or covered it is silent.
    """

    hint: Hint
    frame: int
    first: int
    places: np.ndarray
    seen: np.ndarray

    def at(self, frame: int) -> Hint | None:
        """Return the hint as it is on a frame; None where it is silent."""
        step = frame - self.first
        if not (0 <= step < len(self.seen) and self.seen[step]):
            return None
        x, y = map(float, self.places[step])
        return replace(self.hint, x=x, y=y)

    @property
    def lives(self) -> list[tuple[int, int]]:
        """[(first, last)] numbers of the frames on which it lives, in runs."""
        frame, runs = self.first, []
        for alive, run in groupby(self.seen.tolist()):
            length = len(list(run))
            if alive:
                runs.append((frame, frame + length - 1))
            frame += length
        return runs


class TrackedHints:
    """All hints of a film, ready to be asked for any frame."""

    def __init__(self, index: FilmIndex, tracked: Iterable[TrackedHint]) -> None:
        """Keep hints, of which later ones lie over earlier ones, for a film's frames."""
        self._index = index
        shown, clip = index.clip.shown, index.clip
        self._scale = clip.width / shown[0], clip.height / shown[1]
        self._by_shot: dict[int, list[TrackedHint]] = defaultdict(list)
        for one in tracked:
            self._by_shot[index.shot_of(one.frame).first].append(one)

    @property
    def marked(self) -> list[int]:
        """Times of the frames that hints were set on, in units of the film's time_base."""
        frames = {one.frame for shot in self._by_shot.values() for one in shot}
        return [self._index.times[frame] for frame in sorted(frames)]

    def on(self, frame: int) -> list[Hint]:
        """Return the hints that live on a frame, by its number, in pixels as they are stored."""
        shot = self._by_shot.get(self._index.shot_of(frame).first, ())
        return [_scaled(hint, *self._scale) for one in shot if (hint := one.at(frame)) is not None]

    def at(self, time: int) -> list[Hint]:
        """Return the same, by the frame's time in units of the film's time_base."""
        return self.on(bisect_left(self._index.times, time))


def _scaled(hint: Hint, across: float, down: float) -> Hint:
    if across == down == 1:
        return hint
    radius = None if hint.radius is None else hint.radius * (across * down) ** 0.5
    return replace(hint, x=hint.x * across, y=hint.y * down, radius=radius)


def track_hints(
    frames: Sequence[np.ndarray],
    marks: Sequence[tuple[int, Hint]],
    size: tuple[int, int],
    look: bool = True,
) -> list[TrackedHint]:
    """Carry hints through one shot.

    Args:
        frames: of the shot, (h, w) uint8 grey of one size, as `small_grey` makes them; any sequence
            that can be asked for them again.
        marks: number in `frames` of the one that it was set on, and the hint.
        size: (width, height) of the film, whose pixels the hints count; the frames may be of
            another shape.
        look: follow each with what lies around it, and look for what is lost; for many hints that
            takes long, see `FlowFollower`.

    Returns:
        Each mark with its place in every frame, in their order; frames are numbered as in `frames`.

    Raises:
        ModuleNotFoundError: OpenCV is missing.
    """
    count, found = len(frames), {}
    by_frame: dict[int, list[int]] = defaultdict(list)
    for index, (frame, _) in enumerate(marks):
        by_frame[frame].append(index)
    for start, group in by_frame.items():
        scale = np.array(frames[start].shape[::-1]) / size
        at = np.array([(marks[index][1].x, marks[index][1].y) for index in group])
        places = np.zeros((count, len(group), 2), np.float32)
        seen = np.zeros((count, len(group)), bool)
        for ahead in (range(start + 1, count), range(start - 1, -1, -1)):
            follower = (Follower if look else FlowFollower)(frames[start], at * scale - 0.5)
            for number in ahead:
                follower.follow(frames[number])
                places[number] = (follower.places + 0.5) / scale
                seen[number] = follower.seen
        places[start], seen[start] = at, True
        places = places.clip(0, np.nextafter(np.array(size, np.float32), np.float32(0)))
        for column, index in enumerate(group):
            hint = marks[index][1]
            found[index] = TrackedHint(hint, start, 0, places[:, column], seen[:, column])
    return [found[index] for index in range(len(marks))]


def track_film(index: FilmIndex, hints: FilmHints) -> list[TrackedHint]:
    """Carry the hints of a film through their shots; only these are read.

    Args:
        index: of the film, see `find_shots`.
        hints: of the film.

    Returns:
        Each hint, in their order.

    Raises:
        VideoError: the hints are for another film, or lie past its end.
        ModuleNotFoundError: OpenCV is missing.
    """
    hints.check(index.clip)
    hints.check_frames(len(index.times), index.clip.path.name)
    frames = [frame_number(index, one.moment) for one in hints.hints]
    by_shot: dict[int, list[int]] = defaultdict(list)
    for order, frame in enumerate(frames):
        by_shot[index.shot_of(frame).first].append(order)
    tracked: dict[int, TrackedHint] = {}
    for first, orders in sorted(by_shot.items()):
        marks = [(frames[order], hints.hints[order].hint) for order in orders]
        tracked |= zip(orders, track_shot(index, first, marks), strict=True)
    return [tracked[order] for order in range(len(frames))]


def track_shot(
    index: FilmIndex, first: int, marks: Sequence[tuple[int, Hint]], look: bool = True
) -> list[TrackedHint]:
    """Do what `track_hints` does for the shot that begins at frame `first` of a film.

    Here frames are numbered as in the film.
    """
    clip = index.clip
    with closing(ShotFrames(index, first)) as shot:
        own = [(frame - first, hint) for frame, hint in marks]
        found = track_hints(shot, own, clip.shown, look)
    return [replace(one, frame=one.frame + first, first=first) for one in found]


def frame_number(index: FilmIndex, moment: FilmMoment) -> int:
    """Return the number of the frame that is meant; exact, whatever the film's rate.

    Raises:
        VideoError: the film ends before it.
    """
    count, bound = len(index.times), moment.bound
    if moment.frame is not None:
        if moment.frame < count:
            return moment.frame
        raise VideoError(
            f"There is no {moment} in {index.clip.path.name}, which has {count} frames, counted"
            " from 0; take the hints of this film."
        )
    step = index.clip.time_base
    if bound is None or bound >= (index.end - index.times[0]) * step + _MILLISECOND:
        seconds = float(index.seconds(count))
        raise VideoError(
            f"There is nothing at {moment} in {index.clip.path.name}, which ends after"
            f" {seconds:.3f} seconds; take the hints of this film."
        )
    return max(0, bisect_left(index.times, index.times[0] + bound / step) - 1)


class ShotFrames(Sequence[np.ndarray]):
    """The frames of a shot, small and grey, in a file that is gone when it is closed."""

    def __init__(self, index: FilmIndex, frame: int) -> None:
        """Read the shot that a frame is in.

        Raises: as `read_from`.
        """
        shot = index.shot_of(frame)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is
        self._count, self._shape = 0, (0, 0)
        with closing(read_from(index, shot.first)) as frames:
            for one in islice(frames, shot.frames):
                small = small_grey(Image.fromarray(one.pixels))
                self._shape = small.shape
                self._file.write(small.tobytes())
                self._count += 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        rows, columns = self._shape
        self._file.seek(range(self._count)[number] * rows * columns)
        read = self._file.read(rows * columns)
        return np.frombuffer(read, np.uint8).reshape(rows, columns)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
