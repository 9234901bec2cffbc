"""A real server and a real Chromium for the page tests; every page must stay silent and local."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from colorize_hub.demo import build_demo
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.web.site import write_site
from tests.browser.desk_page import DeskPage
from tests.browser.film_page import FilmPage, blocks
from tests.browser.live_page import camera_film
from tests.browser.static_site import Host, hosted
from tests.browser.worker_site import PAGE
from tests.serving import free_port
from tests.video.clips import moving_frames, write_clip

TIMEOUT_MS = 60_000
expect.set_options(timeout=TIMEOUT_MS)
LOCAL = ("http://127.0.0.1:", "data:", "blob:")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for every test that needs one."""
    browser = start_chromium(playwright)
    yield browser
    browser.close()


def start_chromium(playwright: Playwright, *flags: str) -> Browser:
    """$CHROMIUM, or the one on the PATH, or Playwright's own."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *flags])
    except Error as error:
        pytest.fail(
            f"No Chromium could be started ({path or 'none on the PATH'}): set CHROMIUM to its"
            f" path, or run `playwright install chromium`.\n{error}"
        )


@pytest.fixture(scope="session")
def kept_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps uploads and results."""
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="session")
def colorizer(trained_network: ColorNet) -> Colorizer:
    """The model that comes with the package."""
    return Colorizer(TorchEngine(trained_network, device="cpu"))


@pytest.fixture(scope="session")
def site(colorizer: Colorizer, kept_files: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(kept_files))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        demo = build_demo(colorizer)
        port = free_port()
        demo.launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True)
        yield f"http://127.0.0.1:{port}"
        demo.close(verbose=False)


@pytest.fixture(scope="session")
def static_site(trained_network: ColorNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with the bundled model, as `colorize-hub web` writes it."""
    return write_site(trained_network, tmp_path_factory.mktemp("static") / "site").parent


@pytest.fixture(scope="session")
def worker_site(static_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its worker and model, with a bare page that hands calls on."""
    folder = Path(shutil.copytree(static_site, tmp_path_factory.mktemp("worker") / "site"))
    shutil.copyfile(PAGE, folder / "index.html")
    return folder


@pytest.fixture
def host(static_site: Path) -> Iterator[Host]:
    """It, served by a host that knows nothing but files."""
    with hosted(static_site) as host:
        yield host


@pytest.fixture(scope="session")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """One browser profile, so that the page's own files are fetched once; each tab is a visitor."""
    with chromium.new_context() as context:
        context.set_default_timeout(TIMEOUT_MS)
        yield context


@pytest.fixture(scope="session")
def camera_browser(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """Chromium with a film for a camera, which it gives to any page."""
    film = camera_film(tmp_path_factory.mktemp("camera") / "film.mjpeg")
    browser = start_chromium(
        playwright,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    yield browser
    browser.close()


@pytest.fixture
def visit(context: BrowserContext, site: str) -> Iterator[Callable[..., Page]]:
    """Opens the page, ready for use. In the end: no other host was asked, no error was logged."""
    foreign: list[str] = []
    complaints: list[str] = []

    def open_page(width: int = 1280, height: int = 800, address: str = "") -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.on("request", lambda r: r.url.startswith(LOCAL) or foreign.append(r.url))
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site + address)
        page.wait_for_selector("#after[src]")
        return page

    yield open_page
    for page in context.pages:
        page.close()
    assert not foreign
    assert not complaints


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    return visit()


@pytest.fixture
def desk(page: Page) -> DeskPage:
    return DeskPage(page)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A grey photo wider than the preview, stored on its side (EXIF orientation 6)."""
    rows, columns = np.mgrid[:1500, :300]
    grey = 120 + 60 * np.sin(columns / 17) + 50 * np.sin(rows / 41)
    path = tmp_path / "Großmutter 1934.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey.astype(np.uint8)).save(path, quality=95, exif=exif)
    return path


@pytest.fixture
def tab(page: Page) -> FilmPage:
    return FilmPage(page)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Three shots of 12, 10 and 8 frames, with sound."""
    frames = blocks(12, 0) + blocks(10, 1) + blocks(8, 2)
    return Path(write_clip(tmp_path / "Großvater 1931.mp4", frames, sound=1.2))


@pytest.fixture
def long_film(tmp_path: Path) -> Path:
    return Path(write_clip(tmp_path / "long.mp4", moving_frames(2500, 64, 96, step=1)))
