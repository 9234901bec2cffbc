"""The real command, run as a person runs it: what it writes, what it says, how it ends."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize_hub.loading import save
from tests.commands import run_module
from tests.scenes import scene
from tests.serving import free_port, page_of

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "colorize_hub"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def run(folder, *arguments, **environment):
    return run_module("colorize_hub", *arguments, folder=folder, environment=environment)


def refused(folder, *arguments):
    """The one line a command ends with on an expected problem."""
    result = run(folder, *arguments)
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("colorize-hub: ")
    return line


@pytest.fixture(scope="module")
def model(tiny_network, tmp_path_factory):
    return save(tiny_network, tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(tmp_path):
    """A folder with the photograph old.jpg, lying on its side, and an empty folder."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Kodak"
    Image.fromarray(scene(40, 60)).save(tmp_path / "old.jpg", exif=exif)
    (tmp_path / "album").mkdir()
    return tmp_path


# --- photo -----------------------------------------------------------------------------------


def test_photo_writes_a_file_beside_the_photograph(folder, model, tiny_colorizer):
    before = (folder / "old.jpg").read_bytes()
    result = run(folder, "photo", "old.jpg", "--model", model)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"Wrote old-color\.jpg in \d+\.\d s\n", result.stdout)
    assert (folder / "old.jpg").read_bytes() == before
    with Image.open(folder / "old-color.jpg") as written:
        assert (written.format, written.size) == ("JPEG", (40, 60))  # upright
        assert written.getexif()[0x010F] == "Kodak"
        assert written.getexif().get(0x0112, 1) == 1
        expected = tiny_colorizer.colorize(folder / "old.jpg")
        apart = np.abs(np.asarray(written).astype(int) - np.asarray(expected))
        assert apart.mean() < 2  # the command may compute in bfloat16
        assert np.ptp(np.asarray(written).astype(int), axis=2).mean() > 1
    assert {path.name for path in folder.iterdir()} == {"old.jpg", "old-color.jpg", "album"}


def test_photo_of_a_format_without_room_for_colours_becomes_a_png(folder, model):
    Image.fromarray(scene(40, 60)).save(folder / "old.gif")
    result = run(folder, "photo", "old.gif", "--model", model, "--keep-toning")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Wrote old-color.png, a PNG")
    with Image.open(folder / "old-color.png") as written:
        assert (written.format, written.size) == ("PNG", (60, 40))


def test_photo_takes_a_name_options_and_overwrites_when_told(folder, model):
    (folder / "new.jpg").write_bytes(b"precious")
    options = ("--model", model, "--vividness", "0.9", "--size", "32")
    assert "new.jpg exists; add --overwrite" in refused(folder, "photo", "old.jpg", "new.jpg")
    assert (folder / "new.jpg").read_bytes() == b"precious"
    result = run(folder, "photo", "old.jpg", "new.jpg", *options, "--overwrite")
    assert result.returncode == 0
    with Image.open(folder / "new.jpg") as written:
        assert (written.format, written.size) == ("JPEG", (40, 60))


def test_the_photograph_itself_is_never_overwritten(folder):
    before = (folder / "old.jpg").read_bytes()
    os.link(folder / "old.jpg", folder / "same.jpg")
    for name in ("old.jpg", "same.jpg", "album/../old.jpg"):
        message = refused(folder, "photo", "old.jpg", name, "--overwrite")
        assert "is the photograph itself" in message
    assert (folder / "old.jpg").read_bytes() == before


def test_a_second_photograph_is_no_file_to_overwrite(folder, model):
    """`photo *.jpg --overwrite` where just two names match."""
    Image.fromarray(scene(40, 60, seed=1)).save(folder / "other.jpg")
    shutil.copy(folder / "old.jpg", folder / "same.jpg")
    colours = scene(60, 40, 3)
    Image.fromarray(colours).save(folder / "colour.jpg")
    for name in ("other.jpg", "same.jpg", "colour.jpg"):
        before = (folder / name).read_bytes()
        message = refused(folder, "photo", "old.jpg", name, "--overwrite", "--model", model)
        assert f"{name} is a picture of its own" in message
        assert message.endswith(f"To replace it all the same: --output {name}")
        assert (folder / name).read_bytes() == before
    result = run(
        folder, "photo", "old.jpg", "--output", "other.jpg", "--overwrite", "--model", model
    )
    assert (result.returncode, result.stderr) == (0, "")
    with Image.open(folder / "other.jpg") as written:
        assert written.size == (40, 60)


@pytest.mark.parametrize("name", ["new.jpg", "new.png", "new.webp"])
def test_an_earlier_result_is_overwritten_with_other_colours(folder, model, name):
    for vividness in ("0.9", "0.1"):
        options = ("--overwrite", "--model", model, "--vividness", vividness)
        result = run(folder, "photo", "old.jpg", name, *options)
        assert (result.returncode, result.stderr) == (0, "")


def test_out_is_given_once(folder):
    message = refused(folder, "photo", "old.jpg", "new.jpg", "--output", "other.jpg")
    assert "OUT is new.jpg and --output other.jpg: give one of them" in message


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Größe.jpg", r"Wrote Gr\xf6\xdfe-color.jpg"),
        (os.fsdecode(b"M\xfcnchen.jpg"), r"Wrote M\udcfcnchen-color.jpg"),
    ],
)
def test_a_name_that_the_terminal_cannot_show_is_coloured(folder, model, name, shown):
    (folder / "old.jpg").rename(folder / name)
    result = run(folder, "photo", name, "--model", model, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(shown)
    assert {path.name for path in folder.iterdir()} == {
        *(name, name.replace(".jpg", "-color.jpg"), "album"),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jpg"], "There is no picture missing.jpg"),
        (["album"], "album is a folder"),
        (["old.jpg", "new.xyz"], "expected a name ending in .png"),
        (["old.jpg", "nowhere/new.png"], "create the folder nowhere first"),
        (["old.jpg", "album", "--overwrite"], "album is a folder"),
        (["old.jpg", "--model", "no_such_folder"], "no folder 'no_such_folder'"),
    ],
)
def test_an_expected_problem_is_one_line(folder, arguments, message):
    assert message in refused(folder, "photo", *arguments)
    assert {path.name for path in folder.iterdir()} == {"old.jpg", "album"}


# --- push, space, dataset: what goes up is tested in tests/hub ------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "album", "user/model"], "The folder album has no file config.json"),
        (["push", "album", "model"], 'is written "user/model"'),
        (["dataset", "album", "user/pictures"], "album holds no picture that can be opened"),
        (["dataset", "nowhere", "user/pictures"], "There is no folder nowhere"),
        (["space", "space"], 'is written "user/space"'),
    ],
)
def test_what_cannot_be_published_is_one_line(folder, arguments, message):
    assert message in refused(folder, *arguments)


# --- usage -----------------------------------------------------------------------------------


def test_help_explains_every_flag_without_loading_torch(folder):
    code = (
        "import sys; sys.argv[1:] = {!r}\n"
        "from colorize_hub.cli import main\n"
        "try: main()\n"
        "finally: assert not {{'torch', 'numpy', 'PIL'}} & sys.modules.keys()\n"
    )
    expected = {
        (): ("Colour for black-and-white", "Example: colorize-hub photo", "photo", "app"),
        ("photo",): (
            "IN",
            "[OUT]",
            "--model M",
            "--vividness V",
            "--size S",
            "--keep-toning",
            "--overwrite",
        ),
        ("app",): ("--model M", "--port P", "--host H", "127.0.0.1", "7860"),
        ("push",): ("FOLDER", "USER/MODEL", "--private", "--revision B", "--tag T"),
        ("space",): ("USER/SPACE", "--model USER/MODEL", "--private"),
        ("dataset",): ("FOLDER", "USER/DATASET", "--private", "--license L"),
    }
    for command, texts in expected.items():
        result = subprocess.run(
            [sys.executable, "-c", code.format([*command, "--help"])],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        assert (result.returncode, result.stderr) == (0, "")
        for text in texts:
            assert text in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [(), ("paint",), ("photo",), ("photo", "a", "b", "c"), ("photo", "a", "--size", "large")],
)
def test_wrong_usage_ends_with_2(folder, arguments):
    result = run(folder, *arguments)
    assert result.returncode == 2
    assert "--help" in result.stderr
    assert "Traceback" not in result.stderr


# --- app -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_app_serves_the_page_until_it_is_interrupted(folder, model):
    port = free_port()
    server = subprocess.Popen(
        [*COMMAND, "app", "--model", str(model), "--port", str(port)],
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        assert "<gradio-app" in page_of(server, port)
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=120)
        assert "Traceback" not in errors
    finally:
        server.kill()


def heed_interrupts():
    """A shell makes what it runs in the background ignore Ctrl-C, and that is inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_app_refuses_a_port_that_cannot_be(folder):
    assert "port must be 1..65535, got 0" in refused(folder, "app", "--port", "0")


# --- bench -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_bench_puts_its_measures_into_one_table(folder, model):
    options = ("--quick", "--threads", "1", "--model", model)
    result = run_module("bench", *options, folder=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert "cores" in result.stdout.splitlines()[0]
    for name in ("encode", "decode", "JPEG to JPEG", "to Lab and back"):
        row = next(line for line in result.stdout.splitlines()[3:] if name in line)
        assert float(row.split()[-1]) > 0
