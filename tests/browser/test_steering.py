"""The long way: marks, strokes, history, takes, a reference, hints as a file, a model."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from colorize_hub import loading
from colorize_hub.demo.photo.marks import hints_of, read_work
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.web.prints import EXAMPLES, example_path
from tests.browser.desk_page import DeskPage, redness

pytestmark = pytest.mark.browser

PLACE = (0.72, 0.5)  # on the wall of the house of the first print


def test_click_swatch_undo_redo_clear(page: Page, desk: DeskPage) -> None:
    first = desk.source()
    desk.click(*PLACE)
    swatches = page.locator(".swatch")
    swatches.last.wait_for()
    shares = [int(text.strip("<%")) for text in swatches.all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    assert desk.source() == first  # nothing is chosen yet
    swatches.last.click()
    chosen = desk.changed(first)
    expect(desk.marks()).to_have_count(1)
    desk.button("Undo").click()
    assert desk.changed(chosen) == first
    expect(desk.marks()).to_have_count(0)
    page.keyboard.press("Control+Shift+Z")
    assert desk.changed(first) == chosen
    desk.button("Clear").click()
    assert desk.changed(chosen) == first
    page.keyboard.press("Control+Z")
    assert desk.changed(first) == chosen


def test_the_hinted_thing_changes_and_a_far_one_hardly(desk: DeskPage) -> None:
    before = desk.pixels()
    desk.hint(*PLACE)
    after = desk.pixels()
    assert redness(after, *PLACE) > redness(before, *PLACE) + 40
    far = np.abs(after[:80, :80] - before[:80, :80]).mean()
    assert far < np.abs(redness(after, *PLACE) - redness(before, *PLACE)) / 4


def test_mark_is_changed_dragged_and_deleted(page: Page, desk: DeskPage) -> None:
    first, before = desk.source(), desk.pixels()
    red = desk.hint(*PLACE)
    page.locator("#picker").fill("#1830d0")
    blue = desk.changed(red)
    assert redness(desk.pixels(), *PLACE) < 0
    desk.drag(PLACE, (0.2, 0.75))
    moved = desk.changed(blue)
    expect(desk.marks()).to_have_count(1)
    assert abs(redness(desk.pixels(), 0.2, 0.75) - redness(before, 0.2, 0.75)) > 10
    desk.button("Undo").click()
    assert desk.changed(moved) == blue
    desk.marks().click()
    desk.button("Delete mark").click()
    assert desk.changed(blue) == first


def test_stroke_colours_all_along(page: Page, desk: DeskPage) -> None:
    before = desk.pixels()
    desk.button("Brush").click()
    desk.drag((0.2, 0.85), (0.5, 0.85), (0.8, 0.85))
    page.wait_for_selector(".swatch")
    old = desk.source()
    page.locator("#picker").fill("#d01818")
    desk.changed(old)
    after = desk.pixels()
    for across in (0.25, 0.5, 0.75):
        assert redness(after, across, 0.85) > redness(before, across, 0.85) + 30


def test_eyedropper_takes_a_colour_from_the_picture(page: Page, desk: DeskPage) -> None:
    sky = desk.pixels()
    desk.button("Eyedropper").click()
    desk.click(0.8, 0.1)
    expect(desk.button("Point")).to_have_attribute("aria-pressed", "true")
    y, x = int(sky.shape[0] * 0.1), int(sky.shape[1] * 0.8)
    taken = page.locator("#picker").input_value()
    rgb = np.array([int(taken[i : i + 2], 16) for i in (1, 3, 5)])
    assert np.abs(sky[y - 3 : y + 4, x - 3 : x + 4] - rgb).max(-1).min() <= 8
    old = desk.source()
    desk.click(0.3, 0.85)  # the next click places it
    desk.changed(old)
    expect(desk.marks()).to_have_count(1)


def test_reference_lends_its_palette_and_single_colours(
    page: Page, desk: DeskPage, tmp_path: Path
) -> None:
    rows = np.linspace(40, 255, 120)[:, None, None]
    Image.fromarray((rows * np.array([1, 0.4, 0.4]) * np.ones((1, 160, 1))).astype(np.uint8)).save(
        tmp_path / "red.png"
    )
    first, before = desk.source(), desk.pixels()
    page.locator("#reference-card summary").click()
    page.set_input_files("#reference-file", tmp_path / "red.png")
    desk.button("Carry palette over").click()
    lent = desk.changed(first)
    assert redness(desk.pixels(), 0.8, 0.1) > redness(before, 0.8, 0.1) + 40
    desk.button("Take palette off").click()
    assert desk.changed(lent) == first
    page.locator("#reference").click()
    value = page.locator("#picker").input_value()
    assert int(value[1:3], 16) > int(value[3:5], 16) + 30


def test_vividness_changes_the_colour_and_goes_back(page: Page, desk: DeskPage) -> None:
    first = desk.source()
    slider = page.get_by_role("slider", name="Vividness")
    slider.fill("0")
    muted = desk.changed(first)
    expect(page.locator("#vividness-value")).to_have_text("0%")
    desk.button("Undo").click()
    assert desk.changed(muted) == first


def test_another_take_is_chosen_from_four(page: Page, desk: DeskPage) -> None:
    first = desk.source()
    desk.button("Another take").click()
    desk.button("Take 2").click()
    taken = desk.changed(first)
    expect(desk.button("Take 2")).to_have_attribute("aria-pressed", "true")
    desk.button("The likeliest colours").click()
    assert desk.changed(taken) == first


def test_unsure_places_can_be_clicked(page: Page, desk: DeskPage) -> None:
    desk.button("Where unsure?").click()
    page.locator(".doubt").first.wait_for()
    expect(page.locator("#unsure-map")).to_be_visible()
    desk.button("Unsure place 1").click()
    page.wait_for_selector(".swatch")
    expect(desk.marks()).to_have_count(1)
    desk.button("Where unsure?").click()
    expect(page.locator("#unsure-map")).to_be_hidden()


def test_hints_saved_and_loaded_give_the_identical_picture(
    page: Page, desk: DeskPage, visit: Callable[..., Page], colorizer: Colorizer, tmp_path: Path
) -> None:
    desk.hint(*PLACE)
    old = desk.source()
    page.get_by_role("slider", name="Vividness").fill("0.3")
    work = desk.changed(old)
    page.locator("#more summary").click()
    with page.expect_download() as download:
        desk.button("Save hints").click()
    assert download.value.suggested_filename.endswith("-hints.json")
    saved = tmp_path / "hints.json"
    download.value.save_as(saved)
    other = DeskPage(visit())
    old = other.source()
    other.page.set_input_files("#hints-file", saved)
    assert other.changed(old) == work
    with other.page.expect_download() as full:
        other.button("Download full size").click()
    full.value.save_as(tmp_path / "full.png")
    read = read_work(saved.read_text())
    photo = example_path(next(iter(EXAMPLES)))
    expected = colorizer.colorize(photo, hints_of(read.marks), read.vividness)
    np.testing.assert_array_equal(Image.open(tmp_path / "full.png"), expected)


def test_hints_of_another_photo_are_refused(page: Page, desk: DeskPage, tmp_path: Path) -> None:
    work = desk.hint(*PLACE)
    (tmp_path / "wrong.json").write_text(json.dumps({"size": [10, 90], "marks": []}))
    page.set_input_files("#hints-file", tmp_path / "wrong.json")
    expect(desk.message()).to_contain_text("belong to a picture of 10 x 90")
    assert desk.source() == work


def test_model_box_keeps_the_work_whatever_is_typed(
    page: Page, desk: DeskPage, visit: Callable[..., Page], tiny_network: ColorNet, tmp_path: Path
) -> None:
    work = desk.hint(*PLACE)
    page.locator("#more summary").click()
    page.locator("#model").fill("nobody/nothing")
    desk.button("Use").click()
    expect(desk.message()).to_contain_text("nobody/nothing")
    assert desk.source() == work
    folder = str(loading.save(tiny_network, tmp_path / "model"))
    page.locator("#model").fill(folder)
    desk.button("Use").click()
    other = desk.changed(work)
    expect(desk.marks()).to_have_count(1)
    expect(page.locator("#model-name")).to_have_text(folder)
    linked = DeskPage(visit(address=f"?model={folder}"))
    assert linked.source() != work
    expect(linked.page.locator("#model-name")).to_have_text(folder)
    page.locator("#model").fill("")
    desk.button("Use").click()
    desk.changed(other)


def test_zoom_and_hand(page: Page, desk: DeskPage) -> None:
    whole = page.locator("#sheet").bounding_box()
    page.mouse.move(*desk.at(0.5, 0.5))
    page.mouse.wheel(0, -400)
    larger = page.locator("#sheet").bounding_box()
    assert whole is not None
    assert larger is not None
    assert larger["width"] > whole["width"] * 1.2
    desk.button("Move").click()
    desk.drag((0.6, 0.4), (0.65, 0.45))
    moved = page.locator("#sheet").bounding_box()
    assert moved is not None
    assert moved["x"] > larger["x"] + 5
    desk.button("Fit").click()
    assert page.locator("#sheet").bounding_box() == whole
