"""What a person gets wrong ends every command of train/ in one line, before the work."""

import sys
from importlib import import_module

import pytest

from colorize_hub.loading import save
from tests.train.training_fixtures import TINY, write_blobs

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

# Command -> flag of its model, whether it reads data, flag of the folder it writes.
COMMANDS = {
    "train": ("--start", True, "--output"),
    "train.attention": ("--model", True, "--output"),
    "train.average": ("--models", False, "--output"),
    "train.calibrate": ("--model", True, None),
    "train.evaluate": ("--model", True, "--output"),
    "train.publish": ("--model", True, None),
}
READING = [name for name, (_, data, _) in COMMANDS.items() if data]
WRITING = [name for name, (_, _, output) in COMMANDS.items() if output]


@pytest.fixture
def model(tmp_path, tiny_network):
    folder = save(tiny_network, tmp_path / "model")
    (folder / "provenance.json").write_text(
        '{"model_name": "x", "data": [], "pictures_seen": 1, "training_hours": 1,'
        ' "encoder_weights": "random"}'
    )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("data"), 3)


@pytest.fixture
def flags(tmp_path, model, data):
    """The flags of a command that nothing is wrong with, less what a test changes."""

    def flags(command, **changes):
        of_model, reads, of_output = COMMANDS[command]
        given = {of_model: (model, model) if of_model == "--models" else (model,)}
        if reads:
            given["--data"] = (data,)
        if of_output:
            given[of_output] = (tmp_path / "output",)
        if command == "train":
            given["--encoder"] = (TINY["encoder"],)
            given["--decoder-channels"] = TINY["decoder_channels"]
        if command in ("train.evaluate", "train.publish"):
            given["--kid-weights"] = ("none",)
        for name, value in changes.items():
            given[{"model": of_model, "data": "--data", "output": of_output}[name]] = (value,)
        return [word for flag, values in given.items() for word in (flag, *map(str, values))]

    return flags


def ending(monkeypatch, command, arguments):
    """How a command ends: its exit code, or the line that stands for 1."""
    module = import_module("train.__main__" if command == "train" else command)
    monkeypatch.setattr(sys, "argv", [command, *arguments])
    with pytest.raises(SystemExit) as ended:
        module.main()
    return ended.value.code


def is_one_line(said, command):
    return said.startswith(f"python -m {command}: ") and "\n" not in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_holds_no_model(monkeypatch, flags, tmp_path, command):
    for wrong in (tmp_path, tmp_path / "nowhere"):
        said = ending(monkeypatch, command, flags(command, model=wrong))
        assert is_one_line(said, command)
        assert str(wrong) in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_model_that_is_broken(monkeypatch, flags, model, command):
    (model / "model.safetensors").write_text("<!doctype html>")
    said = ending(monkeypatch, command, flags(command))
    assert is_one_line(said, command)
    assert "model.safetensors" in said
    assert "web page" in said


@pytest.mark.parametrize("command", READING)
def test_data_that_is_not_there(monkeypatch, flags, tmp_path, command):
    said = ending(monkeypatch, command, flags(command, data=tmp_path / "nowhere"))
    assert is_one_line(said, command)
    assert f"--data: {tmp_path / 'nowhere'} is neither a file nor a folder here" in said


@pytest.mark.parametrize("content", ["nothing", "text", "broken parquet"])
@pytest.mark.parametrize("command", READING)
def test_data_that_holds_no_picture(monkeypatch, flags, tmp_path, command, content):
    folder = tmp_path / content
    folder.mkdir()
    if content == "text":
        (folder / "notes.txt").write_text("not a picture")
    if content == "broken parquet":
        (folder / "pictures.parquet").write_bytes(b"not parquet")
    said = ending(monkeypatch, command, flags(command, data=folder))
    assert is_one_line(said, command)
    assert str(folder) in said


@pytest.mark.parametrize("command", WRITING)
def test_an_output_that_cannot_be_written(monkeypatch, flags, tmp_path, command):
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "output"
    said = ending(monkeypatch, command, flags(command, output=output))
    assert is_one_line(said, command)
    assert f"--output: {output} cannot be written to (Not a directory)" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_usage_is_2(monkeypatch, capsys, flags, command):
    assert ending(monkeypatch, command, [*flags(command), "--no-such-flag", "3"]) == 2
    assert "Traceback" not in capsys.readouterr().err
