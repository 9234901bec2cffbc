"""Frames of a film or a webcam, coloured one after the other in steady colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from array_api_compat import array_namespace
from PIL import Image

from colorize_hub.colour.arrays import Array, like
from colorize_hub.engines.engine import Engine, Held
from colorize_hub.hints.hint import draw_hints
from colorize_hub.inference.anchoring import anchored
from colorize_hub.inference.canvas import Canvas
from colorize_hub.inference.frame import Frame
from colorize_hub.inference.motion import Motion, load_opencv
from colorize_hub.inference.predicting import (
    Asked,
    Predicted,
    asked,
    by_threads,
    changed,
    in_batches,
    moved_along,
    same_shape,
)
from colorize_hub.inference.steady import State, TemporalSmoother, look_back, memory
from colorize_hub.inference.workers import grouped
from colorize_hub.pictures.picture import ImageLike, Picture, read_picture, write_like

_AT_HAND = 16  # frames of a list that are worked on at once, where batches are faster

ImageOut = Image.Image | np.ndarray


@dataclass(frozen=True)
class _Finished:
    """A frame that is to be painted."""

    frame: Frame
    picture: Picture
    held: Held
    ab: Array


@dataclass(frozen=True)
class _Waiting:
    """A frame that is coloured but for what the frames after it say."""

    frame: Frame
    picture: Picture
    held: Held
    own: State
    smoothed: State
    to_previous: Motion | None

    def finished(self, later: State | None) -> _Finished:
        """Return the colours, given what later frames say; hinted cells are as hinted."""
        ab = (self.smoothed if later is None else self.smoothed.joined(later)).ab
        if self.frame.carried:
            ab = anchored(ab, self.frame.hints, (self.picture.height, self.picture.width))
        elif self.frame.fixed:
            size, grid = (self.picture.height, self.picture.width), (ab.shape[1], ab.shape[2])
            mask = like(draw_hints(self.frame.fixed, size, grid)[0, 2], ab)
            ab = array_namespace(ab).where(mask > 0, self.own.ab, ab)
        return _Finished(self.frame, self.picture, self.held, ab)


def check_steadiness(smoothing: float, look_ahead: int, workers: int) -> None:
    """Refuse what `color_frames` cannot use.

    Raises:
        ValueError: smoothing outside 0..1, look_ahead not a whole number from 0, or workers from 1.
        ModuleNotFoundError: smoothing needs OpenCV and it is missing.
    """
    if memory(smoothing):
        load_opencv()
    if isinstance(look_ahead, bool) or not isinstance(look_ahead, int) or look_ahead < 0:
        raise ValueError(f"look_ahead must be a whole number of frames from 0, got {look_ahead!r}.")
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise ValueError(f"workers must be a whole number of threads from 1, got {workers!r}.")


def color_frames(
    engine: Engine,
    working_size: Callable[[int | None], int],
    frames: Iterable[ImageLike | Frame],
    smoothing: float,
    look_ahead: int,
    workers: int,
) -> Iterator[ImageOut]:
    """Colour frames in order; see `Colorizer.colorize_frames`.

    Args:
        engine: computes.
        working_size: checks a working size, and gives the model's for None.
        frames: read one by one, `look_ahead` before they are needed, and with several workers as
            many more as is said there.
        smoothing: 0 (frame by frame) to 1 (steadiest).
        look_ahead: frames.
        workers: threads, or frames of a batch.
    """

    def read(wanted: tuple[Frame, bool]) -> Asked:
        frame, anew = wanted
        return Asked(frame, read_picture(frame.image), working_size(frame.size), anew)

    batch = 1
    if not engine.side_by_side:
        batch = max(workers, _AT_HAND) if isinstance(frames, Sequence) else workers
    each = asked(frames, bool(smoothing))
    if batch > 1:
        predicting = in_batches(engine, map(read, each), batch, bool(smoothing))
    else:
        predicting = by_threads(engine, map(read, each), workers)
    with closing(predicting) as predicted:
        if smoothing:
            finished = _steadied(predicted, smoothing, look_ahead)
        else:
            finished = (
                _Finished(one.frame, one.canvas.picture, one.canvas.held, changed(one, one.change))
                for one in predicted
            )
        yield from _painted(engine, finished, batch)


def _painted(engine: Engine, finished: Iterable[_Finished], most: int) -> Iterator[ImageOut]:
    """Paint frames; one batch of several comes back while the next one is begun."""
    begun: deque[tuple[list[_Finished], Callable[[], list[np.ndarray]]]] = deque()

    def results(left: int) -> Iterator[ImageOut]:
        while len(begun) > left:
            batch, wait = begun.popleft()
            try:
                painted = wait()
            except Exception:
                begun.clear()
                raise
            for one, rgb in zip(batch, painted, strict=True):
                yield write_like(rgb, one.picture)

    try:
        for batch in grouped(finished, lambda one: (one.frame.fixed, one.ab.shape), most):
            held = engine.together([one.held for one in batch])
            ab = array_namespace(batch[0].ab).stack([one.ab for one in batch])
            begun.append((batch, engine.begin_painting(held, ab, batch[0].frame.fixed)))
            yield from results(int(most > 1))
    except Exception:
        yield from results(0)  # what came before the error comes before it
        raise
    yield from results(0)


def _steadied(
    predicted: Iterable[Predicted], smoothing: float, look_ahead: int
) -> Iterator[_Finished]:
    smoother, waiting = TemporalSmoother(smoothing), deque[_Waiting]()
    last: _Waiting | None = None
    change: Array | None = None
    for one in predicted:
        frame, canvas = one.frame, one.canvas
        if last is not None and not same_shape(last.picture, canvas.picture):
            smoother, last = TemporalSmoother(smoothing), None
        motion = smoother.move(canvas.lightness, one.ab, one.moved)
        one = _as_strong(one, smoother.strength(canvas.strength))
        change = moved_along(one, change, motion)
        ab = changed(one, change)
        shift = None if last is None else _shift(canvas, ab, frame, last.frame)
        smoothed = smoother.add(ab, shift)
        own, to_previous = State.fresh(ab), smoother.to_previous
        if last is None or shift is not None or last.own.frames.shape != own.frames.shape:
            to_previous = None  # what comes from here on says nothing about the frames before
        if to_previous is None:
            while waiting:
                yield _finish_first(waiting, smoothing)
        last = _Waiting(frame, canvas.picture, canvas.held, own, smoothed, to_previous)
        waiting.append(last)
        if len(waiting) > look_ahead:
            yield _finish_first(waiting, smoothing)
    while waiting:
        yield _finish_first(waiting, smoothing)


def _finish_first(waiting: deque[_Waiting], smoothing: float) -> _Finished:
    """Take out the first of the waiting frames; those behind it show the same scene."""
    first = waiting.popleft()
    ahead = [(one.own, one.to_previous) for one in waiting if one.to_previous is not None]
    return first.finished(look_back(ahead, smoothing))


def _as_strong(one: Predicted, strength: Array) -> Predicted:
    """Return a frame in colours as strong as those of its scene; one with hints stays as it is."""
    if one.frame.hints:
        return one
    return replace(one, ab=one.ab * (strength / one.canvas.strength)[0])


def _shift(canvas: Canvas, ab: Array, frame: Frame, before: Frame) -> Array | None:
    """How far a changed wish moves the colours of a frame; None if nothing changed.

    A hint that only moved follows its object, as the colours carried along do.
    """
    if frame.carried or before.carried or _wish(frame) == _wish(before):
        return None
    return ab - canvas.predict(before.hints, before.vividness)


def _wish(frame: Frame) -> tuple[object, ...]:
    return (frame.vividness, *((hint.rgb, hint.radius) for hint in frame.hints))
