"""Frames predicted one by one: what the network says of each, and what hints change in it.

Hints that are carried through a shot change much the same in frame after frame, and to find it
takes longer than the network itself. So it is found every few frames, and moved along between.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array
from colorize_hub.engines.engine import Engine
from colorize_hub.errors import DeviceMemoryError
from colorize_hub.hints.hint import HINT_STRIDE
from colorize_hub.inference.canvas import Canvas, open_canvases
from colorize_hub.inference.frame import Frame
from colorize_hub.inference.motion import Motion, for_flow, motions_between
from colorize_hub.inference.workers import grouped, side_by_side
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import ImageLike, Picture

Moved = Callable[[], "tuple[Motion, Motion] | None"]

_FLOW_THREADS = 8
_OF_A_THREAD = 2  # frames at once
_ANEW_EVERY = 12  # frames between two in which what carried hints change is found


@dataclass(frozen=True)
class Asked:
    """A frame to predict; `anew` says whether what carried hints change is to be found for it."""

    frame: Frame
    picture: Picture
    size: int
    anew: bool


@dataclass(frozen=True)
class Predicted:
    """A frame on its own.

    Attributes:
        ab: (2, h, w) with its hints, without those that are carried.
        change: (2, h, w) that carried hints make to that; None where it is to be moved along.
        moved: gives the motions from the frame before, if that is known.
    """

    frame: Frame
    canvas: Canvas
    ab: Array
    change: Array | None = None
    moved: Moved | None = None


def asked(frames: Iterable[ImageLike | Frame], steady: bool) -> Iterator[tuple[Frame, bool]]:
    """Yield frames, and whether what hints change is to be found anew, not moved along."""
    since = _ANEW_EVERY
    for one in frames:
        frame = one if isinstance(one, Frame) else Frame(one)
        anew = since >= _ANEW_EVERY or not (steady and frame.carried)
        since = 1 if anew else since + 1
        yield frame, anew


def predicted_alone(one: Asked, canvas: Canvas, moved: Moved | None = None) -> Predicted:
    """Predict a frame, given its canvas."""
    frame = one.frame
    if not frame.carried:
        return Predicted(frame, canvas, canvas.predict(frame.hints, frame.vividness), None, moved)
    ab = canvas.predict((), frame.vividness)
    return Predicted(frame, canvas, ab, _change(canvas, ab, frame) if one.anew else None, moved)


def by_threads(engine: Engine, frames: Iterable[Asked], workers: int) -> Generator[Predicted]:
    """Predict frames in threads, two at a time in each; one by one where there is one thread.

    Two that follow one another take a tenth less than one and then the other: the weights are
    brought to the core once for both.
    """
    workers = workers if engine.side_by_side else 1

    def predict(few: list[Asked]) -> list[Predicted]:
        canvases = open_canvases(engine, [one.picture for one in few], few[0].size)
        return [predicted_alone(one, own) for one, own in zip(few, canvases, strict=True)]

    groups = grouped(frames, _in_common, _OF_A_THREAD if workers > 1 else 1)
    predicting = side_by_side(predict, groups, workers, engine.use_threads)
    with closing(groups), closing(predicting):
        for few in predicting:
            yield from few


def in_batches(
    engine: Engine, frames: Iterable[Asked], most: int, flow: bool
) -> Generator[Predicted]:
    """Predict several frames at once, and look on other cores for what moves meanwhile."""
    before: tuple[Picture, Array] | None = None
    batches = grouped(frames, _in_common, most)
    with closing(batches), ThreadPoolExecutor(_FLOW_THREADS, "flow") as pool:
        for batch in batches:
            canvases = _opened(engine, [one.picture for one in batch], batch[0].size)
            rows, columns = (-(-side // HINT_STRIDE) for side in canvases[0].lightness.shape[2:])
            grid, seen = (rows, columns), [one.lightness for one in canvases]
            small = for_flow(array_namespace(seen[0]).concat(seen), grid) if flow else None
            predicted = []
            for i, (canvas, one) in enumerate(zip(canvases, batch, strict=True)):
                moved, picture = None, one.picture
                if small is not None:
                    now = small[i : i + 1]
                    if before and same_shape(before[0], picture) and before[1].shape == now.shape:
                        moved = pool.submit(motions_between, before[1], now, grid).result
                    before = picture, now
                predicted.append(predicted_alone(one, canvas, moved))
            yield from predicted


def moved_along(one: Predicted, before: Array | None, motion: Motion | None) -> Array | None:
    """(2, h, w) that carried hints change in a frame: found anew, or that of the frame before."""
    if one.change is not None or not one.frame.carried:
        return one.change
    if before is None or motion is None or before.shape != one.ab.shape:  # after a cut
        return _change(one.canvas, one.ab, one.frame)
    return motion.carry(before, sharp=True)


def changed(one: Predicted, change: Array | None) -> Array:
    """(2, h, w) a*b* of a frame with what carried hints change in it."""
    return one.ab if change is None else one.ab + change


def same_shape(one: Picture, other: Picture) -> bool:
    """Whether two pictures are as high and as wide."""
    return (one.height, one.width) == (other.height, other.width)


def _opened(engine: Engine, pictures: list[Picture], size: int) -> list[Canvas]:
    """Open canvases, one after the other if there is not the memory for all at once."""
    try:
        return open_canvases(engine, pictures, size)
    except DeviceMemoryError:
        if len(pictures) == 1:
            raise
    return [canvas for one in pictures for canvas in open_canvases(engine, [one], size)]


def _in_common(one: Asked) -> tuple[object, ...]:
    """Return what frames of a batch have in common."""
    return one.size, working_shape(one.picture.height, one.picture.width, one.size)


def _change(canvas: Canvas, ab: Array, frame: Frame) -> Array:
    """(2, h, w) that the hints of a frame change in `ab`, which is without them."""
    return canvas.predict(frame.hints, frame.vividness) - ab if frame.hints else ab * 0
