"""The live tab in a browser, as a test uses it, and cameras for it."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

WIDTH, HEIGHT = 640, 480
THING = 90  # side of the moving thing, pixels
FRAMES = 180  # of the film that the camera shows over and over


def thing_at(frame: int) -> tuple[int, int]:
    """Left and top of the thing in a frame of the camera's film."""
    turn = 2 * np.pi * frame / FRAMES
    return round(275 + 150 * np.sin(turn)), round(190 + 60 * np.sin(2 * turn))


def camera_film(path: Path) -> Path:
    """A grey MJPEG film of 640 x 480: soft shapes, a patterned thing before them."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    room = 120 + 30 * np.sin(x / 90) + 25 * np.cos(y / 70)
    rng = np.random.default_rng(3)
    thing = np.kron(rng.integers(30, 225, (9, 9)), np.ones((10, 10)))
    with path.open("wb") as film:
        for frame in range(FRAMES):
            left, top = thing_at(frame)
            picture = room.copy()
            picture[top : top + THING, left : left + THING] = thing
            grey = Image.fromarray(picture.astype(np.uint8)).convert("RGB")
            grey.save(film, "JPEG", quality=90)
    return path


class LivePage:
    """What the live tab shows, and what a visitor does with it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def start(self) -> None:
        self.page.click("#tab-live")
        self.page.click("#live-start")

    def in_colour(self) -> None:
        """Waits until coloured frames come."""
        self.page.wait_for_function(
            "() => document.querySelector('#live-speed').textContent.includes('fps')", polling=200
        )

    def pixels(self, element: str = "#live-after") -> np.ndarray:
        """(H, W, 3) of the coloured picture, or of the one before; as the camera sees it."""
        source = self.page.evaluate("it => document.querySelector(it).toDataURL()", element)
        data = base64.b64decode(source.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def frame(self) -> tuple[np.ndarray, np.ndarray]:
        """The picture before and in colour, of one moment."""
        sources = self.page.evaluate(
            "['#live-before', '#live-after'].map((it) => document.querySelector(it).toDataURL())"
        )
        files = (io.BytesIO(base64.b64decode(source.partition(",")[2])) for source in sources)
        before, after = (np.asarray(Image.open(one).convert("RGB")).astype(int) for one in files)
        return before, after

    def next_frame(self) -> None:
        """Waits until another picture in colour is shown."""
        shown = "document.querySelector('#live-after').toDataURL()"
        self.page.wait_for_function(f"old => {shown} !== old", arg=self.page.evaluate(shown))

    def moved_on(self) -> None:
        """Waits until the mark has gone a tenth of the picture with its thing."""
        self.page.wait_for_function(
            """([x, y]) => {
              const { style } = document.querySelector('#live-marks .mark');
              return Math.hypot(parseFloat(style.left) - x, parseFloat(style.top) - y) > 10;
            }""",
            arg=[100 * share for share in self.mark()],
        )

    def click(self, across: float, down: float) -> None:
        """Clicks a place of what is seen; shares of the coloured picture."""
        box = self.page.locator("#live-pane").bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)

    def marks(self) -> Locator:
        return self.page.locator("#live-marks .mark")

    def mark(self) -> tuple[float, float]:
        """Where the first mark is; shares of what is seen."""
        style = "document.querySelector('#live-marks .mark').style"
        left, top = self.page.evaluate(f"[{style}.left, {style}.top]")
        return float(left.rstrip("%")) / 100, float(top.rstrip("%")) / 100

    def up_to_date(self) -> None:
        """Waits until the picture has all that was asked for."""
        self.page.wait_for_selector("#live-view[aria-busy=false]")

    def pause(self) -> None:
        self.page.click("#live-pause")
        self.up_to_date()

    def status(self) -> Locator:
        return self.page.locator("#live-status")

    def message(self) -> Locator:
        return self.page.locator("#message p")


def find_thing(grey: np.ndarray) -> tuple[float, float]:
    """Centre of the patterned thing in (H, W) grey levels; shares of the picture."""
    edges = np.abs(np.diff(grey, axis=1))[:-1] + np.abs(np.diff(grey, axis=0))[:, :-1]
    y, x = np.nonzero(edges > 40)
    return float(np.median(x)) / grey.shape[1], float(np.median(y)) / grey.shape[0]
