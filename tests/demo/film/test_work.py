"""The work on a film: read, checked against the film, written, and understood by the library."""

import json
from array import array
from fractions import Fraction
from pathlib import Path

import pytest

from colorize_hub.demo.film.work import FilmMark, FilmWork, read_film_work, write_film_work
from colorize_hub.demo.photo.marks import Mark
from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.hints import FilmHints
from colorize_hub.video.reader import ClipFacts

CLIP = ClipFacts(Path("old.mkv"), Fraction(1, 1000), Fraction(25), 100, None, 480, 640, Fraction(1))
INDEX = FilmIndex(CLIP, array("q", range(500, 4500, 40)), 4500, array("q", [60]))
POINT = FilmMark(12, Mark(((310.0, 200.0),), (150, 40, 40)))
STROKE = FilmMark(70, Mark(((10.0, 10.0), (110.0, 10.0)), (1, 2, 3), 20.0))


def read(**document):
    return read_film_work(json.dumps({"hints": [], **document}), INDEX)


def test_work_comes_back_as_it_was():
    work = FilmWork((POINT, STROKE), 0.4, 0.5)
    written = json.dumps(write_film_work(work, INDEX))
    assert read_film_work(written, INDEX) == work
    assert read_film_work("", INDEX) == FilmWork()


def test_what_is_saved_is_a_file_of_hints(tmp_path):
    path = tmp_path / "hints.json"
    path.write_text(json.dumps(write_film_work(FilmWork((POINT, STROKE)), INDEX)))
    hints = FilmHints.read(path)
    assert hints.size == (640, 480)
    assert hints.film["name"] == "old.mkv"
    first, *stroke = hints.hints
    assert (first.moment.frame, first.hint.x, first.hint.rgb) == (12, 310, (150, 40, 40))
    assert [one.hint.x for one in stroke] == pytest.approx([10, 25, 40, 55, 70, 85, 100, 110])


def test_hints_by_frame_and_by_time_become_marks():
    hints = [
        {"frame": 3, "x": 1, "y": 2, "rgb": [9, 8, 7]},
        {"time": "00:00:02.000", "x": 3, "y": 4, "rgb": [1, 1, 1], "radius": 6},
    ]
    work = read(hints=hints)
    assert [(one.frame, one.mark.radius) for one in work.marks] == [(3, None), (50, 6)]
    assert work.on(0, 60) == work.marks
    assert work.on(60, 40) == ()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"size": [320, 240]}, "for a film of 320 x 240 pixels, and old.mkv has 640 x 480"),
        ({"marks": [{"frame": 100, "x": 1, "y": 1, "rgb": [1, 2, 3]}]}, "no frame 100 in old.mkv"),
        ({"marks": [{"frame": 1.5, "x": 1, "y": 1, "rgb": [1, 2, 3]}]}, "frame of mark 1 must be"),
        ({"marks": [{"frame": 1, "x": 640, "y": 1, "rgb": [1, 2, 3]}]}, "Mark 1 lies at"),
        ({"marks": [{"frame": 1, "x": 1, "y": 1}]}, "rgb of mark 1 must be"),
        ({"marks": 7}, "marks must be a list"),
        ({"hints": [{"frame": 1, "x": -1, "y": 1, "rgb": [1, 2, 3]}]}, "outside the film's"),
        ({"hints": [{"time": "00:01:00", "x": 1, "y": 1, "rgb": [1, 2, 3]}]}, "ends after 4.000"),
        ({"hints": {}}, 'list of "hints"'),
        ({"vividness": 2}, r"vividness must be a number 0\.\.1"),
        ({"smoothing": "much"}, "smoothing must be"),
    ],
)
def test_what_does_not_belong_to_the_film_is_said(document, message):
    with pytest.raises(ValueError, match=message):
        read(**document)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "7"])
def test_what_is_no_document_is_said(text):
    with pytest.raises(ValueError, match=r"not JSON|list of"):
        read_film_work(text, INDEX)


def test_too_many_marks_are_refused():
    mark = {"frame": 1, "x": 1, "y": 1, "rgb": [1, 2, 3]}
    with pytest.raises(ValueError, match="2001 marks; a film takes at most 2000"):
        read(marks=[mark] * 2001)
