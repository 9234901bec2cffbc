"""Every command with every engine: what it writes is what the model gives on torch."""

import sys

import numpy as np
import pytest
from PIL import Image

from colorize_hub.cli import main
from colorize_hub.export.export import export
from colorize_hub.loading import save
from tests.scenes import difference, scene
from tests.video.clips import moving_frames, read_clip, write_clip

ENGINES = {"torch": save, "onnx": export}


@pytest.fixture(scope="module", params=ENGINES)
def model(request, tiny_network, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "model"
    ENGINES[request.param](tiny_network, folder)
    return str(folder)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for seed in range(2):
        Image.fromarray(scene(40, 60 + seed, seed=seed)).save(tmp_path / "in" / f"{seed}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["colorize-hub", *arguments])
        main()


def expected(colorizer, path):
    return colorizer.colorize(np.asarray(Image.open(path)))


def test_photo(folder, model, tiny_colorizer):
    run("photo", "in/0.png", "new.png", "--model", model)
    written = np.asarray(Image.open("new.png"))
    assert difference(written, expected(tiny_colorizer, "in/0.png")).mean() < 2


def test_folder(folder, model, tiny_colorizer):
    run("folder", "in", "out", "--model", model, "--workers", "2")
    for seed in range(2):
        written = np.asarray(Image.open(f"out/{seed}.png"))
        assert difference(written, expected(tiny_colorizer, f"in/{seed}.png")).mean() < 2


@pytest.mark.parametrize("smoothing", ["0", "0.8"])
def test_video(folder, model, tiny_colorizer, smoothing):
    write_clip(folder / "old.mkv", moving_frames(6), codec="ffv1", pix_fmt="gray")
    run("video", "old.mkv", "new.mp4", "--model", model, "--smoothing", smoothing)
    new, old = read_clip(folder / "new.mp4"), read_clip(folder / "old.mkv")
    first = tiny_colorizer.colorize(old.frames[0])
    assert len(new.frames) == 6
    # to H.264 and back; steadied, a first frame is not what it would be alone
    assert difference(new.frames[0], first).mean() < (8 if smoothing == "0" else 20)
