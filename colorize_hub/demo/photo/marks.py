"""What a visitor changed in a picture, as the JSON that the page keeps and saves, and as hints.

The page owns this document: the server reads it anew with every call, so no work is lost when the
server forgets a picture.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from colorize_hub.demo.arguments import RequestError, color, number, shown, text, whole
from colorize_hub.demo.photo.reference import Node
from colorize_hub.hints.hint import Hint

FORMAT = "colorize-hub hints 1"
MOST_HINTS = 10_000
_SPACING = 0.75  # of the brush radius between two hints of a stroke
_MOST_NODES = 64
_MOST_LETTERS = 4_000_000  # of a document
_SAME_SHAPE = 0.02  # how far two aspect ratios may be apart


@dataclass(frozen=True)
class Mark:
    """A point or a brush stroke of one colour.

    Attributes:
        points: (x, y) in pixels of the original picture, x right and y down; one is a point.
        rgb: sRGB 0..255; only its hue and chroma count.
        radius: pixels of the original picture; None is as small as can be.
    """

    points: tuple[tuple[float, float], ...]
    rgb: tuple[int, int, int]
    radius: float | None = None


@dataclass(frozen=True)
class Work:
    """All that makes a coloured picture differ from the model's first guess.

    Attributes:
        marks: later ones lie over earlier ones.
        vividness: 0..1, or None for the model's own.
        take: seed of a variation, or None for the likeliest colours.
        palette: what a reference photo lends (see `reference.match_palette`); empty is none.
        size: width and height of the picture they were made for, or None where that is not said.
    """

    marks: tuple[Mark, ...] = ()
    vividness: float | None = None
    take: int | None = None
    palette: tuple[Node, ...] = ()
    size: tuple[int, int] | None = None


def read_work(document: object) -> Work:
    """Read a document of the page, or a bare JSON list of hints.

    Each hint is ``{"x": .., "y": .., "rgb": [r, g, b], "radius": ..}`` or, for a stroke, has
    ``"points": [[x, y], ..]`` in place of x and y. ``radius`` may be left out.

    Args:
        document: JSON text; nothing at all is no hints.

    Raises:
        RequestError: it is not JSON, or a field is missing, of the wrong kind or out of range.
    """
    written = text(document, "hints", _MOST_LETTERS).strip()
    if not written:
        return Work()
    try:
        read = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The hints are not JSON: {error}") from error
    if isinstance(read, list):
        read = {"marks": read}
    if not isinstance(read, dict):
        raise RequestError("The hints must be a JSON list, or an object with a list of marks.")
    marks = read.get("marks", [])
    if not isinstance(marks, list):
        raise RequestError(f"marks must be a list, got {type(marks).__name__}.")
    vividness, take = read.get("vividness"), read.get("take")
    return Work(
        marks=tuple(read_mark(mark, f"hint {number}") for number, mark in enumerate(marks, 1)),
        vividness=None if vividness is None else number(vividness, "vividness", 0, 1),
        take=None if take is None else whole(take, "take", 0),
        palette=_palette(read.get("palette")),
        size=_size(read.get("size")),
    )


def write_work(work: Work) -> dict[str, Any]:
    """Return the document of some work, ready for JSON; `read_work` gives the work back."""
    return {
        "format": FORMAT,
        "size": work.size,
        "vividness": work.vividness,
        "take": work.take,
        "palette": work.palette,
        "marks": [
            {"points": mark.points, "rgb": mark.rgb, "radius": mark.radius} for mark in work.marks
        ],
    }


def fit_work(work: Work, width: int, height: int) -> Work:
    """Return the work, its marks moved to a picture of another size but equal shape.

    Raises:
        RequestError: the picture has another shape.
    """
    if work.size is None or work.size == (width, height):
        return replace(work, size=(width, height))
    across, down = width / work.size[0], height / work.size[1]
    if abs(across / down - 1) > _SAME_SHAPE:
        raise RequestError(
            f"These hints belong to a picture of {work.size[0]} x {work.size[1]} pixels, and this "
            f"one is {width} x {height}. Open the picture they were made for."
        )
    marks = tuple(
        Mark(
            tuple((x * across, y * down) for x, y in mark.points),
            mark.rgb,
            None if mark.radius is None else mark.radius * across,
        )
        for mark in work.marks
    )
    return replace(work, marks=marks, size=(width, height))


def hints_of(marks: Sequence[Mark], scale: float = 1.0) -> list[Hint]:
    """Return the hints that marks stand for; a stroke becomes hints at even distances.

    Args:
        marks: in pixels of the original picture.
        scale: size of the picture that is rendered, relative to the original.

    Raises:
        RequestError: there are more than MOST_HINTS.
    """
    hints: list[Hint] = []
    for mark in marks:
        radius = None if mark.radius is None else mark.radius * scale
        for x, y in _along(mark.points, (mark.radius or 0) * _SPACING):
            hints.append(Hint(x * scale, y * scale, mark.rgb, radius))
            if len(hints) > MOST_HINTS:
                raise RequestError(
                    f"These are more than {MOST_HINTS} hints. Use a wider brush, or fewer strokes."
                )
    return hints


def _along(points: Sequence[tuple[float, float]], spacing: float) -> Iterator[tuple[float, float]]:
    """Yield the first point, points every `spacing`, and the last; all, if spacing is 0.

    However fast the brush moved, the hints are as close as its width asks for, and no closer.
    """
    yield points[0]
    if len(points) > 1 and spacing <= 0:
        yield from points[1:]
        return
    since = 0.0  # how far the line has come from the last hint
    for (x, y), (next_x, next_y) in pairwise(points):
        length = math.hypot(next_x - x, next_y - y)
        if length == 0:
            continue
        at = spacing - since
        while at < length:
            yield x + (next_x - x) * at / length, y + (next_y - y) * at / length
            at += spacing
        since = length - (at - spacing)
    if since > spacing / 2:
        yield points[-1]


def read_mark(value: object, name: str) -> Mark:
    """Read one mark of a document.

    Args:
        value: parsed JSON.
        name: for messages.

    Raises:
        RequestError: a field is missing, of the wrong kind or out of range.
    """
    if not isinstance(value, dict):
        raise RequestError(f"{name} must be an object with x, y and rgb, got {shown(value)}.")
    points = value.get("points", [[value.get("x"), value.get("y")]])
    if not isinstance(points, list) or not points:
        raise RequestError(f"points of {name} must be a list of [x, y], got {shown(points)}.")
    radius = value.get("radius")
    return Mark(
        points=tuple(_point(point, name) for point in points),
        rgb=color(value.get("rgb"), f"rgb of {name}"),
        radius=None if radius is None else number(radius, f"radius of {name}", 0, 1e6),
    )


def _point(value: object, name: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise RequestError(f"A place of {name} must be two numbers x and y, got {shown(value)}.")
    x, y = (number(part, f"x and y of {name}", -1e6, 1e6) for part in value)
    return x, y


def _palette(value: object) -> tuple[Node, ...]:
    if not value:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_NODES:
        raise RequestError(f"palette must be a list of at most {_MOST_NODES}, got {shown(value)}.")
    nodes: list[Node] = []
    for node in value:
        if not isinstance(node, list) or len(node) != 5:
            raise RequestError(f"A node of palette must be five numbers, got {shown(node)}.")
        level, *rest = (number(part, "palette", -1000, 1000) for part in node)
        nodes.append((level, rest[0], rest[1], rest[2], rest[3]))
    return tuple(sorted(nodes))


def _size(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise RequestError(f"size must be [width, height] in pixels, got {shown(value)}.")
    width, height = (int(number(part, "size", 1, 1e6)) for part in value)
    return width, height
