"""`python -m bench.web`: the page without a server beside the one with it, in headless Chromium.

Both pages are open in one browser and are measured in turns, as a visitor sees them: from the event
of the mouse or of the file to the picture in colour that is decoded and shown.
"""

import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from bench.clock_film import write_clock_film
from bench.live import TAKE, WATCH, fps_of, lateness
from bench.pages import camera_browser, served_page, static_page
from colorize_hub.loading import BUNDLED, read_model
from colorize_hub.web.prints import EXAMPLES, example_path
from colorize_hub.web.site import write_site

# When the visitor did something last, and when the picture in colour was last shown, both in ms.
_CLOCK = """
  window.clock = { asked: 0, shown: 0, count: 0 };
  for (const kind of ['click', 'change']) {
    addEventListener(kind, () => (clock.asked = performance.now()), true);
  }
  new MutationObserver(async (changes) => {
    const { target } = changes.find(({ target }) => target.id === 'after' && target.src) ?? {};
    if (!target) return;
    await target.decode().catch(() => {});
    Object.assign(clock, { shown: performance.now(), count: clock.count + 1 });
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['src'] });
"""
_REST_MS = 500  # a visitor looks before they do the next thing; a page may get ready meanwhile
_WARM_UP_S = 12.0
_TIMEOUT_MS = 120_000
TARGETS = {
    "first colour": "4000 ms",
    "640x480, opened": "700 ms",
    "first click on a photo": "",
    "click": "150 ms",
    "live": "5 fps",
    "live, glass to glass": "400 ms",
    "first visit": "30 MB",
    "second visit": "0 MB",
}


@dataclass
class Seen:
    """What a page was seen to take, by the names of TARGETS: ms, but for fps and MB."""

    page: Page
    times: dict[str, list[float]] = field(default_factory=lambda: {one: [] for one in TARGETS})

    def medians(self) -> dict[str, str]:
        """Spell them as the targets are spelled."""
        unit = {what: target.partition(" ")[2] or "ms" for what, target in TARGETS.items()}
        found = {what: statistics.median(all_) for what, all_ in self.times.items() if all_}
        digits = {"ms": 0, "fps": 1, "MB": 1}
        return {what: f"{one:.{digits[unit[what]]}f} {unit[what]}" for what, one in found.items()}


def web(turns: int = 7, seconds: float = 15.0, chromium: str = "") -> None:
    """Measure and report.

    Args:
        turns: Photographs opened and clicks made, of which the median is taken.
        seconds: Of the live picture that are counted, after 12 that are not.
        chromium: Path of the browser; the default is the first on the PATH.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film, files, site = folder / "clock.mjpeg", folder / "temp", folder / "site"
        files.mkdir()
        write_clock_film(film, example_path("nagasaki-boats"))
        write_site(read_model(BUNDLED), site)
        photos = _photographs(folder, turns + 1)
        with (
            static_page(site) as (static, sent),
            served_page("", files) as (served, _),
            camera_browser(film, chromium) as browser,
        ):
            pages = [_visit_static(browser, static, sent, turns), _visit(browser, served, turns)]
            for photo in photos:
                for seen in pages:
                    _open(seen, photo)
            _click_in_turns(pages, turns)
            for seen in pages:  # each alone: they would take each other's time
                _watch_live(seen, seconds)
            words = pages[0].page.inner_text("#device-words").removeprefix("· ")
            print(_report(pages, words, turns))


def _photographs(folder: Path, count: int) -> list[Path]:
    """Grey JPEGs of 640 x 480, each another one."""
    paths = []
    for number in range(count):
        with Image.open(example_path(list(EXAMPLES)[number % len(EXAMPLES)])) as print_:
            grey = np.asarray(print_.convert("L").resize((680, 520)))
        path = folder / f"photo {number}.jpg"
        Image.fromarray(grey[number : number + 480, number : number + 640]).save(path, quality=92)
        paths.append(path)
    return paths


def _visit_static(browser: Browser, url: str, sent: list[int], turns: int) -> Seen:
    """Open the static site: once for its files, then as often as asked."""
    context = _profile(browser)
    _opened(context, url).close()
    first = sum(sent)
    seen = _visit(browser, url, turns, context)
    seen.times["first visit"].append(first / 1e6)
    seen.times["second visit"].append((sum(sent) - first) / 1e6)
    return seen


def _visit(browser: Browser, url: str, turns: int, context: BrowserContext | None = None) -> Seen:
    context = context or _profile(browser)
    _opened(context, url).close()  # what a server does at its first visitor is not counted
    times = []
    for _ in range(turns - 1):
        page = _opened(context, url)
        times.append(page.evaluate("clock.shown"))
        page.close()
    page = _opened(context, url)
    seen = Seen(page)
    seen.times["first colour"] += [*times, page.evaluate("clock.shown")]
    return seen


def _profile(browser: Browser) -> BrowserContext:
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
    context = browser.new_context(**options)
    context.set_default_timeout(_TIMEOUT_MS)
    context.add_init_script(_CLOCK)
    context.add_init_script(WATCH)
    return context


def _opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    _shown(page, 0)
    page.wait_for_timeout(_REST_MS)
    return page


def _shown(page: Page, before: int) -> float:
    """Wait for another picture in colour; ms from what the visitor did to it."""
    page.wait_for_function("count => window.clock?.count > count", arg=before)
    return page.evaluate("clock.shown - clock.asked")


def _open(seen: Seen, photo: Path) -> None:
    before = seen.page.evaluate("clock.count")
    seen.page.set_input_files("#file", photo)
    seen.times["640x480, opened"].append(_shown(seen.page, before))
    seen.page.wait_for_timeout(_REST_MS)


def _click_in_turns(pages: list[Seen], turns: int) -> None:
    """Give colours to places of the photo opened last, one after the other."""
    for number in range(turns + 1):
        for seen in pages:
            took = _click(seen.page, 0.15 + 0.7 * number / turns, 0.3 + 0.4 * (number % 2))
            seen.times["click" if number else "first click on a photo"].append(took)


def _click(page: Page, across: float, down: float) -> float:
    box = page.locator("#sheet").bounding_box()
    if box is None:
        raise RuntimeError("The page shows no photograph.")
    page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
    page.get_by_text("Likely here.").wait_for()
    page.wait_for_timeout(_REST_MS)
    before = page.evaluate("clock.count")
    page.locator(".swatch").last.click()
    return _shown(page, before)


def _watch_live(seen: Seen, seconds: float) -> None:
    page = seen.page
    page.bring_to_front()
    page.click("#tab-live")
    page.click("#live-start")
    time.sleep(_WARM_UP_S)
    page.evaluate(TAKE)
    time.sleep(seconds)
    log = page.evaluate(TAKE)
    seen.times["live"].append(fps_of(log["shown"]))
    seen.times["live, glass to glass"] += lateness(log["late"])
    page.click("#tab-photo")


def _report(pages: list[Seen], words: str, turns: int) -> str:
    static, served = (seen.medians() for seen in pages)
    lines = [
        f"medians of {turns}; the static site computes with WebAssembly, {words}",
        "",
        f"{'':24}{'target':>10}{'static site':>14}{'server page':>14}",
    ]
    for what, target in TARGETS.items():
        row = (static.get(what, ""), served.get(what, ""))
        lines.append(f"{what:24}{target:>10}{row[0]:>14}{row[1]:>14}")
    return "\n".join(lines)


if __name__ == "__main__":
    tyro.cli(web, prog="python -m bench.web")
