"""The worker colours in a real browser as the library does, and says what goes wrong."""

import base64
import io
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Error
from skimage.color import rgb2lab

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.export.web import MANIFEST
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.web.prints import example_path
from tests.browser.conftest import TIMEOUT_MS, start_chromium
from tests.browser.worker_site import Worker, apart, document, file_of, served

MOST_APART = 0.3  # mean CIEDE2000 between the worker's picture and the library's
GPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan")
RED = {"x": 300, "y": 320, "rgb": [190, 50, 40], "radius": 25}
BLUE = {"points": [[40, 60], [500, 40]], "rgb": [70, 120, 200], "radius": None}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def exact(trained_network):
    """The library in float32, in which the browser computes."""
    return Colorizer(TorchEngine(trained_network, "cpu", torch.float32))


@pytest.fixture(scope="module")
def place(worker_site):
    with served(worker_site) as place:
        yield place


@pytest.fixture(scope="module")
def worker(chromium, place):
    with chromium.new_context() as context:
        context.set_default_timeout(TIMEOUT_MS)
        worker = Worker(context.new_page(), place[0])
        assert worker.start()["threads"] == 2
        yield worker


@pytest.fixture
def fresh(chromium):
    with chromium.new_context() as context:
        context.set_default_timeout(TIMEOUT_MS)
        yield context.new_page()


@pytest.fixture(scope="module")
def boats():
    return Image.open(example_path("nagasaki-boats")).convert("L").resize((640, 480))


def _base64(content):
    return base64.b64encode(content).decode()


def hints_of(*marks):
    return [
        Hint(x, y, tuple(mark["rgb"]), mark["radius"])
        for mark in marks
        for x, y in mark.get("points", [[mark.get("x"), mark.get("y")]])
    ]


@pytest.mark.parametrize("marks", [(), (RED,), (RED, BLUE)], ids=len)
def test_the_picture_is_that_of_the_library(worker, exact, boats, marks):
    found = worker.ask("colorize_with_hints", file_of(boats), document(*marks))
    expected = exact.colorize(boats, hints_of(*marks))
    assert apart(found, expected) < MOST_APART
    assert found.info["file name"] == "photo-color.png"
    shown = worker.ask("render", file_of(boats), document(*marks))["after"]
    assert apart(shown, expected) < 1.5  # a JPEG file


def test_a_scan_of_12_megapixels(worker, exact, boats):
    large = boats.resize((4000, 3000), Image.Resampling.BICUBIC)
    mark = {"x": 1900, "y": 2000, "rgb": [190, 50, 40], "radius": 120}
    found = worker.ask("colorize_with_hints", file_of(large), document(mark))
    assert found.size == large.size
    assert apart(found, exact.colorize(large, hints_of(mark)), every=8) < MOST_APART


def test_opening_tells_the_size_and_shows_both_pictures(worker, boats):
    large = boats.resize((2048, 1536))
    found = worker.ask("open_photo", file_of(large), "")
    assert (found["width"], found["height"]) == large.size
    assert found["before"].size == found["after"].size == (1024, 768)
    assert apart(found["before"], boats.resize((1024, 768))) < 2


def test_orientation_exif_and_opacity_are_kept(worker, boats):
    exif = Image.Exif()
    exif[274], exif[315] = 6, "An artist"
    turned = worker.ask("colorize_with_hints", file_of(boats, "JPEG", exif=exif), "")
    assert turned.size == (480, 640)
    assert dict(turned.getexif()) == {274: 1, 315: "An artist"}
    clear = boats.convert("LA")
    clear.putalpha(Image.linear_gradient("L").resize(boats.size))
    found = worker.ask("colorize_with_hints", file_of(clear), "")
    assert found.mode == "RGBA"
    off = np.asarray(found.getchannel("A")).astype(int) - np.asarray(clear.getchannel("A"))
    assert abs(off).max() <= 1


@pytest.mark.parametrize(
    ("name", "content", "rest", "words"),
    [
        ("open_photo", b"no picture", [""], "photo.png is not a picture that this browser"),
        ("open_photo", b"", [""], "photo.png is empty"),
        ("render", None, ["{"], "The hints are not JSON"),
        ("render", None, [document({"x": 900, "y": 1, "rgb": [0, 0, 0]})], "lies outside the"),
        ("render", None, [document(take=10**6)], "take must be a whole number 0..1023"),
        ("suggest_colours", None, [-1, 5], "lies outside the photo of 640 x 480 pixels"),
        ("use_model", None, [], "there is only the model of this page"),
        ("guess", None, [], "There is no guess on this device"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_the_next_call_works(
    worker, boats, name, content, rest, words
):
    with pytest.raises(Error, match=words):
        worker.ask(name, file_of(boats) if content is None else content, *rest)
    assert len(worker.ask("suggest_colours", file_of(boats), 100, 400)) > 1


def test_what_the_desk_asks_besides(worker, boats):
    photo = file_of(boats)
    assert len(worker.ask("unsure", photo)["places"]) == 5
    takes = worker.ask("variations", photo, "", 8)
    assert [one["take"] for one in takes] == [8, 9, 10, 11]
    assert apart(takes[0]["picture"], takes[2]["picture"]) > 1
    nodes = [[20, 1.2, 1, 10, 0], [80, 1, 1.1, 0, 20]]
    plain = worker.ask("render", photo, "")["after"]
    lent = worker.ask("render", photo, document(palette=nodes))["after"]
    assert apart(plain, lent) > 3


def test_a_live_picture_whose_hint_follows(worker, boats):
    """The camera pans; the hint stays on its boat, and its colour with it."""
    found = worker.page.evaluate("(content) => pan(content)", _base64(file_of(boats)))
    joined, _, second, third, fourth, left, again = found
    assert (joined["fresh"], left, again["fresh"]) == (True, None, True)
    places = [shot["facts"]["hints"][0] for shot in (second, third, fourth)]
    assert all(place["seen"] for place in places)
    np.testing.assert_allclose([place["x"] for place in places], [0.279, 0.258, 0.237], atol=0.006)
    assert second["facts"]["likely"]["key"] == "boat"
    coloured = Image.open(io.BytesIO(base64.b64decode(fourth["picture"]["file"])))
    assert coloured.size == (480, 360)
    place = int(places[2]["x"] * 480), int(0.7 * 360)
    red, green, blue = coloured.convert("RGB").getpixel(place)
    assert red > green + 20
    assert red > blue + 20


def test_what_moves_in_a_live_picture_keeps_its_colour(worker, boats):
    """Grain makes the colours of every frame others; steadied, they go along with their things."""
    flicker = {}
    for smoothing in (0, 0.8):
        arguments = [_base64(file_of(boats)), smoothing]
        told = worker.page.evaluate("(asked) => drift(...asked)", arguments)
        frames = [Image.open(io.BytesIO(base64.b64decode(one["file"]))) for one in told]
        ab = [rgb2lab(np.asarray(frame.convert("RGB")))[..., 1:] for frame in frames]
        apart = [np.abs(one[:, 10:] - other[:, :-10]) for one, other in pairwise(ab[2:])]
        flicker[smoothing] = np.mean([one[20:-20, 20:-20].mean() for one in apart])
    assert flicker[0.8] < 0.7 * flicker[0]


def test_files_of_the_model_are_fetched_once_with_progress(fresh, place):
    address, asked = place
    worker = Worker(fresh, address)
    worker.start()
    loaded = [one["loaded"] for one in fresh.evaluate("progress")]
    total = fresh.evaluate("progress.at(-1).total")
    assert loaded == sorted(loaded)
    assert 0.9 * total < loaded[-1] <= total < 30_000_000
    asked.clear()
    Worker(fresh, address).start()
    assert not [path for path in asked if path.endswith(".onnx.gz")]


def test_a_damaged_file_of_the_model_is_refused(fresh, worker_site):
    with served(worker_site) as (address, _):
        fresh.route("**/see-*.onnx.gz", lambda route: route.fulfill(body=b"damaged"))
        worker = Worker(fresh, address)
        with pytest.raises(Error, match="A file of the model arrived damaged"):
            worker.start()
        fresh.unroute("**/see-*.onnx.gz")
        assert worker.start()["device"] == "wasm"


def test_one_thread_where_the_page_is_not_isolated(fresh, worker_site, exact, boats):
    with served(worker_site, alone=False) as (address, _):
        worker = Worker(fresh, address)
        assert worker.start() == {"device": "wasm", "threads": 1, "vividness": 0.8, "size": 256}
        small = boats.resize((160, 120))
        found = worker.ask("colorize_with_hints", file_of(small), "")
        assert apart(found, exact.colorize(small)) < MOST_APART


@pytest.fixture(scope="module")
def gpu(playwright, place, worker_site):
    """A worker with WebGPU, at a working size that the software adapter manages in seconds."""
    facts = json.loads((worker_site / "model" / MANIFEST).read_text())
    facts["config"] |= {"size": 64, "overview": 0}
    (worker_site / "model" / "small.json").write_text(json.dumps(facts))
    browser = start_chromium(playwright, *GPU)
    page = browser.new_page()
    page.set_default_timeout(5 * TIMEOUT_MS)
    worker = Worker(page, place[0])
    assert worker.start("webgpu", model="small.json")["device"] == "webgpu"
    yield worker
    browser.close()


def test_webgpu_gives_the_same_picture(gpu, exact, boats):
    small, mark = boats.resize((160, 120)), {"x": 80, "y": 90, "rgb": [190, 50, 40], "radius": 8}
    found = gpu.ask("colorize_with_hints", file_of(small), document(mark))
    assert apart(found, exact.colorize(small, hints_of(mark), size=64)) < MOST_APART
    assert gpu.notes() == []


def test_a_lost_graphics_processor_costs_a_note_and_nothing_else(gpu, exact, boats):
    """What lay in its memory is computed again; runs last, for it is gone then."""
    small, mark = boats.resize((160, 120)), {"x": 80, "y": 90, "rgb": [190, 50, 40], "radius": 8}
    before = gpu.ask("open_photo", file_of(small), "")["after"]
    gpu.page.workers[0].evaluate(
        "async () => (await import('/runtime/ort.webgpu.min.mjs')).env.webgpu.device.destroy()"
    )
    found = gpu.ask("render", file_of(small), document(mark))["after"]
    assert apart(found, exact.colorize(small, hints_of(mark), size=64)) < 1.5  # a JPEG file
    assert [note for note in gpu.notes() if "stopped answering" in note] == gpu.notes()
    assert len(gpu.notes()) == 1
    assert apart(gpu.ask("render", file_of(small), "")["after"], before) < MOST_APART
    assert len(gpu.ask("suggest_colours", file_of(small), 80, 90)) > 1
