"""The live picture of the static site: frames are coloured on the device, with no server there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk_page import DeskPage, chroma, redness
from tests.browser.live_page import LivePage, find_thing
from tests.browser.static_site import Host

pytestmark = pytest.mark.browser


@pytest.fixture
def live(camera_browser: Browser, host: Host) -> Iterator[LivePage]:
    """The page, ready; from now on there is no server."""
    complaints: list[str] = []
    with camera_browser.new_context() as context:
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(host.url)
        page.wait_for_selector("#after[src]")
        host.stop()
        yield LivePage(page)
    assert not complaints


def test_the_camera_is_coloured_and_a_colour_follows_its_thing(live: LivePage) -> None:
    page = live.page
    live.start()
    live.in_colour()
    before, after = live.frame()
    assert before.shape == after.shape
    assert chroma(before) < 1
    assert chroma(after) > 2
    live.pause()
    place = find_thing(live.pixels("#live-before").mean(2))
    live.click(1 - place[0], place[1])  # shown like a mirror
    page.locator("#live-swatches .swatch").first.wait_for()
    page.locator("#live-picker").fill("#d01818")
    live.up_to_date()
    assert redness(live.pixels(), *place) > 30
    page.click("#live-pause")
    live.moved_on()
    expect(page.locator("#live-hints li")).to_have_count(1)


def test_a_snapshot_goes_to_the_desk_with_its_colours(live: LivePage) -> None:
    live.start()
    live.in_colour()
    live.pause()
    live.click(0.5, 0.5)
    live.page.locator("#live-swatches .swatch").first.click()
    live.up_to_date()
    live.page.click("#live-snapshot")
    desk = DeskPage(live.page)
    expect(desk.marks()).to_have_count(1)
    expect(live.page.locator("#caption")).to_contain_text("camera")
