"""The short way: drop a photo, look, download."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from colorize_hub.inference.colorizer import Colorizer
from tests.browser.desk_page import DeskPage, chroma

pytestmark = pytest.mark.browser


def test_upload_comes_back_in_colour_beside_what_it_was(
    page: Page, desk: DeskPage, photo: Path
) -> None:
    desk.open(photo)
    before, after = desk.pixels("#before"), desk.pixels()
    assert before.shape == after.shape == (205, 1024, 3)
    assert chroma(before) < 1
    assert chroma(after) > 3
    expect(page.locator("#caption")).to_have_text("Großmutter 1934.jpg · 1500 x 300")


def test_download_is_the_full_size_lossless_result(
    page: Page, desk: DeskPage, photo: Path, colorizer: Colorizer, tmp_path: Path
) -> None:
    desk.open(photo)
    with page.expect_download() as download:
        desk.button("Download full size").click()
    assert download.value.suggested_filename == "Großmutter 1934-color.png"
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    with Image.open(saved) as image:
        assert image.size == (1500, 300)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(colorizer.colorize(photo)))
    expect(page.locator("#download-status")).to_contain_text("1500 x 300")
    expect(desk.button("Download full size")).to_be_enabled()


def test_print_is_coloured_by_a_click(page: Page, desk: DeskPage) -> None:
    old = desk.source()
    page.locator(".example").nth(2).click()
    desk.changed(old)
    expect(page.locator("#caption")).to_contain_text("A March pastoral, 1888")


def test_divider_moves_by_mouse_and_by_keys(page: Page, desk: DeskPage) -> None:
    divider = page.get_by_role("slider", name="Before and after")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    desk.drag((0.5, 0.5), (0.2, 0.5))
    assert abs(int(divider.get_attribute("aria-valuenow") or 0) - 20) <= 2
    divider.press("End")
    expect(divider).to_have_attribute("aria-valuenow", "100")
    divider.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "95")


def test_bad_file_says_so_and_leaves_photo_and_work(
    page: Page, desk: DeskPage, tmp_path: Path
) -> None:
    work = desk.hint(0.3, 0.3)
    text = tmp_path / "notes.jpg"
    text.write_text("This is not a picture.")
    page.set_input_files("#file", text)
    expect(desk.message()).to_contain_text("notes.jpg is not a picture")
    assert str(tmp_path) not in desk.message().inner_text()
    assert desk.source() == work
    expect(desk.marks()).to_have_count(1)


def test_photo_that_the_server_lost_is_sent_again(
    page: Page, desk: DeskPage, photo: Path, kept_files: Path
) -> None:
    Image.new("L", (64, 40), 90).save(photo)
    desk.open(photo)
    work = desk.hint(0.3, 0.7)
    for upload in kept_files.rglob(photo.name):
        upload.unlink()
    with page.expect_download() as download:
        desk.button("Download full size").click()
    assert download.value.suggested_filename == "Großmutter 1934-color.png"
    assert desk.source() == work


@pytest.mark.parametrize(
    "event",
    [
        "new ClipboardEvent('paste', { clipboardData: files, bubbles: true })",
        "new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })",
    ],
    ids=["paste", "drop"],
)
def test_photo_pasted_or_dropped_anywhere_is_opened(
    page: Page, desk: DeskPage, photo: Path, event: str
) -> None:
    old = desk.source()
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const files = new DataTransfer();
          files.items.add(new File([bytes], 'pasted.jpg', { type: 'image/jpeg' }));
          document.body.dispatchEvent(EVENT);
        }""".replace("EVENT", event),
        base64.b64encode(photo.read_bytes()).decode(),
    )
    desk.changed(old)
    expect(page.locator("#caption")).to_contain_text("pasted.jpg")


def test_two_visitors_do_not_share_work(
    visit: Callable[..., Page], page: Page, desk: DeskPage, photo: Path
) -> None:
    other = DeskPage(visit())
    others = other.source()
    assert others == desk.source()
    desk.hint(0.3, 0.3)
    other.hint(0.7, 0.7, "#1830d0")
    assert other.source() != desk.source()
    expect(other.marks()).to_have_count(1)
    mine = other.source()
    other.button("Undo").click()
    assert other.changed(mine) == others
    desk.open(photo)
    expect(other.page.locator("#caption")).to_contain_text("Dust Bowl")
