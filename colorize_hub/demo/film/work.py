"""What a visitor did to a film, as the JSON that the page keeps and saves.

It is a file of hints as `FilmHints` reads it, so that `colorize-hub video --hints` takes it, with
what the page needs beside: strokes as they were drawn, vividness and steadiness.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from colorize_hub.demo.arguments import RequestError, number, text, whole
from colorize_hub.demo.photo.marks import Mark, hints_of, read_mark
from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.hints import FilmHint, FilmHints, FilmMoment
from colorize_hub.video.tracking import frame_number

MOST_MARKS = 2000
_MOST_LETTERS = 4_000_000  # of a document


@dataclass(frozen=True)
class FilmMark:
    """A point or a stroke on a frame of a film.

    Attributes:
        frame: number, from 0.
        mark: in pixels of the film.
    """

    frame: int
    mark: Mark


@dataclass(frozen=True)
class FilmWork:
    """All that makes a coloured film differ from the model's first guess.

    Attributes:
        marks: later ones lie over earlier ones.
        vividness: 0..1, or None for the model's own.
        smoothing: 0..1.
    """

    marks: tuple[FilmMark, ...] = ()
    vividness: float | None = None
    smoothing: float = 0.8

    def on(self, first: int, frames: int) -> tuple[FilmMark, ...]:
        """Return the marks that were made on some frames that follow each other."""
        return tuple(one for one in self.marks if first <= one.frame < first + frames)


def read_film_work(document: object, index: FilmIndex) -> FilmWork:
    """Read a document of the page, or any file of hints, for a film.

    Args:
        document: JSON text; nothing at all is no marks.
        index: of the film.

    Raises:
        RequestError, VideoError: it is not JSON, a field is wrong, or it belongs to another film: a
            sentence says which.
    """
    written = text(document, "hints", _MOST_LETTERS).strip()
    if not written:
        return FilmWork()
    try:
        read = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The hints are not JSON: {error}") from error
    hints = FilmHints.from_dict(read)
    hints.check(index.clip)
    hints.check_frames(len(index.times), index.clip.path.name)
    marks = read.get("marks")
    found = _of_hints(hints, index) if marks is None else _of_marks(marks, index)
    if len(found) > MOST_MARKS:
        raise RequestError(f"These are {len(found)} marks; a film takes at most {MOST_MARKS}.")
    vividness, smoothing = read.get("vividness"), read.get("smoothing")
    return FilmWork(
        marks=tuple(found),
        vividness=None if vividness is None else number(vividness, "vividness", 0, 1),
        smoothing=0.8 if smoothing is None else number(smoothing, "smoothing", 0, 1),
    )


def write_film_work(work: FilmWork, index: FilmIndex) -> dict[str, Any]:
    """Return the document of some work, ready for JSON; `read_film_work` gives the work back."""
    return {
        **film_hints(work.marks, index).to_dict(),
        "marks": [
            {
                "frame": one.frame,
                "points": one.mark.points,
                "rgb": one.mark.rgb,
                "radius": one.mark.radius,
            }
            for one in work.marks
        ],
        "vividness": work.vividness,
        "smoothing": work.smoothing,
    }


def film_hints(marks: Sequence[FilmMark], index: FilmIndex) -> FilmHints:
    """Return what `colorize_video` takes; a stroke becomes hints at even distances."""
    clip = index.clip
    hints = [
        FilmHint(FilmMoment(frame=one.frame), hint)
        for one in marks
        for hint in hints_of([one.mark])
    ]
    film = {"name": clip.path.name, "frames": len(index.times)}
    return FilmHints(tuple(hints), clip.shown, film)


def _of_marks(values: object, index: FilmIndex) -> list[FilmMark]:
    if not isinstance(values, list):
        raise RequestError(f"marks must be a list, got {type(values).__name__}.")
    found = []
    for place, value in enumerate(values, 1):
        mark = read_mark(value, f"mark {place}")
        frame = whole(value.get("frame"), f"frame of mark {place}", 0)
        _check_place(mark, f"Mark {place}", index)
        found.append(FilmMark(frame_number(index, FilmMoment(frame=frame)), mark))
    return found


def _of_hints(hints: FilmHints, index: FilmIndex) -> list[FilmMark]:
    found = []
    for one in hints.hints:
        hint, frame = one.hint, frame_number(index, one.moment)
        r, g, b = (round(part) for part in hint.rgb)
        found.append(FilmMark(frame, Mark(((hint.x, hint.y),), (r, g, b), hint.radius)))
    return found


def _check_place(mark: Mark, name: str, index: FilmIndex) -> None:
    width, height = index.clip.shown
    for x, y in mark.points:
        if not (0 <= x < width and 0 <= y < height):
            raise RequestError(
                f"{name} lies at ({x:g}, {y:g}), outside the film's {width} x {height} pixels."
            )
