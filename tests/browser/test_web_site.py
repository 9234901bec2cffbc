"""The static site: the whole desk on the visitor's own machine, and nobody asked for anything."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize_hub.demo.photo.marks import hints_of, read_work
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.web.prints import example_path
from tests.browser.desk_page import DeskPage, chroma, redness
from tests.browser.static_site import Host
from tests.browser.test_axe import faults

pytestmark = pytest.mark.browser

TIMEOUT_MS = 60_000
FIRST_VISIT_BYTES = 30e6
GRAPH = ".onnx.gz"


@pytest.fixture
def colorizer(trained_network: ColorNet) -> Colorizer:
    """The library in float32, in which the browser computes."""
    return Colorizer(TorchEngine(trained_network, "cpu", torch.float32))


@pytest.fixture
def visitor(chromium: Browser, host: Host) -> Iterator[BrowserContext]:
    """A browser profile of its own. In the end: no other host was asked, nothing was logged."""
    foreign: list[str] = []
    complaints: list[str] = []
    with chromium.new_context() as context:
        context.set_default_timeout(TIMEOUT_MS)
        local = (host.url, "data:", "blob:" + host.url.partition("/some")[0])
        context.on("request", lambda one: one.url.startswith(local) or foreign.append(one.url))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context
    assert not foreign
    assert not complaints


def opened(visitor: BrowserContext, host: Host) -> DeskPage:
    """The page with the first print in colour."""
    page = visitor.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(host.url)
    page.wait_for_selector("#after[src]")
    return DeskPage(page)


@pytest.fixture
def desk(visitor: BrowserContext, host: Host) -> DeskPage:
    """The page, and from now on there is no server."""
    desk = opened(visitor, host)
    host.stop()
    return desk


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean CIEDE2000 of two pictures (H, W, 3) of 8 bits."""
    labs = (rgb2lab(np.asarray(picture) / 255) for picture in (one, other))
    return float(deltaE_ciede2000(*labs).mean())


def saved(page: Page, press: Callable[[], None], path: Path) -> Path:
    with page.expect_download() as download:
        press()
    download.value.save_as(path)
    return path


def test_a_photo_is_opened_steered_and_saved_without_a_server(
    desk: DeskPage, photo: Path, colorizer: Colorizer, tmp_path: Path
) -> None:
    page = desk.page
    assert page.evaluate("crossOriginIsolated"), "threads need it, whatever the host sends"
    expect(page.locator("#device-words")).to_contain_text("threads")
    desk.open(photo)
    expect(page.locator("#caption")).to_have_text("Großmutter 1934.jpg · 1500 x 300")
    before, after = desk.pixels("#before"), desk.pixels()
    assert before.shape == after.shape == (205, 1024, 3)
    assert chroma(before) < 1
    assert chroma(after) > 3
    press = desk.button("Download full size").click
    with Image.open(saved(page, press, tmp_path / "own.png")) as own:
        assert own.size == (1500, 300)
        assert (
            difference(np.asarray(own.convert("RGB")), np.asarray(colorizer.colorize(photo))) < 0.3
        )


def test_marks_are_as_python_makes_them(
    desk: DeskPage, colorizer: Colorizer, tmp_path: Path
) -> None:
    page = desk.page
    first, plain = desk.source(), desk.pixels()
    work = desk.hint(0.72, 0.5)
    assert redness(desk.pixels(), 0.72, 0.5) > redness(plain, 0.72, 0.5) + 40
    desk.button("Undo").click()
    assert desk.changed(work) == first
    desk.button("Redo").click()
    assert desk.changed(first) == work
    page.locator("#more summary").click()
    hints = saved(page, desk.button("Save hints").click, tmp_path / "hints.json")
    read = read_work(hints.read_text())
    expected = colorizer.colorize(
        example_path("dust-bowl-home"), hints_of(read.marks), read.vividness
    )
    press = desk.button("Download full size").click
    with Image.open(saved(page, press, tmp_path / "own.png")) as own:
        assert difference(np.asarray(own.convert("RGB")), np.asarray(expected)) < 0.3
    desk.button("Clear").click()
    desk.changed(work)
    old = desk.source()
    page.set_input_files("#hints-file", hints)
    assert desk.changed(old) == work


def test_takes_doubts_vividness_and_a_palette(desk: DeskPage, tmp_path: Path) -> None:
    page, first = desk.page, desk.source()
    page.get_by_role("slider", name="Vividness").fill("0.1")
    muted = desk.changed(first)
    desk.button("Undo").click()
    assert desk.changed(muted) == first
    desk.button("Another take").click()
    desk.button("Take 2").click()
    taken = desk.changed(first)
    desk.button("The likeliest colours").click()
    assert desk.changed(taken) == first
    desk.button("Where unsure?").click()
    expect(page.locator(".doubt")).to_have_count(5)
    desk.button("Where unsure?").click()
    rows = np.linspace(40, 255, 120)[:, None, None]
    reds = (rows * np.array([1, 0.4, 0.4]) * np.ones((1, 160, 1))).astype(np.uint8)
    Image.fromarray(reds).save(tmp_path / "red.png")
    before = desk.pixels()
    page.locator("#reference-card summary").click()
    page.set_input_files("#reference-file", tmp_path / "red.png")
    desk.button("Carry palette over").click()
    lent = desk.changed(first)
    assert redness(desk.pixels(), 0.8, 0.1) > redness(before, 0.8, 0.1) + 40
    desk.button("Take palette off").click()
    assert desk.changed(lent) == first


def test_a_first_visit_is_small_and_a_second_asks_for_nothing(
    visitor: BrowserContext, host: Host
) -> None:
    opened(visitor, host).page.close()
    assert sum(size for _, size in host.sent) <= FIRST_VISIT_BYTES
    host.sent.clear()
    page = visitor.new_page()
    page.goto(host.url)
    page.wait_for_selector("#after[src]")
    asked = {path.rpartition("/")[2] for path, _ in host.sent}
    assert asked <= {"service.js"}, "whether there is a new version"
    host.stop()
    page.reload()
    page.wait_for_selector("#after[src]")


def test_it_fits_a_phone(visitor: BrowserContext, host: Host) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(host.url)
    page.wait_for_selector("#after[src]")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    expect(page.locator("#tools")).to_be_in_viewport()
    DeskPage(page).hint(0.3, 0.7)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    visitor: BrowserContext, host: Host, scheme: Literal["light", "dark"]
) -> None:
    page = opened(visitor, host).page
    page.emulate_media(color_scheme=scheme)
    expect(page.locator("body")).to_have_class("dark" if scheme == "dark" else "")
    assert faults(page) == []


def test_a_second_tab_works_beside_the_first(visitor: BrowserContext, host: Host) -> None:
    one, other = opened(visitor, host), opened(visitor, host)
    assert one.source() == other.source()
    one.hint(0.3, 0.3)
    expect(other.marks()).to_have_count(0)
    other.hint(0.7, 0.7, "#1830d0")
    assert one.source() != other.source()


def test_a_bad_file_says_so_and_leaves_photo_and_work(desk: DeskPage, tmp_path: Path) -> None:
    work = desk.hint(0.3, 0.3)
    text = tmp_path / "notes.jpg"
    text.write_text("This is not a picture.")
    desk.page.set_input_files("#file", text)
    expect(desk.message()).to_contain_text("notes.jpg")
    (tmp_path / "film.mp4").write_bytes(b"\0" * 64)
    desk.page.set_input_files("#file", tmp_path / "film.mp4")
    expect(desk.message()).to_contain_text("film.mp4")
    assert desk.source() == work
    expect(desk.marks()).to_have_count(1)


def test_a_model_that_arrives_damaged_is_not_used(visitor: BrowserContext, host: Host) -> None:
    host.damaged = lambda path: GRAPH in path and "/see-" in path
    page = visitor.new_page()
    page.goto(host.url)
    expect(DeskPage(page).message()).to_contain_text("arrived damaged")
    host.damaged = lambda path: False
    page.locator(".example").first.click()
    page.wait_for_selector("#after[src]")


def test_without_a_service_worker_it_colours_with_one_thread(chromium: Browser, host: Host) -> None:
    """As in a private window: nothing is kept, and no header can be added."""
    with chromium.new_context(service_workers="block") as context:
        desk = opened(context, host)
        assert not desk.page.evaluate("crossOriginIsolated")
        expect(desk.page.locator("#device-words")).to_have_text("· one thread")
        assert chroma(desk.pixels()) > 3


def test_a_full_disk_is_said_and_the_work_goes_on(visitor: BrowserContext, host: Host) -> None:
    page = visitor.new_page()
    session = visitor.new_cdp_session(page)
    origin = host.url.partition("/some")[0]
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 2_000_000})
    page.goto(host.url)
    page.wait_for_selector("#after[src]")
    expect(DeskPage(page).message()).to_contain_text("no room to keep the model")
    DeskPage(page).hint(0.3, 0.3)


def test_a_machine_can_be_measured(visitor: BrowserContext, host: Host) -> None:
    """With one turn of each; how fast it is does not matter here."""
    page = visitor.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{host.url}bench/web.html?turns=1&seconds=1")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.locator("#words")).to_have_text("Done.", timeout=2 * TIMEOUT_MS)
    assert page.evaluate("crossOriginIsolated"), "threads need it"
    rows = page.locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [
        *("threads", "first colour, files there", "640x480 opened", "a click"),
        *("live", "live, a frame", "live, working size"),
    ]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults(page) == []
