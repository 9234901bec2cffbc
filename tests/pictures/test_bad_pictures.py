"""Files as people have them: each becomes the right picture or one clear error."""

import json
import os
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from colorize_hub.batch.files import target_name
from colorize_hub.demo import build_demo
from colorize_hub.loading import save
from tests.commands import run_module
from tests.pictures.bad_pictures import make_corpus

ROOT = Path(__file__).parents[2]
BY_COMMAND = 5  # every fifth file goes through the command line


@pytest.fixture(scope="module")
def model(tiny_network, tmp_path_factory):
    return save(tiny_network, tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.slow
def test_the_library_survives_all_of_them(model, tmp_path):
    result = run_module("tests.pictures.colour_corpus", tmp_path, model, folder=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]  # negative: a signal ended it
    report = json.loads(result.stdout)
    assert report["wrong"] == []
    assert sum(report["counts"].values()) >= 300
    assert min(report["counts"].values()) > 100


def test_the_command_line_survives_a_sample(model, corpus, tmp_path):
    (tmp_path / "in").mkdir()
    sample = [case for case in corpus[::BY_COMMAND] if case.path.suffix]
    for case in sample:
        os.link(case.path, tmp_path / "in" / case.path.name)
    options = ("--model", model, "--report", "report.json", "--recolor", "--workers", 1)
    result = run_module("colorize_hub", "folder", "in", "out", *options, folder=tmp_path)
    assert result.returncode == 1, result.stderr[-2000:]
    assert "Traceback" not in result.stdout + result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    failed = {Path(error["file"]).name for error in report["errors"]}
    not_read = {ending for kind in report["not_read"] for ending in kind["endings"]}
    written = {path.name for path in (tmp_path / "out").iterdir()}
    for case in sample:
        if case.fate != "either":
            assert (target_name(case.path).name in written) == (case.fate == "picture"), case
        assert (target_name(case.path).name in written) != (
            case.path.name in failed or case.path.suffix in not_read
        ), case


def test_the_app_says_what_is_wrong_and_stays_up(tiny_colorizer, corpus, tmp_path):
    files = {case.path.name: case for case in corpus}
    demo = build_demo(tiny_colorizer)
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(address, verbose=False, download_files=tmp_path)
        for name in ("bomb-header.png", "rgb-cut60.jpg", "text.tif", "zeros.webp"):
            for endpoint in ("/colorize", "/open_photo"):
                with pytest.raises(AppError, match=name):
                    client.predict(handle_file(files[name].path), api_name=endpoint)
        for name in ("rgba16.png", "cmyk.jpg", "icc-cut.jpg", "float.tif", "animated.gif"):
            made = client.predict(handle_file(files[name].path), api_name="/colorize")
            with Image.open(made) as coloured, Image.open(files[name].path) as source:
                assert coloured.size == source.size
    finally:
        demo.close()
