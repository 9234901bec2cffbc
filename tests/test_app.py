"""The demo without a browser: its handlers called directly, its API called by a client."""

import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from colorize_hub import hub
from colorize_hub.demo import build_demo
from colorize_hub.demo.desk import PREVIEW_SIDE, PhotoDesk
from colorize_hub.demo.handlers import EXAMPLES, EXAMPLES_FOLDER, PhotoHandlers, example_paths

ROOT = Path(__file__).parent.parent


@pytest.fixture
def desk(tiny_colorizer, tmp_path):
    return PhotoDesk(tiny_colorizer, tmp_path / "cache")


@pytest.fixture
def handlers(desk):
    return PhotoHandlers(desk)


def visitor(name="ann"):
    return gr.Request(session_hash=name)


def grey(height, width):
    rows, columns = np.mgrid[:height, :width]
    return (128 + 60 * np.sin(columns / 7) + 50 * np.sin(rows / 11)).astype(np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "aunt.png"
    Image.fromarray(grey(60, 90)).save(path)
    return str(path)


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


# --- the photo tab ---------------------------------------------------------------------------


def test_upload_comes_back_as_before_and_after(handlers, photo):
    (before, after), opened, caption, status = handlers.open_upload({"path": photo}, 0.5, visitor())
    assert abs(pixels(before) - pixels(photo)).mean() < 2
    assert pixels(after).shape == pixels(before).shape
    assert np.ptp(pixels(after), axis=2).mean() > 5
    assert (opened, caption, status) == (photo, "aunt.png · 90 x 60", "")


def test_example_is_opened_by_its_place_in_the_gallery(handlers):
    choice = gr.SelectData(None, {"index": 1, "value": None})
    (before, _), opened, caption, _ = handlers.open_example(0.5, choice, visitor())
    assert opened == str(example_paths()[1])
    assert caption == "Alpine landscape, 1865 to 1870 · 900 x 425"
    assert pixels(before).shape == (425, 900, 3)


def test_vividness_changes_the_colour_by_the_decoder_only(handlers, desk, photo):
    (before, after), *_ = handlers.open_upload({"path": photo}, 0.5, visitor())
    sheet = desk.sheet(photo, "ann")
    (same_before, muted), status = handlers.tune(photo, 0.0, visitor())
    assert desk.sheet(photo, "ann") is sheet
    assert same_before == before
    assert (pixels(muted) != pixels(after)).any()
    assert status == ""
    assert handlers.tune(photo, 0.5, visitor())[0] == (before, after)


@pytest.mark.parametrize("size", [(PREVIEW_SIDE * 2, 40), (3, PREVIEW_SIDE + 1)])
def test_preview_of_a_large_photo_is_small(handlers, tmp_path, size):
    path = str(tmp_path / "large.png")
    Image.new("L", size, 90).save(path)
    (before, after), _, caption, _ = handlers.open_upload({"path": path}, 0.5, visitor())
    assert max(pixels(before).shape) == max(pixels(after).shape) == PREVIEW_SIDE
    assert f"{size[0]} x {size[1]}" in caption


def test_full_size_is_what_the_library_gives(handlers, tiny_colorizer, tmp_path):
    source = np.dstack([np.repeat(grey(41, 53)[..., None], 3, 2), grey(41, 53)[:, ::-1]])
    exif = Image.Exif()
    exif[0x0112] = 6
    path = str(tmp_path / "negative.webp")
    Image.fromarray(source).save(path, lossless=True, exact=True, exif=exif)
    made, status = handlers.full_size(path, 0.7)
    assert Path(made).name == "negative-color.png"
    assert status.startswith("negative-color.png is ready: 41 x 53, ")
    with Image.open(made) as image:
        assert image.mode == "RGBA"
        assert image.getexif().get(0x0112, 1) == 1
        np.testing.assert_array_equal(image, tiny_colorizer.colorize(path, vividness=0.7))
    assert handlers.full_size(path, 0.7)[0] == made
    assert handlers.full_size(path, 0.8)[0] != made


def test_sixteen_bits_and_transparency_have_a_preview(handlers, tmp_path):
    deep = str(tmp_path / "deep.tif")
    Image.fromarray(grey(20, 30).astype(np.uint16) * 257).save(deep)
    (before, _), *_ = handlers.open_upload({"path": deep}, 0.5, visitor())
    assert abs(pixels(before)[..., 0] - grey(20, 30)).mean() < 2
    clear = str(tmp_path / "clear.png")
    Image.new("LA", (30, 20), (0, 0)).save(clear)
    (before, after), *_ = handlers.open_upload({"path": clear}, 0.5, visitor())
    assert pixels(before).min() == pixels(after).min() == 255


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bad_files(folder):
    """Name of each bad file, and words of the message it must give."""
    good = folder / "good.jpg"
    Image.fromarray(grey(80, 80)).save(good)
    (folder / "text.jpg").write_text("This is not a picture.")
    (folder / "half.jpg").write_bytes(good.read_bytes()[:-400])
    (folder / "empty.png").touch()
    Image.new("L", (1, 1)).save(folder / "dot.png")
    header = struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
    (folder / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")
    )
    return {
        "text.jpg": "not a picture",
        "half.jpg": "damaged or incomplete",
        "empty.png": "empty",
        "dot.png": "single pixel",
        "huge.png": "more than the limit",
        "gone.png": "no longer kept",
    }


@pytest.mark.parametrize(
    "name", ["text.jpg", "half.jpg", "empty.png", "dot.png", "huge.png", "gone.png"]
)
def test_bad_file_gives_our_message_and_keeps_the_sheet(handlers, desk, photo, tmp_path, name):
    words = bad_files(tmp_path)[name]
    handlers.open_upload({"path": photo}, 0.5, visitor())
    sheet = desk.sheet(photo, "ann")
    for call in (handlers.open_upload, lambda bad, v, _: handlers.colorize(bad, v)):
        with pytest.raises(gr.Error, match=f"^.{name}.*{words}") as error:
            call({"path": str(tmp_path / name)}, 0.5, visitor())
        assert str(tmp_path) not in str(error.value)
    assert desk.sheet(photo, "ann") is sheet


def test_file_names_are_shown_as_text(handlers, tmp_path):
    path = tmp_path / "<b>&.png"
    Image.fromarray(grey(20, 30)).save(path)
    *_, caption, _ = handlers.open_upload({"path": str(path)}, 0.5, visitor())
    assert caption.startswith("&lt;b&gt;&amp;.png")
    path.write_text("This is not a picture.")
    with pytest.raises(gr.Error, match=r"&lt;b&gt;&amp;\.png"):
        handlers.open_upload({"path": str(path)}, 0.5, visitor())


def test_no_photo_and_impossible_vividness_say_so(handlers, photo):
    with pytest.raises(gr.Error, match="Drop a photo"):
        handlers.open_upload(None, 0.5, visitor())
    with pytest.raises(gr.Error, match="vividness"):
        handlers.colorize({"path": photo}, 7)


def test_visitors_are_apart_and_only_so_many_are_held(tiny_colorizer, photo, tmp_path):
    desk = PhotoDesk(tiny_colorizer, tmp_path / "cache", sheets=2)
    sheets = {name: desk.open(photo, name) for name in ("ann", "bob", "cem")}
    assert desk.sheet(photo, "cem") is sheets["cem"]
    assert desk.sheet(photo, "bob") is sheets["bob"]
    again = desk.sheet(photo, "ann")  # was the oldest: made again, in place of cem's
    assert again is not sheets["ann"]
    assert desk.compare(again, 0.5) == desk.compare(sheets["ann"], 0.5)
    assert desk.sheet(photo, "bob") is sheets["bob"]
    desk.forget("bob")
    assert desk.sheet(photo, "bob") is not sheets["bob"]


# --- the page --------------------------------------------------------------------------------


def test_page_has_one_endpoint_and_needs_no_other_host(tiny_colorizer):
    demo = build_demo(tiny_colorizer)
    endpoints = demo.get_api_info()["named_endpoints"]
    assert list(endpoints) == ["/colorize"]
    names = [one["parameter_name"] for one in endpoints["/colorize"]["parameters"]]
    assert names == ["photo", "vividness"]
    assert demo.launch.keywords["theme"]._stylesheets == []
    assert "http" not in demo.launch.keywords["css"]
    assert demo.delete_cache is not None
    shown_first = [one for one in demo.blocks.values() if isinstance(one, gr.ImageSlider)]
    assert len(shown_first[0].keep_in_cache) == 2  # not cleared away under later visitors


def test_examples_are_small_and_credited():
    credits = (EXAMPLES_FOLDER / "CREDITS.md").read_text()
    assert {path.stem for path in EXAMPLES_FOLDER.glob("*.jpg")} == set(EXAMPLES)
    for path in example_paths():
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "COLORIZE_MODEL": str(hub.save(tiny_network, tmp_path / "model")),
        "GRADIO_SERVER_PORT": str(port),
        "HOME": str(places["home"]),
        "TMPDIR": str(places["temp"]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen(
        [sys.executable, ROOT / "app.py"], cwd=places["work"], env=environment
    )
    url = f"http://127.0.0.1:{port}/"
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            break
        except OSError:
            assert process.poll() is None, "app.py ended by itself"
            assert time.monotonic() < deadline, "app.py does not answer"
            time.sleep(0.2)
    yield url
    process.terminate()
    process.wait(20)
    assert not list(places["home"].iterdir())
    assert not list(places["work"].iterdir())


def test_client_colours_a_photo_through_app_py(served, photo, tmp_path):
    client = Client(served, verbose=False, download_files=tmp_path / "downloads")
    made = client.predict(handle_file(photo), api_name="/colorize")
    assert Path(made).name == "aunt-color.png"
    expected = hub.load(tmp_path / "model").colorize(photo)
    np.testing.assert_allclose(pixels(made), np.asarray(expected).astype(int), atol=1)
    bad_files(tmp_path)
    with pytest.raises(AppError, match=r"text\.jpg is not a picture"):
        client.predict(handle_file(tmp_path / "text.jpg"), 0.5, api_name="/colorize")
