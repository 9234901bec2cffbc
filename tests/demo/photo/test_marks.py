"""The hints document: read, checked, fitted to a picture, turned into hints."""

import json
import math
from itertools import pairwise

import pytest

from colorize_hub.demo.arguments import RequestError
from colorize_hub.demo.photo.marks import (
    MOST_HINTS,
    Mark,
    Work,
    fit_work,
    hints_of,
    read_work,
    write_work,
)
from colorize_hub.hints.hint import Hint

WORK = Work(
    marks=(Mark(((3.25, 4.5),), (200, 30, 40)), Mark(((1, 1), (9, 1)), (0, 0, 255), 2.5)),
    vividness=0.4,
    take=7,
    palette=((20.0, 1.5, 1.0, -3.0, 4.0), (80.0, 1.0, 1.0, 0.0, 0.0)),
    size=(90, 60),
)


def test_what_is_written_is_read_again():
    assert read_work(json.dumps(write_work(WORK))) == WORK
    assert read_work("") == read_work("[]") == Work()


def test_a_plain_list_of_hints_will_do():
    text = '[{"x": 1, "y": 2, "rgb": [1, 2, 3]}, {"x": 5, "y": 6, "rgb": [7, 8, 9], "radius": 4}]'
    work = read_work(text)
    assert hints_of(work.marks) == [Hint(1, 2, (1, 2, 3)), Hint(5, 6, (7, 8, 9), 4)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "JSON list"),
        ('{"marks": 3}', "marks must be a list"),
        ("[3]", "hint 1 must be an object"),
        ('[{"x": 1, "y": 2}]', "rgb of hint 1"),
        ('[{"x": 1, "rgb": [1, 2, 3]}]', "x and y of hint 1"),
        ('[{"x": NaN, "y": 2, "rgb": [1, 2, 3]}]', "x and y of hint 1"),
        ('[{"x": 1, "y": 2, "rgb": [1, 2, NaN]}]', "rgb of hint 1"),
        (
            '[{"x": 1, "y": 2, "rgb": [1, 2, 300]}]',
            "1 must be a number 0..255, got 300",
        ),
        ('[{"x": true, "y": 2, "rgb": [1, 2, 3]}]', "must be a number"),
        ('[{"points": [], "rgb": [1, 2, 3]}]', "points of hint 1"),
        ('[{"points": [[1]], "rgb": [1, 2, 3]}]', "A place of hint 1"),
        ('[{"x": 1, "y": 2, "rgb": [1, 2, 3], "radius": -1}]', "radius of hint 1"),
        ('{"vividness": 3}', "vividness must be a number 0..1, got 3"),
        ('{"take": -1}', "take must be a whole number"),
        ('{"take": true}', "take must be a whole number"),
        ('{"size": [1]}', "size must be"),
        ('{"palette": [[1, 2]]}', "five numbers"),
        ('{"palette": 4}', "palette must be a list"),
    ],
)
def test_nonsense_is_refused_in_words(text, words):
    with pytest.raises(RequestError, match=words):
        read_work(text)


def test_marks_move_with_the_size_of_the_picture():
    twice = fit_work(WORK, 180, 120)
    assert twice.marks[0].points == ((6.5, 9.0),)
    assert twice.marks[1].radius == 5
    assert twice.size == (180, 120)
    assert (twice.vividness, twice.take, twice.palette) == (0.4, 7, WORK.palette)
    assert fit_work(WORK, 90, 60) == WORK
    with pytest.raises(RequestError, match="90 x 60 pixels, and this one is 60 x 90"):
        fit_work(WORK, 60, 90)


def test_a_stroke_becomes_hints_at_even_distances():
    corner = Mark(((0, 0), (100, 0), (100, 50)), (1, 2, 3), radius=4)
    hints = hints_of([corner], scale=0.5)
    assert (hints[0].x, hints[0].y) == (0, 0)
    assert hints[0].radius == 2
    gaps = [math.hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(hints)]
    assert max(gaps) <= 1.5 + 1e-9  # three quarters of the radius
    assert len(hints) == pytest.approx(150 / 3, abs=2)


def test_crowded_points_of_a_stroke_are_thinned():
    points = tuple((i / 100, 0.0) for i in range(1000))
    assert len(hints_of([Mark(points, (1, 2, 3), radius=4)])) <= 5


def test_too_many_hints_are_refused():
    points = tuple((float(i % 50), float(i // 50)) for i in range(MOST_HINTS + 1))
    assert len(hints_of([Mark(points[:-1], (1, 2, 3))])) == MOST_HINTS
    with pytest.raises(RequestError, match="more than 10000"):
        hints_of([Mark(points, (1, 2, 3))])
