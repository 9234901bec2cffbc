"""Behind a proxy that rewrites Host, at the root of its address and below it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page

from tests.browser.desk_page import DeskPage, chroma
from tests.browser.film_page import FilmPage
from tests.proxy import PREFIX, proxy_before
from tests.video.clips import moving_frames, write_clip

pytestmark = pytest.mark.browser


@pytest.fixture(params=["/", f"{PREFIX}/"])
def outside(request: pytest.FixtureRequest, context: BrowserContext, site: str) -> Iterator[Page]:
    """The page as a visitor reaches it; every request goes to the proxy."""
    with proxy_before(urlsplit(site).port or 80) as address:
        asked: list[str] = []
        page = context.new_page()
        page.on("request", lambda one: asked.append(one.url))
        page.goto(address + request.param)
        page.wait_for_selector("#after[src]")
        yield page
        page.close()
    local = (address + request.param, "data:", "blob:")
    assert not [url for url in asked if not url.startswith(local)]


def test_photo_is_opened_and_downloaded(outside: Page, photo: Path, tmp_path: Path) -> None:
    desk = DeskPage(outside)
    desk.open(photo)
    with outside.expect_download() as download:
        desk.button("Download full size").click()
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    with Image.open(saved) as image:
        assert image.size == (1500, 300)


def test_film_is_coloured_and_played(outside: Page, tmp_path: Path) -> None:
    film = FilmPage(outside)
    film.open(Path(write_clip(tmp_path / "film.mp4", moving_frames(10, 120, 160))))
    film.colour()
    film.done()
    assert chroma(film.pixels()) > 4
