"""The desk by keyboard alone, by name, and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk_page import DeskPage

pytestmark = pytest.mark.browser


def test_keyboard_alone_colours_moves_and_deletes(page: Page, desk: DeskPage) -> None:
    first = desk.source()
    page.locator("#view").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    swatch = page.locator(".swatch").last
    swatch.focus()
    page.keyboard.press("Enter")
    chosen = desk.changed(first)
    desk.marks().focus()
    page.keyboard.press("ArrowLeft")
    moved = desk.changed(chosen)
    expect(desk.marks()).to_be_focused()
    page.keyboard.press("Delete")
    assert desk.changed(moved) == first
    expect(page.locator("#view")).to_be_focused()


def test_everything_that_can_be_used_has_a_name(page: Page, desk: DeskPage) -> None:
    desk.hint(0.3, 0.7)
    for summary in page.locator("#desk summary").all():
        summary.click()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#desk :is(button, input, [tabindex], img)')]
          .filter((one) => one.checkVisibility())
          .filter((one) => !(one.ariaLabel || one.alt || one.title || one.textContent.trim()
            || one.labels?.length || one.id === 'unsure-map'))
          .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


def test_text_stands_out_from_its_ground(page: Page) -> None:
    """Contrast of WCAG AA, 4.5 to 1, for all text on plain ground."""
    faint = page.evaluate(
        """() => {
          const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
            .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const parts = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
          const ground = (one) => {
            for (; one; one = one.parentElement) {
              const rgba = parts(getComputedStyle(one).backgroundColor);
              if (rgba.length && (rgba[3] ?? 1) > 0.99) return rgba;
            }
            return [255, 255, 255];
          };
          return [...document.querySelectorAll('#desk *')]
            .filter((one) => one.checkVisibility() && !one.closest(':disabled, svg'))
            .filter((one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .map((one) => {
              const pair = [light(parts(getComputedStyle(one).color)), light(ground(one))].sort();
              return [(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), one.outerHTML];
            })
            .filter(([ratio]) => ratio < 4.5);
        }"""
    )
    assert faint == []


@pytest.fixture
def phone(chromium: Browser, site: str) -> Iterator[Page]:
    with chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        page.goto(site)
        page.wait_for_selector("#after[src]")
        yield page


def test_phone_has_the_picture_on_top_and_the_tools_under_the_thumb(phone: Page) -> None:
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    view, tools = (phone.locator(it).bounding_box() for it in ("#view", "#tools"))
    assert view is not None
    assert tools is not None
    assert view["width"] >= 370
    assert view["y"] + view["height"] < 844
    assert tools["y"] + tools["height"] > 830
    for button in phone.locator("#tools button").all():
        if button.is_visible():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44


def test_phone_colours_by_touch(phone: Page) -> None:
    desk = DeskPage(phone)
    first = desk.source()
    phone.touchscreen.tap(*desk.at(0.3, 0.8))
    phone.locator(".swatch").nth(1).tap()
    chosen = desk.changed(first)
    phone.locator("#undo").tap()
    assert desk.changed(chosen) == first


def test_narrow_windows_need_no_sideways_scrolling(visit: Callable[..., Page]) -> None:
    for width in (320, 390, 768, 1024):
        page = visit(width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
