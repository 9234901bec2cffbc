"""The Gradio page, colouring on the visitor's own machine where the visitor says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from colorize_hub.demo import build_demo
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from tests.browser.desk_page import DeskPage, chroma
from tests.browser.test_axe import faults
from tests.serving import free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def offering(colorizer: Colorizer, trained_network: ColorNet, kept_files: Path) -> Iterator[str]:
    """A server that lets visitors colour on their own machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(kept_files))
        demo = build_demo(colorizer, network=lambda: trained_network)
        port = free_port()
        demo.launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True)
        yield f"http://127.0.0.1:{port}"
        demo.close(verbose=False)


@pytest.fixture
def asked() -> list[str]:
    """Addresses that the page asked for."""
    return []


@pytest.fixture
def desk(chromium: Browser, offering: str, asked: list[str]) -> Iterator[DeskPage]:
    complaints: list[str] = []
    with chromium.new_context() as context:
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("request", lambda one: asked.append(one.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(offering)
        page.wait_for_selector("#after[src]")
        yield DeskPage(page)
    assert not complaints
    assert not [url for url in asked if not url.startswith((offering, "data:", "blob:"))]


def choose_device(page: Page) -> None:
    page.get_by_label("On this device").check()
    expect(page.locator("#device-words")).to_contain_text("thread", timeout=120_000)


def test_a_photo_stays_on_the_device_until_the_visitor_says_otherwise(
    desk: DeskPage, asked: list[str], photo: Path, tmp_path: Path
) -> None:
    page, by_server = desk.page, desk.source()
    expect(page.get_by_label("On this device")).not_to_be_checked()  # there is no WebGPU here
    assert not [url for url in asked if "/device/" in url], "nothing is fetched before"
    choose_device(page)
    assert page.evaluate("crossOriginIsolated"), "threads need it"
    desk.changed(by_server)  # the open print, coloured here
    asked.clear()
    desk.open(photo)
    assert chroma(desk.pixels()) > 3
    with page.expect_download() as download:
        desk.button("Download full size").click()
    assert download.value.suggested_filename == "Großmutter 1934-color.png"
    assert not [url for url in asked if "/upload" in url or "/call/" in url or "/desk/" in url]
    own = desk.source()
    page.get_by_label("On this device").uncheck()
    desk.changed(own)
    assert [url for url in asked if "/upload" in url]
    assert faults(page) == []


def test_the_choice_is_remembered(desk: DeskPage, asked: list[str]) -> None:
    choose_device(desk.page)
    asked.clear()
    desk.page.reload()
    expect(desk.page.get_by_label("On this device")).to_be_checked()
    expect(desk.page.locator("#device-words")).to_contain_text("thread", timeout=120_000)
    assert not [url for url in asked if url.endswith(".onnx.gz")], "the browser kept the model"


def test_where_the_device_cannot_start_the_server_goes_on(desk: DeskPage, photo: Path) -> None:
    page = desk.page
    page.route("**/device/model/**", lambda route: route.abort())
    page.context.route("**/device/model/**", lambda route: route.abort())
    page.get_by_label("On this device").check()
    expect(desk.message()).to_contain_text("The server colours in its place.")
    expect(page.get_by_label("On this device")).not_to_be_checked()
    desk.open(photo)
    assert chroma(desk.pixels()) > 3
