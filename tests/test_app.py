"""The page and app.py without a browser: the endpoints, called by a client."""

import os
import subprocess
import sys
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from colorize_hub import Hint, loading
from colorize_hub.demo import build_demo
from colorize_hub.web.prints import EXAMPLES, EXAMPLES_FOLDER, example_path
from tests.scenes import scene
from tests.serving import free_port, page_of

ROOT = Path(__file__).parent.parent
ENDPOINTS = {
    "open_photo": ["photo", "hints", "model"],
    "render": ["photo", "hints", "model"],
    "suggest_colours": ["photo", "x", "y", "model"],
    "unsure": ["photo", "model"],
    "variations": ["photo", "hints", "seed", "model"],
    "borrow_palette": ["photo", "reference", "hints", "model"],
    "read_hints": ["hints", "width", "height"],
    "use_model": ["model"],
    "colorize_with_hints": ["photo", "hints", "vividness", "model"],
    "colorize": ["photo", "vividness"],
    "start_clip": ["clip", "vividness", "smoothing", "model", "hints"],
    "clip_state": ["job"],
    "clip_result": ["job"],
    "pause_clip": ["job"],
    "resume_clip": ["job"],
    "cancel_clip": ["job"],
    "open_film": ["film"],
    "film_shots": ["film"],
    "film_frame": ["film", "frame"],
    "film_marks": ["film", "hints", "frame"],
    "shot_picture": ["film", "hints", "frame", "model"],
    "preview_shot": ["film", "hints", "frame", "model"],
    "read_film_hints": ["film", "hints"],
}


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "aunt.png"
    Image.fromarray(scene(60, 90)).save(path)
    return str(path)


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


# --- the page --------------------------------------------------------------------------------


def test_every_handler_is_an_endpoint_that_explains_itself(tiny_colorizer):
    demo = build_demo(tiny_colorizer)
    endpoints = demo.get_api_info()["named_endpoints"]
    named = {
        name.removeprefix("/"): [one["parameter_name"] for one in endpoint["parameters"]]
        for name, endpoint in endpoints.items()
    }
    assert named == ENDPOINTS
    assert all(endpoint["description"] for endpoint in endpoints.values())


def test_page_needs_no_other_host(tiny_colorizer):
    demo = build_demo(tiny_colorizer)
    assert demo.launch.keywords["theme"]._stylesheets == []
    page = next(one for one in demo.blocks.values() if isinstance(one, gr.HTML))
    texts = (demo.launch.keywords["css"], page.html_template, page.js_on_load)
    assert not [text for text in texts if "http" in text.replace("http://www.w3.org/2000/svg", "")]
    assert demo.delete_cache is not None


def test_only_who_offers_models_says_so(tiny_colorizer, tmp_path):
    for offered in (None, tmp_path):
        demo = build_demo(tiny_colorizer, models_folder=offered)
        page = next(one for one in demo.blocks.values() if isinstance(one, gr.HTML))
        said = 'placeholder="user/model or a folder"' in page.html_template
        assert said == (offered is not None)


def test_examples_are_small_and_credited():
    credits = (EXAMPLES_FOLDER / "CREDITS.md").read_text()
    assert {path.stem for path in EXAMPLES_FOLDER.glob("*.jpg")} == set(EXAMPLES)
    for path in map(example_path, EXAMPLES):
        assert path.stat().st_size <= 150_000
        assert path.name in credits
        with Image.open(path) as image:
            assert max(image.size) <= 900


# --- app.py ----------------------------------------------------------------------------------


@pytest.fixture
def served(tiny_network, tmp_path):
    """app.py in a process of its own, with a model from a folder; it may write to temp folders."""
    places = {name: tmp_path / name for name in ("home", "work", "temp")}
    for place in places.values():
        place.mkdir()
    port = free_port()
    environment = os.environ | {
        "COLORIZE_MODEL": str(loading.save(tiny_network, tmp_path / "model")),
        "COLORIZE_MODELS": str(loading.save(tiny_network, tmp_path / "offered" / "mine").parent),
        "GRADIO_SERVER_PORT": str(port),
        "HOME": str(places["home"]),
        "MPLCONFIGDIR": str(places["temp"]),  # Gradio imports matplotlib where there is one
        "TMPDIR": str(places["temp"]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen(
        [sys.executable, ROOT / "app.py"], cwd=places["work"], env=environment
    )
    assert "<gradio-app" in page_of(process, port)
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(20)
    assert not list(places["home"].iterdir())
    assert not list(places["work"].iterdir())


def test_client_colours_a_photo_through_app_py(served, photo, tmp_path):
    client = Client(served, verbose=False, download_files=tmp_path / "downloads")
    made = client.predict(handle_file(photo), api_name="/colorize")
    assert Path(made).name == "aunt-color.png"
    expected = loading.load(tmp_path / "model").colorize(photo)
    np.testing.assert_allclose(pixels(made), np.asarray(expected).astype(int), atol=1)
    hints = '[{"x": 30, "y": 20, "rgb": [220, 20, 20], "radius": 9}]'
    made = client.predict(handle_file(photo), hints, api_name="/colorize_with_hints")
    hinted = loading.load(tmp_path / "model").colorize(photo, [Hint(30, 20, (220, 20, 20), 9)])
    np.testing.assert_allclose(pixels(made), np.asarray(hinted).astype(int), atol=1)
    assert client.predict("mine", api_name="/use_model")["model"] == "mine"
    (tmp_path / "text.jpg").write_text("This is not a picture.")
    with pytest.raises(AppError, match=r"text\.jpg is not a picture"):
        client.predict(handle_file(tmp_path / "text.jpg"), 0.5, api_name="/colorize")
    for private in (photo, str(tmp_path / "nothing.png")):  # only what was uploaded is opened
        with pytest.raises(AppError, match="is no longer kept here"):
            client.predict({"path": private}, api_name="/open_photo")
