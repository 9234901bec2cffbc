"""`colorize-hub folder`, run as a person runs it: killed, stopped, gone on with, and its report."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image

from colorize_hub.cli.folder import folder as folder_command
from colorize_hub.loading import save
from tests.cli.test_cli import COMMAND, ENVIRONMENT, heed_interrupts, run
from tests.scenes import scene

PICTURES = 60


@pytest.fixture(scope="module")
def model(tiny_network, tmp_path_factory):
    return save(tiny_network, tmp_path_factory.mktemp("model"))


@pytest.fixture
def scans(tmp_path):
    """A tree of 60 grey pictures, large enough that they take a while."""
    first = tmp_path / "scans" / "0" / "0.png"
    first.parent.mkdir(parents=True)
    Image.fromarray(scene(300, 400)).save(first)
    for n in range(1, PICTURES):
        path = tmp_path / "scans" / str(n % 3) / f"{n}.png"
        path.parent.mkdir(exist_ok=True)
        shutil.copy(first, path)
    return tmp_path / "scans"


@contextmanager
def at_work(scans, model, pictures):
    """The command in a terminal, with so many pictures done; gives what it says from there on."""
    leader, follower = pty.openpty()
    command = [*COMMAND, "folder", "scans", "colour", "--model", str(model)]
    process = subprocess.Popen(
        command,
        cwd=scans.parent,
        env=ENVIRONMENT | {"TERM": "xterm"},
        preexec_fn=heed_interrupts,
        stdout=subprocess.DEVNULL,
        stderr=follower,
    )
    os.close(follower)
    said = b""
    try:
        while not any(int(done) >= pictures for done in re.findall(rb"(\d+)/6[01]", said)):
            said += os.read(leader, 1 << 16)  # fails where the command has ended
        yield process, lambda: said + rest_of(leader)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def rest_of(terminal):
    """What is said until the command ends."""
    said = b""
    with suppress(OSError):  # the other end is closed
        while chunk := os.read(terminal, 1 << 16):
            said += chunk
    return said


def outputs(scans):
    return list((scans.parent / "colour").rglob("*.png"))


@pytest.mark.slow
def test_killed_and_started_again_everything_is_done_once(scans, model):
    (scans / "2" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    with at_work(scans, model, 3) as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = {path: path.stat().st_mtime_ns for path in outputs(scans)}
    assert 3 <= len(before) < PICTURES
    for path in before:
        Image.open(path).load()  # whole
    (scans.parent / "colour" / "0" / f".{'a' * 16}.partial").touch()

    arguments = ("--model", model, "--workers", "2", "--report", "report.json")
    result = run(scans.parent, "folder", "scans", "colour", *arguments)
    assert result.returncode == 1  # the torn one
    assert f"{len(before)} are done already" in result.stdout
    assert "Failed: scans/2/torn.jpg" in result.stderr
    report = json.loads((scans.parent / "report.json").read_text())
    assert report["coloured"] + report["done_before"] == PICTURES
    assert report["done_before"] == len(before)
    assert (report["failed"], report["had_colour"], report["not_tried"]) == (1, 0, 0)
    assert [error["file"] for error in report["errors"]] == ["scans/2/torn.jpg"]
    assert report["model"] == str(model)
    assert report["pictures_per_second"] > 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {path.relative_to(scans.parent / "colour") for path in outputs(scans)} == {
        path.relative_to(scans) for path in scans.rglob("*.png")
    }
    assert not list((scans.parent / "colour").rglob(".*"))


@pytest.mark.slow
def test_interrupted_it_finishes_what_is_in_work_and_says_how_to_go_on(scans, model):
    with at_work(scans, model, 2) as (process, rest):
        process.send_signal(signal.SIGINT)
        text = rest().decode()
        assert process.wait() == 130
    assert "pictures/s" in text  # the bar
    assert f"/{PICTURES}" in text
    assert "Ctrl-C again" in text
    left = PICTURES - len(outputs(scans))
    assert 0 < left < PICTURES
    assert f"{left} are left: the same command goes on" in text
    assert "Traceback" not in text
    for path in outputs(scans):
        Image.open(path).load()


# --- in this process, for what needs no other ------------------------------------------------


@pytest.fixture(autouse=True)
def same_settings():
    """The command sets signals and threads for its whole process."""
    import torch

    threads, handler = torch.get_num_threads(), signal.getsignal(signal.SIGINT)
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def few(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(scene(40, 60)).save(tmp_path / "in" / "grey.png")
    Image.fromarray(scene(40, 60, 3)).save(tmp_path / "in" / "colour.png")
    return tmp_path


def test_colour_is_left_out_unless_told_and_done_is_done_again_when_told(few, model, capsys):
    source, target = few / "in", few / "out"
    folder_command(source, target, model=str(model))
    said = "Left out 1 that have colour: --report FILE names them, --recolor takes them too"
    assert said in capsys.readouterr().out
    assert [path.name for path in target.iterdir()] == ["grey.png"]
    (target / "grey.png").write_bytes(b"spoilt")
    folder_command(source, target, model=str(model), recolor=True)
    assert {path.name for path in target.iterdir()} == {"grey.png", "colour.png"}
    assert (target / "grey.png").read_bytes() == b"spoilt"
    folder_command(source, target, model=str(model), recolor=True, overwrite=True)
    assert Image.open(target / "grey.png").size == (60, 40)
    assert "Coloured 2 pictures" in capsys.readouterr().out


def test_what_is_left_out_and_what_is_not_read_is_named(few, model, capsys):
    for name in ("one.dng", "two.NEF", "three.pfm"):
        (few / "in" / name).write_bytes(b"no matter what")
    folder_command(few / "in", few / "out", model=str(model), report=few / "report.json")
    said = capsys.readouterr().out
    assert f"Left out 1 that have colour: {few / 'report.json'} names them" in said
    assert "Not read: 2 camera raw (.dng, .nef): develop it first" in said
    assert "Not read: 1 linear light (.pfm): " in said
    report = json.loads((few / "report.json").read_text())
    assert report["left_out"] == [str(few / "in" / "colour.png")]
    assert [(one["kind"], one["files"], one["endings"]) for one in report["not_read"]] == [
        ("camera raw", 2, [".dng", ".nef"]),
        ("linear light", 1, [".pfm"]),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_names_of_any_kind_end_in_a_report(few, model, encoding):
    """Latin-1 from an old disk, and what a terminal cannot show."""
    broken = os.fsdecode(b"M\xfcnchen.jpg")
    (few / "in" / broken).write_bytes(b"torn")
    for name in (os.fsdecode(b"K\xf6ln.png"), "Größe.png"):
        shutil.copy(few / "in" / "grey.png", few / "in" / name)
    options = ("--model", model, "--report", "report.json")
    result = run(few, "folder", "in", "out", *options, PYTHONIOENCODING=encoding)
    assert result.returncode == 1  # by the torn one
    assert "Traceback" not in result.stderr
    assert "Failed: in/M\\udcfcnchen.jpg" in result.stderr
    assert "Coloured 3 pictures" in result.stdout
    text = (few / "report.json").read_bytes().decode()  # strictly UTF-8
    report = json.loads(text)
    assert not re.search(r"(?<!\\)\\ud", text)  # no lone surrogate, which some parsers refuse
    (error,) = report["errors"]
    assert error["file"] == r"in/M\udcfcnchen.jpg"
    assert len(list((few / "out").iterdir())) == 3
    assert {path.name for path in few.iterdir()} == {"in", "out", "report.json"}

    (few / "in" / broken).unlink()
    again = run(few, "folder", "in", "out", PYTHONIOENCODING=encoding)
    assert again.returncode == 0


def test_the_pictures_of_another_folder_are_not_overwritten(few, model, capsys):
    """As where `scans/*` is just two folders."""
    (few / "other").mkdir()
    Image.fromarray(scene(40, 60, seed=5)).save(few / "other" / "grey.png")
    before = (few / "other" / "grey.png").read_bytes()
    with pytest.raises(SystemExit) as end:
        folder_command(few / "in", few / "other", model=str(model), overwrite=True)
    assert end.value.code == 1
    assert "grey.png is a picture of its own" in capsys.readouterr().err
    assert (few / "other" / "grey.png").read_bytes() == before


def test_the_old_spelling_of_a_flag_is_taken(few, model):
    result = run(few, "folder", "in", "out", "--model", model, "--recolour")
    assert (result.returncode, result.stderr) == (0, "")
    assert "Coloured 2 pictures" in result.stdout


def test_nothing_to_do_needs_no_model(few, capsys):
    (few / "empty").mkdir()
    folder_command(few / "empty", few / "out", model="no_such_folder")
    assert "0 pictures to look at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers must be 1 or more"),
        ({"report": Path("nowhere/report.json")}, FileNotFoundError, "create the folder nowhere"),
        ({"model": "no_such_folder"}, ValueError, "no folder 'no_such_folder'"),
    ],
)
def test_what_cannot_work_is_said_before_the_work(few, options, error, message):
    with pytest.raises(error, match=message):
        folder_command(few / "in", few / "out", **options)


def test_help_explains_every_flag_without_loading_torch():
    code = (
        "import sys; sys.argv[1:] = ['folder', '--help']\n"
        "from colorize_hub.cli import main\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'PIL'} & sys.modules.keys()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")
    for text in (
        *("IN", "OUT", "--model M", "--vividness V", "--size S", "--keep-toning", "--recolor"),
        *("--overwrite", "--workers N", "--report FILE"),
    ):
        assert text in result.stdout
