"""The photo page in a browser, as a visitor uses it."""

import base64
import gc
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from colorize_hub.colorizer import Canvas, Colorizer
from tests.browser.result import Result

pytestmark = pytest.mark.browser

DROP_ZONE = "#drop-zone input[type=file]"


def chroma(rgb: np.ndarray) -> float:
    """Mean distance of the channels of (H, W, 3), in levels: 0 is grey."""
    return float(np.ptp(rgb.astype(int), axis=2).mean())


def wait_for_canvases(count: int) -> None:
    """Waits until the server, which runs in this process, holds so many encoded photos."""
    deadline = time.monotonic() + 10
    while (held := sum(isinstance(thing, Canvas) for thing in gc.get_objects())) != count:
        assert time.monotonic() < deadline, f"{held} encoded photos are held, not {count}"
        time.sleep(0.2)


def test_upload_comes_back_in_colour_under_the_slider(
    page: Page, result: Result, photo: Path
) -> None:
    urls = result.urls()
    page.set_input_files(DROP_ZONE, photo)
    result.wait_for_change(urls)
    before, after = result.pictures()
    assert before.shape == after.shape == (256, 1280, 3)
    assert chroma(before) < 1
    assert chroma(after) > 5
    expect(page.locator("#caption")).to_contain_text("1500 x 300")


def test_download_is_the_full_size_lossless_result(
    page: Page, result: Result, photo: Path, tiny_colorizer: Colorizer, tmp_path: Path
) -> None:
    urls = result.urls()
    page.set_input_files(DROP_ZONE, photo)
    result.wait_for_change(urls)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download full size").click()
    assert download.value.suggested_filename == "Großmutter 1934-color.png"
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    with Image.open(saved) as image:
        assert image.size == (1500, 300)
        expected = tiny_colorizer.colorize(photo, vividness=tiny_colorizer.config.vividness)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
    expect(page.locator("#download-status")).to_contain_text("1500 x 300")
    expect(page.get_by_role("button", name="Download full size")).to_be_enabled()


def test_vividness_changes_the_colour_and_keeps_the_photo(page: Page, result: Result) -> None:
    urls = result.urls()
    default = result.pictures()[1]
    page.get_by_role("spinbutton", name="Vividness").fill("0")
    muted_urls = result.wait_for_change(urls)
    muted = result.pictures()[1]
    assert muted_urls[0] == urls[0]
    assert not np.array_equal(muted, default)
    page.get_by_role("button", name="Reset to default value").click()
    result.wait_for_change(muted_urls)
    np.testing.assert_array_equal(result.pictures()[1], default)


def test_example_is_coloured_by_a_click(page: Page, result: Result) -> None:
    urls = result.urls()
    page.locator("#examples button").nth(2).click()
    result.wait_for_change(urls)
    before, after = result.pictures()
    assert before.shape == after.shape
    expect(page.locator("#caption")).to_contain_text("A March pastoral, 1888")


def test_bad_file_says_so_and_leaves_the_picture(
    page: Page, result: Result, photo: Path, tmp_path: Path
) -> None:
    urls = result.urls()
    page.set_input_files(DROP_ZONE, photo)
    urls = result.wait_for_change(urls)
    text = tmp_path / "notes.jpg"
    text.write_text("This is not a picture.")
    page.set_input_files(DROP_ZONE, text)
    toast = page.get_by_test_id("toast-body")
    expect(toast).to_contain_text("notes.jpg is not a picture")
    assert str(tmp_path) not in toast.inner_text()
    assert "gradio" not in toast.inner_text()
    assert result.urls() == urls
    expect(page.locator("#before-after .error")).to_be_hidden()
    expect(page.locator("#caption")).to_contain_text(photo.name)
    expect(page.locator("#drop-zone")).to_contain_text("Choose a photo")
    page.get_by_role("spinbutton", name="Vividness").fill("0.1")  # the old photo is still at work
    assert result.wait_for_change(urls)[0] == urls[0]


def test_download_of_a_photo_that_was_cleared_away_says_so(
    page: Page, result: Result, photo: Path, kept_files: Path
) -> None:
    urls = result.urls()
    Image.new("L", (60, 40), 90).save(photo)
    page.set_input_files(DROP_ZONE, photo)
    result.wait_for_change(urls)
    for upload in kept_files.rglob(photo.name):
        upload.unlink()
    page.get_by_role("button", name="Download full size").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text("no longer kept here")
    expect(page.get_by_role("button", name="Download full size")).to_be_enabled()


@pytest.mark.parametrize(
    "event",
    [
        "new ClipboardEvent('paste', { clipboardData: files, bubbles: true })",
        "new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })",
    ],
    ids=["paste", "drop"],
)
def test_photo_pasted_or_dropped_anywhere_is_opened(
    page: Page, result: Result, photo: Path, event: str
) -> None:
    urls = result.urls()
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const files = new DataTransfer();
          files.items.add(new File([bytes], 'pasted.jpg', { type: 'image/jpeg' }));
          document.body.dispatchEvent(EVENT);
        }""".replace("EVENT", event),
        base64.b64encode(photo.read_bytes()).decode(),
    )
    result.wait_for_change(urls)
    expect(page.locator("#caption")).to_contain_text("pasted.jpg")


def test_two_visitors_do_not_share_a_photo(
    visit: Callable[..., Page], page: Page, result: Result, photo: Path
) -> None:
    other_page = visit()
    other = Result(other_page)
    others_urls = other.urls()
    urls = result.urls()
    page.set_input_files(DROP_ZONE, photo)
    result.wait_for_change(urls)
    other_page.get_by_role("spinbutton", name="Vividness").fill("0.9")
    assert other.wait_for_change(others_urls)[0] == others_urls[0]
    assert other.pictures()[1].shape != result.pictures()[1].shape


def test_leaving_frees_what_was_held(page: Page, result: Result, photo: Path) -> None:
    wait_for_canvases(0)  # of the tests before
    urls = result.urls()
    page.set_input_files(DROP_ZONE, photo)
    result.wait_for_change(urls)
    wait_for_canvases(1)
    page.close()
    wait_for_canvases(0)


def test_phone_needs_no_sideways_scrolling(visit: Callable[..., Page]) -> None:
    page = visit(width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for part in ("#drop-zone", "#before-after", "#download"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["width"] > 340
