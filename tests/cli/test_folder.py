"""`colorize-hub folder`, run as a person runs it: killed, stopped, gone on with, and its report."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
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


def start(scans, model, **options):
    command = [*COMMAND, "folder", "scans", "colour", "--model", str(model)]
    terminal = ENVIRONMENT | {"TERM": "xterm"}
    return subprocess.Popen(
        command, cwd=scans.parent, env=terminal, preexec_fn=heed_interrupts, **options
    )


def outputs(scans):
    return list((scans.parent / "colour").rglob("*.png"))


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_killed_and_started_again_everything_is_done_once(scans, model):
    (scans / "2" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    process = start(scans, model, stdout=subprocess.DEVNULL)
    wait_for(lambda: len(outputs(scans)) >= 3)
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


def test_interrupted_it_finishes_what_is_in_work_and_says_how_to_go_on(scans, model):
    leader, follower = pty.openpty()
    process = start(scans, model, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    wait_for(lambda: len(outputs(scans)) >= 2)
    process.send_signal(signal.SIGINT)
    said = b""
    try:
        while chunk := os.read(leader, 1 << 16):
            said += chunk
    except OSError:  # the other end is closed
        pass
    assert process.wait() == 130
    os.close(leader)
    text = said.decode()
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
    assert "Left out 1 that have colour" in capsys.readouterr().out
    assert [path.name for path in target.iterdir()] == ["grey.png"]
    (target / "grey.png").write_bytes(b"spoilt")
    folder_command(source, target, model=str(model), recolour=True)
    assert {path.name for path in target.iterdir()} == {"grey.png", "colour.png"}
    assert (target / "grey.png").read_bytes() == b"spoilt"
    folder_command(source, target, model=str(model), recolour=True, overwrite=True)
    assert Image.open(target / "grey.png").size == (60, 40)
    assert "Coloured 2 pictures" in capsys.readouterr().out


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
        *("IN", "OUT", "--model M", "--vividness V", "--size S", "--keep-toning", "--recolour"),
        *("--overwrite", "--workers N", "--report FILE"),
    ):
        assert text in result.stdout
