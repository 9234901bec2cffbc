"""`colorize-hub video` as a person runs it: what it writes and says, and Ctrl-C half-way."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from colorize_hub.cli import main
from colorize_hub.loading import save
from tests.cli.test_cli import heed_interrupts
from tests.cli.test_folder import rest_of
from tests.video.clips import moving_frames, read_clip, write_clip

ROOT = Path(__file__).parents[2]
OFF = ("--smoothing", "0")
COMMAND = [sys.executable, "-m", "colorize_hub", "video"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the command runs: a folder with the film old.mkv."""
    write_clip(tmp_path / "old.mkv", moving_frames(300, 32, 32, step=1), rate=50)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def video(*arguments):
    """Runs the command in this process; gives its exit code or its last words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["colorize-hub", "video", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            return end.code
    return 0


@pytest.mark.slow
def test_ctrl_c_leaves_a_film_that_plays_and_resume_goes_on(folder, tiny_network, capsys):
    options = ("--model", str(save(tiny_network, folder / "model")), "--size", "32", *OFF)
    leader, follower = pty.openpty()  # for the bar
    running = subprocess.Popen(
        [*COMMAND, "old.mkv", "new.mp4", *options],
        cwd=folder,
        env=ENVIRONMENT | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=follower,
        text=True,
        preexec_fn=heed_interrupts,
    )
    os.close(follower)
    shown = b""
    try:
        while not re.search(rb"[1-9]\d*/300", shown):  # until the first frame is there
            shown += os.read(leader, 1 << 16)  # fails where the command has ended
        running.send_signal(signal.SIGINT)
        errors = (shown + rest_of(leader)).decode()
        said, _ = running.communicate(timeout=120)
    finally:
        running.kill()
        os.close(leader)
    assert (running.returncode, said) == (130, "")
    assert "Traceback" not in errors
    (frames,) = re.findall(r"new\.mp4 plays as far as it got, (\d+) frames", errors)
    assert "the same command with --resume" in errors
    part = read_clip(folder / "new.mp4")
    assert 0 < len(part.frames) == int(frames) < 300

    assert "add --resume to go on with it" in video("old.mkv", "new.mp4", *options)
    assert video("old.mkv", "new.mp4", *options, "--resume") == 0
    assert re.fullmatch(
        r"Wrote new\.mp4, 300 frames, in [\d.]+ s, [\d.]+ frames a second\n",
        capsys.readouterr().out,
    )
    new = read_clip(folder / "new.mp4")
    assert new.times == read_clip(folder / "old.mkv").times
    assert {path.name for path in folder.iterdir()} == {"old.mkv", "new.mp4", "model"}


def test_a_name_is_found_and_what_is_lost_is_said(folder, tiny_network, capsys):
    model = save(tiny_network, folder / "model")
    film = write_clip(folder / "cut.mkv", moving_frames(30), codec="ffv1")
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert video("cut.mkv", "--model", model, "--size", "32", *OFF) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Wrote cut-color.mp4")
    assert "cut.mkv: The picture breaks off after" in output.err
    assert 0 < len(read_clip(folder / "cut-color.mp4").frames) < 30


def test_a_second_film_is_no_file_to_overwrite(folder, tiny_network, capsys):
    """`video *.mp4 --overwrite` where just two names match; an earlier result is replaced."""
    options = ("--model", save(tiny_network, folder / "model"), "--size", "32", *OFF)
    write_clip(folder / "b.mp4", moving_frames(20, 32, 32, seed=1))
    write_clip(folder / "a.mp4", moving_frames(20, 32, 32))
    shutil.copy(folder / "a.mp4", folder / "c.mp4")
    for name in ("b.mp4", "c.mp4"):
        before = (folder / name).read_bytes()
        said = video("a.mp4", name, "--overwrite", *options)
        assert f"{name} is a film of its own" in said
        assert said.endswith(f"--output {name}")
        assert (folder / name).read_bytes() == before
    assert video("a.mp4", "--output", "b.mp4", "--overwrite", *options) == 0
    assert video("a.mp4", "b.mp4", "--overwrite", "--vividness", "0.9", *options) == 0
    assert capsys.readouterr().out.count("Wrote b.mp4, 20 frames") == 2


def test_a_name_that_is_no_utf8_is_a_film(folder, tiny_network, capsys):
    options = ("--model", save(tiny_network, folder / "model"), "--size", "32", *OFF)
    name = os.fsdecode(b"M\xfcnchen.mp4")
    write_clip(folder / "a.mp4", moving_frames(4, 32, 32)).rename(folder / name)
    assert video(name, *options) == 0
    assert "Traceback" not in capsys.readouterr().err
    written = folder / os.fsdecode(b"M\xfcnchen-color.mp4")
    assert len(read_clip(written.rename(folder / "b.mp4")).frames) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.mp4"], "There is no film missing.mp4"),
        (["."], "is a folder; video takes one film"),
        (["story.txt"], "is not a film"),
        (["old.mkv", "new.avi"], "expected a name ending in .mp4"),
        (["old.mkv", "there.mp4"], "there.mp4 exists; add --overwrite"),
        (["old.mkv", "nowhere/new.mp4"], "create the folder nowhere first"),
        (["old.mkv", "--model", "no_such_folder"], "no folder 'no_such_folder'"),
    ],
)
def test_an_expected_problem_is_one_line(folder, arguments, message):
    (folder / "story.txt").write_text("Once upon a time\n" * 100)
    (folder / "there.mp4").write_bytes(b"precious")
    said = video(*arguments)
    assert said.startswith("colorize-hub: ")
    assert message in said
    assert {path.name for path in folder.iterdir()} == {"old.mkv", "story.txt", "there.mp4"}


def test_help_explains_every_flag_without_loading_torch():
    code = (
        "import sys; sys.argv[1:] = ['video', '--help']\n"
        "from colorize_hub.cli import main\n"
        "try: main()\n"
        "finally: assert not {'torch', 'numpy', 'av', 'cv2'} & sys.modules.keys()\n"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    for flag in ("IN", "[OUT]", "--model M", "--vividness V", "--size S", "--smoothing S"):
        assert flag in result.stdout
    for flag in ("--look-ahead N", "--recolor", "--output FILE", "--resume", "--overwrite"):
        assert flag in result.stdout


@pytest.mark.parametrize("package", ["av", "cv2", "tqdm"])
def test_a_missing_package_is_named_with_what_to_install(folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    said = video("old.mkv", "new.mp4", "--size", "32")
    assert said.startswith("colorize-hub: ")
    assert "pip install 'colorize-hub[video]'" in said
    assert {path.name for path in folder.iterdir()} == {"old.mkv"}
