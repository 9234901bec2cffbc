"""The desk in a browser, as a test uses it."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page


class DeskPage:
    """What the page shows, and what a visitor does with it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def source(self) -> str:
        """The coloured picture, as a data URL: equal for equal pictures."""
        return self.page.evaluate("document.querySelector('#after').src")

    def changed(self, old: str) -> str:
        """The coloured picture, once it is another than the old one."""
        self.page.wait_for_function("old => document.querySelector('#after').src !== old", arg=old)
        return self.source()

    def pixels(self, element: str = "#after") -> np.ndarray:
        """(H, W, 3) of the coloured picture, or of the one before."""
        source = self.page.evaluate("it => document.querySelector(it).src", element)
        data = base64.b64decode(source.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def open(self, photo: Path) -> str:
        old = self.source()
        self.page.set_input_files("#file", photo)
        return self.changed(old)

    def at(self, across: float, down: float) -> tuple[float, float]:
        """Where on the page a place of the picture is; shares of its width and height."""
        box = self.page.locator("#sheet").bounding_box()
        assert box is not None
        return box["x"] + box["width"] * across, box["y"] + box["height"] * down

    def click(self, across: float, down: float) -> None:
        self.page.mouse.click(*self.at(across, down))

    def hint(self, across: float, down: float, colour: str = "#d01818") -> str:
        """Clicks a place and gives it a free colour; the picture that comes of it."""
        old = self.source()
        self.click(across, down)
        self.page.wait_for_selector(".swatch")
        self.page.locator("#picker").fill(colour)
        return self.changed(old)

    def drag(self, start: tuple[float, float], *stops: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        for stop in stops:
            self.page.mouse.move(*self.at(*stop), steps=4)
        self.page.mouse.up()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def marks(self) -> Locator:
        return self.page.locator("#marks .mark:not(.doubt)")

    def message(self) -> Locator:
        return self.page.locator("#message p")


def redness(pixels: np.ndarray, across: float, down: float) -> float:
    """Red less the mean of green and blue, around a place given as shares of the picture."""
    height, width = pixels.shape[:2]
    y, x = int(height * down), int(width * across)
    patch = pixels[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].mean((0, 1))
    return float(patch[0] - patch[1:].mean())


def chroma(rgb: np.ndarray) -> float:
    """Mean distance of the channels of (H, W, 3), in levels: 0 is grey."""
    return float(np.ptp(rgb, axis=2).mean())
