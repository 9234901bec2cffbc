"""Shots in colour inside a grey film: found while it is read, so that they can be left as they are.

Each frame is judged as a picture is, by `has_color`. What most frames after a cut are decides for
the shot that begins there. Without a cut a change counts once it lasts: a dissolve is one, a dark
moment is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby, islice, pairwise, takewhile
from operator import itemgetter

import numpy as np
from PIL import Image

from colorize_hub.engines.compose import pixels_to_lightness
from colorize_hub.inference.motion import motions
from colorize_hub.pictures.toning import has_color, has_colors_of, has_lightness_of
from colorize_hub.video.reader import ClipFacts, ClipFrame, read_frames

_WINDOW = 12  # frames that are judged before the first of them is decided
_SIDE = 256  # pixels of the copies in which a cut is looked for
_CELL = 4  # of these pixels to a cell of ab
_MOST_NAMED = 8
_MOST_COMPARED = 250
_FILM_ERROR = 1.5  # L* that H.264 of 8 bits and 4:2:0 may change


def by_color(frames: Iterable[ClipFrame]) -> Iterator[tuple[bool, Iterator[ClipFrame]]]:
    """Yield runs of frames, and whether they have colour; use up a run before the next.

    At most _WINDOW frames are held back. A film that decodes as grey is one run.
    """
    for colored, run in groupby(_decided(frames), itemgetter(1)):
        yield colored, map(itemgetter(0), run)


def is_recolored_film(film: ClipFacts, original: ClipFacts) -> bool:
    """Whether a film is another one in other colours, by what its first seconds show."""
    pairs = zip(read_frames(film), read_frames(original), strict=False)
    recolored = False
    for one, other in islice(pairs, 0, _MOST_COMPARED, _WINDOW):
        height, width = other.pixels.shape[:2]  # an odd size was made even
        pixels, own = _with_channels(one.pixels)[:height, :width], _with_channels(other.pixels)
        if not has_lightness_of(pixels, own, _FILM_ERROR):
            return False
        recolored = recolored or not has_colors_of(pixels, own)
    return recolored


@dataclass
class LeftShots:
    """The shots that were left as they are, for the sentence that names them.

    Attributes:
        spans: time of each one's first frame, and end of its last, in units of the film.
        all_of_it: there was no other frame.
    """

    spans: list[list[int]] = field(default_factory=list)
    all_of_it: bool = True

    def noted(self, run: Iterable[ClipFrame]) -> Iterator[ClipFrame]:
        """Yield the frames of one shot, as they are noted."""
        span: list[int] = []
        for frame in run:
            if not span:
                self.spans.append(span)
            span[:] = [span[0] if span else frame.time, frame.time + frame.duration]
            yield frame

    def sentence(self, start: int, time_base: Fraction, marked: Sequence[int] = ()) -> str | None:
        """Return what to tell of them, if there are any.

        Args:
            start: time of the film's first frame.
            time_base: seconds of one unit of its times.
            marked: times of frames on which a person set colours.
        """
        if not self.spans:
            return None

        def clock(time: int) -> str:
            return _clock((time - start) * time_base)

        if self.all_of_it:
            said = "It has colour throughout and was left as it is; --recolor colours it."
        else:
            spans = [" to ".join(map(clock, span)) for span in self.spans]
            said = (
                f"Shots that have colour were left as they are: {_named(spans)}; --recolor colours"
                " them too."
            )
        unused = [clock(time) for time in marked if any(a <= time < end for a, end in self.spans)]
        if unused:
            said += f" Colours were set in them, at {_named(unused)}: these were not used."
        return said


class _Judged:
    """A frame, and what is found out about it."""

    def __init__(self, frame: ClipFrame) -> None:
        self.frame = frame
        self.colored = frame.pixels.ndim == 3 and has_color(frame.pixels)
        self._begins_shot: bool | None = None

    def begins_shot(self, before: _Judged) -> bool:
        """Whether there is a cut between the frame before and this one."""
        if self._begins_shot is None:
            first, second = (_lightness(one.frame.pixels) for one in (before, self))
            shape = max(1, second.shape[2] // _CELL), max(1, second.shape[3] // _CELL)
            try:
                self._begins_shot = motions(first, second, shape) is None
            except ModuleNotFoundError:  # without OpenCV no cut is known
                self._begins_shot = False
        return self._begins_shot


def _decided(frames: Iterable[ClipFrame]) -> Iterator[tuple[ClipFrame, bool]]:
    ahead, before, state = deque[_Judged](), None, False

    def decide() -> tuple[ClipFrame, bool]:
        nonlocal before, state
        state = _state(state, before, ahead)
        before = ahead.popleft()
        return before.frame, state

    for frame in frames:
        ahead.append(_Judged(frame))
        if len(ahead) == _WINDOW:
            yield decide()
    while ahead:
        yield decide()


def _state(state: bool, before: _Judged | None, ahead: Sequence[_Judged]) -> bool:
    """Whether the first of the frames ahead is in colour, given that the one before was or not."""
    if all(one.colored == state for one in ahead):
        return state
    same_shot = takewhile(lambda pair: not pair[1].begins_shot(pair[0]), pairwise(ahead))
    judged = [ahead[0].colored, *(one.colored for _, one in same_shot)]
    if before is None or ahead[0].begins_shot(before):
        return 2 * sum(judged) > len(judged)
    return not state if judged == [not state] * _WINDOW else state


def _lightness(pixels: np.ndarray) -> np.ndarray:
    """(1, 1, h, w) L* of a small copy."""
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(image)
    return pixels_to_lightness(_with_channels(small))[None]


def _with_channels(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1 or 3) of (H, W) grey or (H, W, 3)."""
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _named(all_of_them: list[str]) -> str:
    more = len(all_of_them) - _MOST_NAMED
    return ", ".join([*all_of_them[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _clock(seconds: Fraction) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
