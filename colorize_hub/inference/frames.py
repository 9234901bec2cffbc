"""Frames of a film or a webcam, coloured one after the other in steady colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace
from PIL import Image

from colorize_hub.colour.arrays import Array, like
from colorize_hub.engines.engine import Engine, Held
from colorize_hub.errors import DeviceMemoryError
from colorize_hub.hints.hint import HINT_STRIDE, Hint, draw_hints
from colorize_hub.inference.canvas import Canvas, open_canvases
from colorize_hub.inference.motion import Motion, for_flow, load_opencv, motions_between
from colorize_hub.inference.steady import State, TemporalSmoother, look_back, memory
from colorize_hub.inference.workers import grouped, side_by_side
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import ImageLike, Picture, read_picture, write_like

_AT_HAND = 16  # frames of a list that are worked on at once, where batches are faster
_FLOW_THREADS = 8


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame with what a person wants of it; a bare picture stands for Frame(picture).

    Attributes:
        image: path, PIL image or array.
        hints: colours to fix, in pixels of the frame, as for `Canvas.render`.
        vividness: 0 (dull) to 1 (vivid); None takes the model's calibrated value.
        size: working short side in pixels; None takes the model's.
    """

    image: ImageLike
    hints: Sequence[Hint] = ()
    vividness: float | None = None
    size: int | None = None


ImageOut = Image.Image | np.ndarray
Moved = Callable[[], "tuple[Motion, Motion] | None"]


@dataclass(frozen=True)
class _Predicted:
    """A frame on its own; `moved` gives the motions from the frame before, if that is known."""

    frame: Frame
    canvas: Canvas
    ab: Array
    moved: Moved | None = None


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
        if self.frame.hints:
            size, grid = (self.picture.height, self.picture.width), (ab.shape[1], ab.shape[2])
            mask = like(draw_hints(self.frame.hints, size, grid)[0, 2], ab)
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

    def read(one: ImageLike | Frame) -> tuple[Frame, Picture, int]:
        frame = one if isinstance(one, Frame) else Frame(one)
        return frame, read_picture(frame.image), working_size(frame.size)

    def predict(one: ImageLike | Frame) -> _Predicted:
        frame, picture, size = read(one)
        (canvas,) = open_canvases(engine, [picture], size)
        return _Predicted(frame, canvas, canvas.predict(frame.hints, frame.vividness))

    batch = 1
    if not engine.side_by_side:
        batch = max(workers, _AT_HAND) if isinstance(frames, Sequence) else workers
    if batch > 1:
        predicting = _in_batches(engine, map(read, frames), batch, bool(smoothing))
    else:
        threads = workers if engine.side_by_side else 1
        predicting = side_by_side(predict, frames, threads, engine.use_threads)
    with closing(predicting) as predicted:
        if smoothing:
            finished = _steadied(predicted, smoothing, look_ahead)
        else:
            finished = (
                _Finished(one.frame, one.canvas.picture, one.canvas.held, one.ab)
                for one in predicted
            )
        yield from _painted(engine, finished, batch)


def _in_batches(
    engine: Engine, frames: Iterable[tuple[Frame, Picture, int]], most: int, flow: bool
) -> Generator[_Predicted]:
    """Predict several frames at once, and look on other cores for what moves meanwhile."""
    before: tuple[Picture, Array] | None = None
    batches = grouped(frames, _in_common, most)
    with closing(batches), ThreadPoolExecutor(_FLOW_THREADS, "flow") as pool:
        for batch in batches:
            canvases = _opened(engine, [picture for _, picture, _ in batch], batch[0][2])
            rows, columns = (-(-side // HINT_STRIDE) for side in canvases[0].lightness.shape[2:])
            grid, seen = (rows, columns), [one.lightness for one in canvases]
            small = for_flow(array_namespace(seen[0]).concat(seen), grid) if flow else None
            predicted = []
            for i, (canvas, (frame, picture, _)) in enumerate(zip(canvases, batch, strict=True)):
                moved = None
                if small is not None:
                    now = small[i : i + 1]
                    if before and _same_shape(before[0], picture) and before[1].shape == now.shape:
                        moved = pool.submit(motions_between, before[1], now, grid).result
                    before = picture, now
                ab = canvas.predict(frame.hints, frame.vividness)
                predicted.append(_Predicted(frame, canvas, ab, moved))
            yield from predicted


def _opened(engine: Engine, pictures: list[Picture], size: int) -> list[Canvas]:
    """Open canvases, one after the other if there is not the memory for all at once."""
    try:
        return open_canvases(engine, pictures, size)
    except DeviceMemoryError:
        if len(pictures) == 1:
            raise
    return [canvas for one in pictures for canvas in open_canvases(engine, [one], size)]


def _in_common(read: tuple[Frame, Picture, int]) -> tuple[object, ...]:
    """Return what frames of a batch have in common."""
    _, picture, size = read
    return size, working_shape(picture.height, picture.width, size)


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
        for batch in grouped(finished, lambda one: (one.frame.hints, one.ab.shape), most):
            held = engine.together([one.held for one in batch])
            ab = array_namespace(batch[0].ab).stack([one.ab for one in batch])
            begun.append((batch, engine.begin_painting(held, ab, batch[0].frame.hints)))
            yield from results(int(most > 1))
    except Exception:
        yield from results(0)  # what came before the error comes before it
        raise
    yield from results(0)


def _steadied(
    predicted: Iterable[_Predicted], smoothing: float, look_ahead: int
) -> Iterator[_Finished]:
    smoother, waiting = TemporalSmoother(smoothing), deque[_Waiting]()
    last: _Waiting | None = None
    for one in predicted:
        frame, canvas, ab = one.frame, one.canvas, one.ab
        if last is not None and not _same_shape(last.picture, canvas.picture):
            smoother, last = TemporalSmoother(smoothing), None
        shift = None if last is None else _shift(canvas, ab, frame, last.frame)
        smoothed = smoother.smooth(canvas.lightness, ab, shift, one.moved)
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


def _shift(canvas: Canvas, ab: Array, frame: Frame, before: Frame) -> Array | None:
    """How far a changed wish moves the colours of a frame; None if nothing changed.

    A hint that only moved follows its object, as the colours carried along do.
    """
    if _wish(frame) == _wish(before):
        return None
    return ab - canvas.predict(before.hints, before.vividness)


def _wish(frame: Frame) -> tuple[object, ...]:
    return (frame.vividness, *((hint.rgb, hint.radius) for hint in frame.hints))


def _same_shape(one: Picture, other: Picture) -> bool:
    return (one.height, one.width) == (other.height, other.width)
