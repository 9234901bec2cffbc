"""Frames of a film or a webcam, coloured one after the other in steady colour."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace
from PIL import Image

from colorize_hub.colour.arrays import Array, like
from colorize_hub.engines.engine import Engine
from colorize_hub.hints.hint import Hint, draw_hints
from colorize_hub.inference.canvas import Canvas, paint_picture
from colorize_hub.inference.motion import Motion, load_opencv
from colorize_hub.inference.steady import State, TemporalSmoother, look_back, memory
from colorize_hub.inference.workers import side_by_side
from colorize_hub.pictures.picture import ImageLike, Picture


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


@dataclass(frozen=True)
class _Waiting:
    """A frame that is coloured but for what the frames after it say."""

    frame: Frame
    engine: Engine
    picture: Picture
    own: State
    smoothed: State
    to_previous: Motion | None

    def paint(self, later: State | None) -> ImageOut:
        """Return the finished frame, given what later frames say; hinted cells are as hinted."""
        ab = (self.smoothed if later is None else self.smoothed.joined(later)).ab
        if self.frame.hints:
            size, grid = (self.picture.height, self.picture.width), (ab.shape[1], ab.shape[2])
            mask = like(draw_hints(self.frame.hints, size, grid)[0, 2], ab)
            ab = array_namespace(ab).where(mask > 0, self.own.ab, ab)
        return paint_picture(self.engine, self.picture, ab, self.frame.hints)


def check_steadiness(smoothing: float, look_ahead: int, workers: int) -> None:
    """Refuse what `colour_frames` cannot use.

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


def colour_frames(
    engine: Engine,
    open_canvas: Callable[[ImageLike, int | None], Canvas],
    frames: Iterable[ImageLike | Frame],
    smoothing: float,
    look_ahead: int,
    workers: int,
) -> Iterator[ImageOut]:
    """Colour frames in order; see `Colorizer.colorize_frames`.

    Args:
        engine: of the canvases.
        open_canvas: encodes a picture at a working size.
        frames: read one by one, `look_ahead` before they are needed, and with several workers as
            many more as there are workers.
        smoothing: 0 (frame by frame) to 1 (steadiest).
        look_ahead: frames.
        workers: threads.
    """

    def predict(one: ImageLike | Frame) -> tuple[Frame, Canvas, Array]:
        frame = one if isinstance(one, Frame) else Frame(one)
        canvas = open_canvas(frame.image, frame.size)
        return frame, canvas, canvas.predict(frame.hints, frame.vividness)

    with closing(side_by_side(predict, frames, workers, engine.use_threads)) as predicted:
        if smoothing:
            yield from _steadied(engine, predicted, smoothing, look_ahead)
        else:
            for frame, canvas, ab in predicted:
                yield canvas.paint(ab, frame.hints)


def _steadied(
    engine: Engine,
    predicted: Iterable[tuple[Frame, Canvas, Array]],
    smoothing: float,
    look_ahead: int,
) -> Iterator[ImageOut]:
    smoother, waiting = TemporalSmoother(smoothing), deque[_Waiting]()
    last: _Waiting | None = None
    for frame, canvas, ab in predicted:
        if last is not None and not _same_shape(last.picture, canvas.picture):
            smoother, last = TemporalSmoother(smoothing), None
        shift = None if last is None else _shift(canvas, ab, frame, last.frame)
        smoothed = smoother.smooth(canvas.lightness, ab, shift)
        own, to_previous = State.fresh(ab), smoother.to_previous
        if last is None or shift is not None or last.own.frames.shape != own.frames.shape:
            to_previous = None  # what comes from here on says nothing about the frames before
        if to_previous is None:
            while waiting:
                yield _paint_first(waiting, smoothing)
        last = _Waiting(frame, engine, canvas.picture, own, smoothed, to_previous)
        waiting.append(last)
        if len(waiting) > look_ahead:
            yield _paint_first(waiting, smoothing)
    while waiting:
        yield _paint_first(waiting, smoothing)


def _paint_first(waiting: deque[_Waiting], smoothing: float) -> ImageOut:
    """Take out the first of the waiting frames; those behind it show the same scene."""
    first = waiting.popleft()
    ahead = [(one.own, one.to_previous) for one in waiting if one.to_previous is not None]
    return first.paint(look_back(ahead, smoothing))


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
