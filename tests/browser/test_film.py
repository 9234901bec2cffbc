"""The film tab: a film goes up, a colour is fixed in a shot and stays, is previewed and made."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from colorize_hub.video.hints import FilmHints
from tests.browser.desk_page import chroma, redness
from tests.browser.film_page import FilmPage
from tests.browser.test_axe import faults
from tests.video.clips import read_clip

pytestmark = pytest.mark.browser


def test_the_whole_path(tab: FilmPage, film: Path, tmp_path: Path) -> None:
    """Open, choose a shot, mark, step, preview, make, download, save, load."""
    page = tab.page
    tab.open(film)
    expect(tab.shots()).to_have_count(3)
    expect(page.locator("#film-strip img[src^='data:image/jpeg']")).to_have_count(3)
    tab.choose(1, 17)
    tab.mark(0.4, 0.5)
    assert redness(tab.desk.pixels(), 0.4, 0.5) > 25
    expect(tab.lives()).to_have_count(1)
    assert "frames 12 to 21" in tab.lives().inner_text()
    expect(tab.shots().nth(1).locator("em i")).to_have_count(1)
    page.click("#film-after")  # a frame later the mark is carried
    tab.at(18)
    expect(page.locator(".mark.carried")).to_have_count(1)
    assert redness(tab.desk.pixels(), 0.4, 0.5) > 25
    tab.choose(2, 26)  # it does not leave its shot
    expect(tab.lives()).to_have_count(0)
    expect(page.locator(".mark")).to_have_count(0)
    tab.choose(1, 17)
    page.click("#film-preview")
    tab.playing("-preview.mp4")
    assert chroma(tab.pixels()) > 4
    tab.colour()
    tab.done()
    expect(tab.versions()).to_have_text(["Colours", "Original", "Preview", "Steady 80% · 1 mark"])
    with page.expect_download() as download:
        page.click("#film-download")
    assert download.value.suggested_filename == "Großvater 1931-color.mp4"
    made = tmp_path / "made.mp4"
    download.value.save_as(made)
    check_made(made)
    with page.expect_download() as download:
        page.click("#film-save")
    saved = tmp_path / "work.json"
    download.value.save_as(saved)
    assert [one.moment.frame for one in FilmHints.read(saved).hints] == [17]
    tab.versions().first.click()
    page.click("#clear")
    expect(tab.lives()).to_have_count(0)
    page.set_input_files("#film-hints", saved)
    expect(page.locator("#message p")).to_have_text("1 mark loaded.")
    expect(tab.lives()).to_have_count(1)
    tab.at(17)


def check_made(path: Path) -> None:
    """The marked shot is red where it was marked, on every frame; sound and frames are there."""
    with av.open(str(path)) as film:
        assert len(film.streams.audio) == 1
    frames = read_clip(path).frames
    assert len(frames) == 30
    reds = [redness(frame.astype(int), 0.4, 0.5) for frame in frames]
    assert min(reds[12:22]) > max(0, np.mean(reds[:12] + reds[22:])) + 10


def test_versions_can_be_compared(tab: FilmPage, film: Path) -> None:
    tab.open(film)
    tab.versions().nth(1).click()
    assert chroma(tab.pixels()) < 3
    tab.page.locator("#film-steadiness").fill("0")
    expect(tab.page.locator("#film-steadiness-value")).to_have_text("off")
    tab.colour()
    tab.done()
    expect(tab.versions()).to_have_text(["Colours", "Original", "Steady off"])
    expect(tab.versions().nth(2)).to_have_attribute("aria-pressed", "true")
    tab.versions().nth(0).click()
    expect(tab.page.locator("#film-screen")).to_be_hidden()
    expect(tab.page.locator("#film-download")).to_be_hidden()


def test_work_outlives_a_reload_and_a_half_made_film_goes_on(
    tab: FilmPage, long_film: Path
) -> None:
    page = tab.page
    tab.open(long_film)
    tab.mark(0.3, 0.4)
    tab.colour()
    expect(tab.status()).to_contain_text("Frame ")
    page.wait_for_function(
        "Number(/Frame (\\d+)/.exec(document.querySelector('#film-status').textContent)?.[1]) > 60"
    )
    page.reload()
    expect(page.locator("#film")).to_be_visible()
    tab.ready()
    expect(tab.lives()).to_have_count(1)
    expect(tab.desk.marks()).to_have_count(1)
    page.wait_for_function(
        "Number(/Frame (\\d+)/.exec(document.querySelector('#film-status').textContent)?.[1]) > 60"
    )
    page.click("#film-cancel")
    expect(page.locator("#film-start")).to_be_visible()


def test_the_photo_waits_while_a_film_is_on_the_desk(
    tab: FilmPage, film: Path, photo: Path
) -> None:
    page = tab.page
    page.click("#tab-photo")
    tab.desk.open(photo)
    tab.desk.hint(0.3, 0.4)
    picture = tab.desk.source()
    page.click("#tab-film")
    tab.open(film)
    tab.mark(0.3, 0.3)
    page.click("#tab-photo")
    assert tab.desk.source() == picture
    expect(tab.desk.marks()).to_have_count(1)
    expect(page.locator("#caption")).to_contain_text(photo.name)
    page.click("#undo")
    expect(tab.desk.marks()).to_have_count(0)
    page.click("#tab-film")
    expect(tab.desk.marks()).to_have_count(1)
    tab.at(0)


def test_a_mark_of_another_frame_leads_to_it(tab: FilmPage, film: Path) -> None:
    tab.open(film)
    tab.choose(0, 6)
    tab.mark(0.3, 0.4)
    tab.page.locator("#film-frame").fill("9")
    tab.at(9)
    tab.page.locator(".mark.carried").click()
    tab.at(6)
    tab.desk.marks().first.press("Delete")
    expect(tab.lives()).to_have_count(0)


def test_by_keyboard_alone(tab: FilmPage, film: Path) -> None:
    page = tab.page
    tab.open(film)
    page.locator("#film-strip [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    tab.at(17)
    page.locator("#film-frame").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    tab.at(19)
    page.locator("#view").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".swatch").first.press("Enter")
    expect(tab.lives()).to_have_count(1)
    page.locator("#film-preview").press("Enter")
    tab.playing("-preview.mp4")


def test_on_a_phone(visit: Callable[..., Page], film: Path) -> None:
    tab = FilmPage(visit(390, 844))
    page = tab.page
    tab.open(film)
    tab.choose(0, 6)
    tab.mark(0.5, 0.4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("#film-open", "#film-frame", "#film-strip", "#film-preview", "#film-start"):
        box = page.locator(name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    page.click("#film-preview")
    tab.playing("-preview.mp4")
    expect(page.locator("#film-player")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_at_work(tab: FilmPage, film: Path, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    tab.open(film)
    tab.choose(0, 6)
    tab.mark(0.3, 0.4)
    assert faults(tab.page) == []
    tab.page.click("#film-preview")
    tab.playing("-preview.mp4")
    assert faults(tab.page) == []


def test_the_old_address_still_works(page: Page, site: str) -> None:
    page.goto("about:blank")
    page.goto(site + "#clip")
    expect(page.locator("#film-welcome")).to_be_visible()
    expect(page.locator("#tab-film")).to_have_attribute("aria-selected", "true")
    page.click("#tab-photo")
    page.wait_for_selector("#after[src]")
