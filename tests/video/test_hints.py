"""FilmHints: the file that keeps colours fixed in a film, and what is said of a bad one."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from colorize_hub import Hint
from colorize_hub.video import FilmHint, FilmHints, FilmMoment, VideoError
from colorize_hub.video.reader import ClipFacts

ENTRY = {"frame": 12, "x": 310, "y": 200, "rgb": [150, 40, 40], "radius": None}
CLIP = ClipFacts(Path("old.mkv"), Fraction(1, 25), Fraction(25), 50, None, 240, 320, Fraction(1))


def written(folder, document):
    path = folder / "hints.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_documented_file_is_read(tmp_path):
    late = {"time": "00:01:02.500", "x": 3.5, "y": 4, "rgb": [1, 2, 3], "radius": 6}
    found = FilmHints.read(written(tmp_path, {"hints": [ENTRY, late]}))
    assert found.hints == (
        FilmHint(FilmMoment(frame=12), Hint(310, 200, (150, 40, 40))),
        FilmHint(FilmMoment(time="00:01:02.500"), Hint(3.5, 4, (1, 2, 3), 6)),
    )
    assert found.size is None
    assert found.film == {}


def test_what_is_written_is_read_again(tmp_path):
    hints = FilmHints(
        (
            FilmHint(FilmMoment(frame=0), Hint(1.25, 2, (9, 8, 7), 3.0)),
            FilmHint(FilmMoment(time="1:02.5"), Hint(0, 0, (0, 0, 255))),
        ),
        size=(320, 240),
        film={"name": "old.mkv"},
    )
    hints.write(tmp_path / "hints.json")
    assert FilmHints.read(tmp_path / "hints.json") == hints


def test_radius_may_be_left_out_and_other_keys_of_the_file_are_its_writers_own(tmp_path):
    entry = {key: value for key, value in ENTRY.items() if key != "radius"}
    found = FilmHints.read(written(tmp_path, {"hints": [entry], "vividness": 0.5}))
    assert found.hints[0].hint.radius is None
    assert FilmHints.read(written(tmp_path, {"hints": []})).hints == ()


@pytest.mark.parametrize(
    ("code", "bound"),
    [
        ("00:01:02.500", Fraction(62501, 1000)),
        ("1:02.5", Fraction(62501, 1000)),
        ("10:00:00", Fraction(36000001, 1000)),
        ("0:00.0333667", Fraction(333668, 10**7)),
    ],
)
def test_a_time_code_is_exact_to_its_last_decimal_or_a_millisecond(code, bound):
    assert FilmMoment(time=code).bound == bound
    assert FilmMoment(frame=3).bound is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frame": -1}, '"frame" must be a whole number from 0, got -1'),
        ({"frame": 1.5}, '"frame" must be a whole number from 0, got 1.5'),
        ({"frame": True}, '"frame" must be a whole number from 0, got True'),
        ({"time": "0:01"}, 'either "frame" or "time"'),
        ({"frame": None}, 'either "frame" or "time"'),
        ({"frame": None, "time": "62.5"}, "a time code such as \"00:01:02.500\", got '62.5'"),
        ({"frame": None, "time": "0:75"}, "a time code such as"),
        ({"frame": None, "time": 62.5}, "a time code such as"),
        ({"x": "left"}, "x and y must be finite pixels"),
        ({"x": float("nan")}, "x and y must be finite pixels"),
        ({"rgb": [1, 2]}, "rgb must be three numbers 0..255"),
        ({"rgb": [1, 2, 256]}, "rgb must be three numbers 0..255"),
        ({"rgb": "red"}, "rgb must be three numbers 0..255"),
        ({"radius": -2}, "radius must be None or pixels >= 0"),
        ({"radus": 3}, "unknown key 'radus'"),
    ],
)
def test_a_bad_hint_is_named_with_its_number(tmp_path, change, said):
    path = written(tmp_path, {"hints": [ENTRY, ENTRY | change]})
    with pytest.raises(VideoError) as caught:
        FilmHints.read(path)
    assert str(caught.value).startswith(f"{path}: Hint 2: ")
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("key", ["x", "y", "rgb"])
def test_a_missing_part_is_named(key):
    entry = {name: value for name, value in ENTRY.items() if name != key}
    with pytest.raises(VideoError, match=f"Hint 1: '{key}' is missing"):
        FilmHints.from_dict({"hints": [entry]})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("", "expected JSON, got Expecting value at line 1, column 1."),
        ('{"hints": [', "expected JSON, got Expecting value at line 1"),
        ("[" * 200_000, "expected JSON, got"),
        ("[]", 'Expected an object with a list of "hints", got []'),
        ('{"marks": []}', 'Expected an object with a list of "hints"'),
        ('{"hints": 3}', 'Expected an object with a list of "hints"'),
        ('{"hints": [3]}', "Hint 1: expected an object with frame, x, y and rgb, got 3."),
        ('{"hints": [], "size": [320]}', '"size" must be [width, height] in pixels, got [320].'),
        ('{"hints": [], "size": [0, 9]}', '"size" must be [width, height] in pixels'),
        ('{"hints": [], "film": "old"}', '"film" must be an object'),
    ],
)
def test_another_file_is_refused_in_a_sentence(tmp_path, document, said):
    path = written(tmp_path, document)
    with pytest.raises(VideoError) as caught:
        FilmHints.read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_and_files_that_are_none(tmp_path):
    path = tmp_path / "hints.json"
    path.write_bytes(b"\xff\xd8\xff\xe0 a picture")
    with pytest.raises(VideoError, match="not a file of hints"):
        FilmHints.read(path)
    with pytest.raises(FileNotFoundError, match="no file of hints"):
        FilmHints.read(tmp_path / "none.json")
    with pytest.raises(IsADirectoryError):
        FilmHints.read(tmp_path)


def test_hints_of_another_film_are_refused():
    hints = FilmHints.from_dict({"hints": [ENTRY], "size": [320, 240]})
    hints.check(CLIP)
    with pytest.raises(VideoError, match=r"a film of 320 x 240 pixels, and old\.mkv has 640"):
        hints.check(replace(CLIP, width=640))
    outside = {"hints": [ENTRY, ENTRY | {"x": 320}]}
    with pytest.raises(VideoError, match=r"Hint 2, on frame 12, lies at \(320, 200\), outside"):
        FilmHints.from_dict(outside).check(CLIP)
    with pytest.raises(VideoError, match="Hint 2"):
        FilmHints.from_dict(outside | {"size": [320, 240]})
