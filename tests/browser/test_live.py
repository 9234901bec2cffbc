"""The live tab, a film as its camera: colour, hints, snapshot, the line, and what goes wrong."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Route, expect

from colorize_hub.colour.lab import rgb_to_lightness
from tests.browser.desk_page import DeskPage, chroma
from tests.browser.live_page import HEIGHT, WIDTH, LivePage, find_thing

pytestmark = pytest.mark.browser

RED = "#e03018"  # the thing is bluish by itself


@pytest.fixture
def visit(camera_browser: Browser, site: str) -> Iterator[Callable[..., LivePage]]:
    """Opens the page for one more visitor with a camera; in the end, no script has failed."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(**options: object) -> LivePage:
        context = camera_browser.new_context(**options)  # pyright: ignore[reportArgumentType]
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site)
        page.wait_for_selector("#after[src]")
        return LivePage(page)

    yield open_page
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")  # as a visitor who leaves
        context.close()
    assert not complaints


@pytest.fixture
def live(visit: Callable[..., LivePage]) -> LivePage:
    live = visit()
    live.start()
    live.in_colour()
    return live


def fix_colour(live: LivePage, colour: str = RED) -> None:
    """Clicks the thing, on a picture that stands still, and makes it red."""
    live.pause()
    x, y = find_thing(live.pixels("#live-before")[..., 0])
    live.click(1 - x, y)  # a mirror
    expect(live.page.locator("#live-swatches .swatch")).to_have_count(5)
    live.page.locator("#live-picker").fill(colour)
    live.up_to_date()


def redness(pixels: np.ndarray, x: float, y: float) -> float:
    height, width = pixels.shape[:2]
    row, column = int(y * height), int(x * width)
    patch = pixels[row - 6 : row + 7, column - 6 : column + 7].mean((0, 1))
    return float(patch[0] - patch[2])


def lightness(pixels: np.ndarray) -> np.ndarray:
    """(H, W) L* of (H, W, 3) levels 0..255."""
    rgb = torch.from_numpy(pixels.copy()).movedim(2, 0)[None].float() / 255
    return rgb_to_lightness(rgb)[0, 0].numpy()


def test_grey_camera_comes_out_in_colour(live: LivePage) -> None:
    before, after = live.frame()
    assert before.shape == after.shape
    assert before.shape[1] / before.shape[0] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    assert chroma(before) < 2
    assert chroma(after) > 4
    assert abs(lightness(after) - lightness(before)).mean() < 1  # of one moment; L* is kept
    words = live.page.locator("#live-speed").inner_text()
    assert words.endswith(" ms")
    assert int(words.split()[0]) >= 1


def test_fixed_colour_follows_its_thing_until_it_is_cleared(live: LivePage) -> None:
    fix_colour(live)
    x, y = find_thing(live.pixels("#live-before")[..., 0])
    assert redness(live.pixels(), x, y) > 30
    live.page.click("#live-pause")
    for _ in range(3):
        live.moved_on()
        live.pause()
        expect(live.marks()).to_be_visible()
        moved_x, moved_y = find_thing(live.pixels("#live-before")[..., 0])
        seen_x, seen_y = live.mark()
        assert abs(1 - seen_x - moved_x) < 0.06
        assert abs(seen_y - moved_y) < 0.07
        assert redness(live.pixels(), moved_x, moved_y) > 12  # below 10 without its colour
        live.page.click("#live-pause")
    live.page.click("#live-clear")
    expect(live.marks()).to_have_count(0)
    expect(live.page.locator("#live-clear")).to_be_hidden()
    for _ in range(300):
        live.next_frame()
        before, after = live.frame()
        if redness(after, *find_thing(before[..., 0])) < 10:
            break
    assert redness(after, *find_thing(before[..., 0])) < 10


def test_snapshot_opens_on_the_desk_with_its_colours(live: LivePage) -> None:
    fix_colour(live)
    live.page.click("#live-snapshot")
    expect(live.page.locator("#caption")).to_contain_text(f"{WIDTH} x {HEIGHT}")
    desk = DeskPage(live.page)
    expect(desk.marks()).to_have_count(1)
    expect(live.page.locator("#tab-photo")).to_have_attribute("aria-selected", "true")
    x, y = find_thing(desk.pixels("#before")[..., 0])
    for _ in range(2):  # the snapshot without its colours may be shown first
        shown = desk.source()
        if redness(desk.pixels(), x, y) < 12:
            desk.changed(shown)
    assert redness(desk.pixels(), x, y) > 12
    assert live.page.evaluate("document.querySelector('#live-video').srcObject") is None


def test_views_mirror_and_sliders(live: LivePage) -> None:
    page = live.page
    for mode, shown in (("colour", 1), ("beside", 2), ("over", 2)):
        page.click(f"#live button[data-mode={mode}]")
        boxes = [one.bounding_box() for one in page.locator(".pane").all() if one.is_visible()]
        assert len(boxes) == shown
    page.click("#live button[data-mode=beside]")
    one, other = (pane.bounding_box() for pane in page.locator(".pane").all())
    assert one is not None
    assert other is not None
    assert one["width"] == pytest.approx(other["width"], abs=1)
    mirrored = "getComputedStyle(document.querySelector('#live-after')).transform"
    assert page.evaluate(mirrored).startswith("matrix(-1")
    page.click("#live-mirror")
    assert page.evaluate(mirrored) == "none"
    page.locator("#live-steadiness").fill("0")
    expect(page.locator("#live-steadiness-value")).to_have_text("off")
    live.pause()
    page.locator("#live-vividness").fill("0")
    live.up_to_date()
    dull = chroma(live.pixels())
    page.locator("#live-vividness").fill("1")
    live.up_to_date()
    assert chroma(live.pixels()) > dull + 2


def test_keyboard_alone_fixes_and_removes_a_colour(live: LivePage) -> None:
    page = live.page
    live.pause()
    page.locator("#live-pane").focus()
    for key in ("ArrowLeft", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.locator("#live-swatches .swatch").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#live-hints li")).to_have_count(1)
    live.marks().focus()
    page.keyboard.press("Delete")
    expect(live.marks()).to_have_count(0)
    expect(page.locator("#live-hints li")).to_have_count(0)


def test_third_viewer_waits_and_gets_in_when_a_tab_closes(visit: Callable[..., LivePage]) -> None:
    first, second, third = visit(), visit(), visit()
    for one in (first, second):
        one.start()
        one.in_colour()
    third.start()
    expect(third.status()).to_have_text("Two people are using the live picture. You are next.")
    assert chroma(third.pixels()) < 2
    first.page.close(run_before_unload=True)
    third.in_colour()
    expect(third.status()).to_be_hidden()
    assert chroma(third.pixels()) > 4
    second.next_frame()


def test_unplugged_camera_is_told_and_colours_stay(live: LivePage) -> None:
    fix_colour(live)
    live.page.evaluate("document.querySelector('#live-video').srcObject.getTracks()[0].stop()")
    expect(live.message()).to_contain_text("The camera is gone")
    expect(live.page.locator("#live-start")).to_be_visible()
    expect(live.page.locator("#live-hints li")).to_have_count(1)
    assert chroma(live.pixels()) > 4
    live.page.click("#live-start")
    live.in_colour()
    expect(live.page.locator("#live-hints li")).to_have_count(1)
    expect(live.marks()).to_be_visible()


def test_server_that_goes_and_comes_back(live: LivePage) -> None:
    fix_colour(live)
    live.page.click("#live-pause")
    live.page.context.set_offline(True)
    expect(live.status()).to_contain_text("does not answer. Trying again")
    live.page.context.set_offline(False)
    expect(live.status()).to_be_hidden()
    live.in_colour()
    expect(live.page.locator("#live-hints li")).to_have_count(1)


def test_other_tab_turns_the_camera_off_and_coming_back_on(live: LivePage) -> None:
    live.page.click("#tab-photo")
    assert live.page.evaluate("document.querySelector('#live-video').srcObject") is None
    live.page.click("#tab-live")
    live.in_colour()


def test_refused_camera_is_explained(chromium: Browser, camera_browser: Browser, site: str) -> None:
    with camera_browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = async () => {"
            " throw new DOMException('Permission denied', 'NotAllowedError'); }"
        )
        opening: list[Route] = []
        page.route("**/call/open_photo", lambda route: opening.append(route))
        page.goto(site)
        LivePage(page).start()
        expect(LivePage(page).message()).to_contain_text("The camera was refused")
        expect(page.locator("#live-start")).to_be_visible()
        for photo in opening:
            photo.continue_()
        page.wait_for_selector("#after[src]", state="attached")
        expect(LivePage(page).message()).to_contain_text("The camera was refused")


def test_machine_without_camera_is_told(chromium: Browser, site: str) -> None:
    with chromium.new_context(permissions=["camera"]) as context:
        page = context.new_page()
        page.goto(site)
        LivePage(page).start()
        expect(LivePage(page).message()).to_contain_text("No camera was found")


def test_phone_shows_the_picture_and_its_buttons(visit: Callable[..., LivePage]) -> None:
    live = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    live.start()
    live.in_colour()
    assert live.page.evaluate("document.documentElement.scrollWidth") == 390
    for button in live.page.locator("#live .tools button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert box["y"] + box["height"] <= 844
