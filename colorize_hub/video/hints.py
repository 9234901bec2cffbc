"""Colours that a person fixed on frames of a film, and the file that keeps them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_hub.atomic import write_atomically
from colorize_hub.hints.hint import Hint
from colorize_hub.video.opening import VideoError

if TYPE_CHECKING:
    from colorize_hub.video.reader import ClipFacts

_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]\d(?:\.(\d{1,9}))?)", re.ASCII)
_LEAST_STEP = 3  # decimals: a time code stands for a millisecond at most
_KEYS = {"frame", "time", "x", "y", "rgb", "radius"}
_MOST_SHOWN = 60  # letters of a value that an error repeats


@dataclass(frozen=True)
class FilmMoment:
    """A frame of a film, by its number or by a time at which it is shown. One of them is given.

    Attributes:
        frame: number of the frame, from 0.
        time: time code from the film's first frame, such as "00:01:02.500" or "1:02.5". A code
            that was cut off after its last decimal still finds the frame that begins there.
    """

    frame: int | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        if (self.frame is None) == (self.time is None):
            raise VideoError('expected either "frame" or "time", got both or neither')
        if self.frame is not None and (type(self.frame) is not int or self.frame < 0):
            raise VideoError(f'"frame" must be a whole number from 0, got {_shown(self.frame)}')
        if self.time is not None and not (
            isinstance(self.time, str) and _CLOCK.fullmatch(self.time)
        ):
            raise VideoError(
                f'"time" must be a time code such as "00:01:02.500", got {_shown(self.time)}'
            )

    @property
    def bound(self) -> Fraction | None:
        """Seconds from the first frame: the last frame that begins before is meant; None by frame.

        Exact: this is the end of the step that the last decimal stands for, a millisecond at most.
        """
        found = _CLOCK.fullmatch(self.time or "")
        if found is None:
            return None
        hours, minutes, seconds, decimals = found.groups()
        step = Fraction(1, 10 ** max(_LEAST_STEP, len(decimals or "")))
        return int(hours or 0) * 3600 + int(minutes) * 60 + Fraction(seconds) + step

    def __str__(self) -> str:
        return f"frame {self.frame}" if self.time is None else f"time {self.time}"


@dataclass(frozen=True)
class FilmHint:
    """A colour at a place of one frame, to be carried through the shot of that frame.

    Attributes:
        moment: the frame.
        hint: place, in pixels of the film as it is shown (see `ClipFacts.shown`), and colour.
    """

    moment: FilmMoment
    hint: Hint


@dataclass(frozen=True)
class FilmHints:
    """The colours that a person fixed in a film.

    Attributes:
        hints: where two lie over each other, the later one counts.
        size: (width, height) in pixels of the film that they are for; None fits any.
        film: what else is known of that film: "frames", how many it has, so that hints of another
            one are refused, and for people its "name" and the like.
    """

    hints: tuple[FilmHint, ...] = ()
    size: tuple[int, int] | None = None
    film: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> FilmHints:
        """Read a file of hints.

        It is JSON: {"hints": [{"frame": 12, "x": 310, "y": 200, "rgb": [150, 40, 40],
        "radius": null}, {"time": "00:01:02.500", ...}]}, where "radius" may be left out, and beside
        "hints" there may be "size": [width, height] and "film": {...}. Other keys there are for
        whoever wrote the file, and are passed over.

        Raises:
            VideoError: it is not such a file; says where it is wrong.
            FileNotFoundError, IsADirectoryError: as for any file.
        """
        path = Path(path)
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no file of hints {path}; check the name.") from None
        except (ValueError, RecursionError) as error:
            raise VideoError(
                f"{path} is not a file of hints: expected JSON, got {_reason(error)}."
            ) from error
        try:
            return cls.from_dict(document)
        except VideoError as error:
            raise VideoError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, document: object) -> FilmHints:
        """Make them of a document as `read` describes it, already parsed.

        Raises:
            VideoError: it is no such document; says where it is wrong.
        """
        if not isinstance(document, dict) or not isinstance(document.get("hints"), list):
            raise VideoError(
                f'Expected an object with a list of "hints", got {_shown(document)}; such a file'
                " is described in the docs under Films."
            )
        film = document.get("film") or {}
        if not isinstance(film, dict):
            raise VideoError(f'"film" must be an object, got {_shown(film)}.')
        size, hints = _size(document.get("size")), []
        for number, value in enumerate(document["hints"], 1):
            try:
                hints.append(_film_hint(value))
            except ValueError as error:
                raise VideoError(f"Hint {number}: {str(error).removesuffix('.')}.") from error
        found = cls(tuple(hints), size, film)
        if size is not None:
            found.check_places(*size)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the document that `from_dict` reads, ready for JSON."""
        document: dict[str, Any] = {"hints": [_entry(one) for one in self.hints]}
        if self.size is not None:
            document["size"] = list(self.size)
        if self.film:
            document["film"] = dict(self.film)
        return document

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a file that `read` reads, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        write_atomically(Path(path), json.dumps(self.to_dict(), indent=2) + "\n")

    def check(self, clip: ClipFacts) -> None:
        """Refuse hints that are for another film.

        Raises:
            VideoError: its size is another, or a hint lies outside the picture.
        """
        width, height = clip.shown
        if self.size is not None and self.size != (width, height):
            raise VideoError(
                f"These hints are for a film of {self.size[0]} x {self.size[1]} pixels, and"
                f" {clip.path.name} has {width} x {height}; take the hints of this film."
            )
        self.check_places(width, height)

    def check_frames(self, frames: int, name: str) -> None:
        """Refuse hints that were made for a film with another number of frames, if they say it.

        Raises:
            VideoError: they were.
        """
        own = self.film.get("frames")
        if type(own) is int and own != frames:
            made_for = _shown(self.film.get("name", "a film"))
            raise VideoError(
                f"These hints are for {made_for} of {own} frames, and {name} has {frames}; take the"
                ' hints of this film, or take "film" out of the file if it is the same.'
            )

    def check_places(self, width: int, height: int) -> None:
        """Refuse hints outside a picture of that size.

        Raises:
            VideoError: one lies outside.
        """
        for number, one in enumerate(self.hints, 1):
            if not (0 <= one.hint.x < width and 0 <= one.hint.y < height):
                raise VideoError(
                    f"Hint {number}, on {one.moment}, lies at ({one.hint.x:g}, {one.hint.y:g}),"
                    f" outside the film's {width} x {height} pixels; x counts right and y down from"
                    " the top left corner."
                )


def _film_hint(value: object) -> FilmHint:
    if not isinstance(value, dict):
        raise VideoError(f"expected an object with frame, x, y and rgb, got {_shown(value)}")
    if unknown := sorted(value.keys() - _KEYS):
        raise VideoError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    if missing := [key for key in ("x", "y", "rgb") if key not in value]:
        raise VideoError(f"{missing[0]!r} is missing")
    moment = FilmMoment(value.get("frame"), value.get("time"))
    rgb = value["rgb"]
    if isinstance(rgb, list):
        rgb = tuple(rgb)
    return FilmHint(moment, Hint(value["x"], value["y"], rgb, value.get("radius")))


def _entry(one: FilmHint) -> dict[str, Any]:
    moment, hint = one.moment, one.hint
    when = {"frame": moment.frame} if moment.time is None else {"time": moment.time}
    return {**when, "x": hint.x, "y": hint.y, "rgb": list(hint.rgb), "radius": hint.radius}


def _size(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    sides = value if isinstance(value, list) else []
    if len(sides) != 2 or not all(type(one) is int and one > 0 for one in sides):
        raise VideoError(f'"size" must be [width, height] in pixels, got {_shown(value)}.')
    return sides[0], sides[1]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else "too deep a one"
