"""`colorize-hub shots` as a person runs it."""

import re
import sys
from importlib import import_module

import pytest
from PIL import Image

from colorize_hub.cli import main
from tests.video.clips import moving_frames, write_clip
from tests.video.test_cuts import textured


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a film of three shots."""
    write_clip(tmp_path / "film.mkv", textured(20, 0) + textured(15, 1) + textured(10, 2))
    write_clip(tmp_path / "one.mp4", moving_frames(12))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shots(*arguments):
    """Runs the command; gives its exit code or its last words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["colorize-hub", "shots", *arguments])
        try:
            main()
        except SystemExit as end:
            return end.code
    return 0


def test_shots_are_listed_with_time_codes_and_frames(folder, capsys):
    assert shots("film.mkv") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "shot\tstart\tend\tfirst frame\tframes",
        "1\t00:00:00.000\t00:00:00.800\t0\t20",
        "2\t00:00:00.800\t00:00:01.400\t20\t15",
        "3\t00:00:01.400\t00:00:01.800\t35\t10",
    ]
    assert "3 shots, 45 frames, 00:00:01.800" in said.err


def test_a_film_without_a_cut_is_one_shot(folder, capsys):
    assert shots("one.mp4") == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[1:] == ["1\t00:00:00.000\t00:00:00.480\t0\t12"]
    assert "1 shot, 12 frames" in said.err


def test_a_sheet_is_written_and_kept(folder, capsys):
    assert shots("film.mkv", "--output", "sheet.png") == 0
    assert "Wrote sheet.png, 3 of 3 shots" in capsys.readouterr().err
    assert Image.open("sheet.png").width == 3 * 252 + 12
    assert "sheet.png exists; add --overwrite" in shots("film.mkv", "--output", "sheet.png")
    assert shots("film.mkv", "--output", "sheet.png", "--overwrite") == 0


def test_many_shots_fit_on_a_terminal(folder, capsys, monkeypatch):
    monkeypatch.setattr(import_module("colorize_hub.cli.shots"), "_ON_A_TERMINAL", 2)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shots("film.mkv")
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert "and 1 more shots; --all lists them" in said.err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shots("film.mkv", "--all")
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.mkv",), "There is no film none.mkv"),
        (("notes.txt",), "notes.txt is not a film"),
        (("film.mkv", "--output", "sheet.gif"), r"expected a name ending in \.png"),
        (("film.mkv", "--output", "no/sheet.png"), "create the folder no first"),
    ],
)
def test_what_cannot_be_done_is_said(folder, arguments, message):
    (folder / "notes.txt").write_text("notes")
    assert re.search(message, str(shots(*arguments)))
