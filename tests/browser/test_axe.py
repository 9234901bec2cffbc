"""axe-core finds nothing serious on the page, as it opens and at work, in light and in dark."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.desk_page import DeskPage
from tests.browser.live_page import LivePage

pytestmark = pytest.mark.browser

GRAVE = ("serious", "critical")


def live_at_work(page: Page) -> None:
    """A colour is fixed on the held live picture."""
    live = LivePage(page)
    live.start()
    live.in_colour()
    live.pause()
    live.click(0.5, 0.5)
    page.locator("#live-swatches .swatch").first.click()
    page.locator("#live-hints li").wait_for()


def film_tab(page: Page) -> None:
    """As it opens."""
    page.click("#tab-film")


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, camera_browser: Browser, site: str) -> Iterator[Page]:
    """The page as it opens, for a visitor who prefers one of the two."""
    with camera_browser.new_context(color_scheme=request.param) as context:
        page = context.new_page()
        page.goto(site)
        page.wait_for_selector("#after[src]")
        yield page


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical: the rule, and what breaks it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def at_work(page: Page) -> None:
    """A mark is chosen, and all that can be opened is open."""
    DeskPage(page).hint(0.3, 0.7)
    page.locator("#another").click()
    page.locator(".take").nth(4).wait_for()
    page.locator("#unsure").click()
    page.locator(".doubt").first.wait_for()
    for summary in page.locator("#desk summary").all():
        summary.click()


@pytest.mark.parametrize(
    "work",
    [None, at_work, live_at_work, film_tab],
    ids=["as it opens", "at work", "live", "film"],
)
def test_axe_finds_nothing_serious(themed: Page, work: Callable[[Page], None] | None) -> None:
    if work is not None:
        work(themed)
    assert faults(themed) == []


def test_axe_sees_a_fault(themed: Page) -> None:
    themed.evaluate("document.querySelector('#download').textContent = ''")
    assert any("button-name" in fault for fault in faults(themed))
