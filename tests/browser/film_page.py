"""The film tab in a browser, as a test uses it."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.browser.desk_page import DeskPage


class FilmPage:
    """What the film tab shows, and what a visitor does with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.desk = DeskPage(page)
        page.click("#tab-film")

    def open(self, film: Path) -> None:
        """Until its shots are found and a frame lies on the desk."""
        self.page.set_input_files("#film-file", film)
        expect(self.page.locator("#caption")).to_contain_text(film.name)
        self.ready()

    def ready(self) -> None:
        expect(self.page.locator("#film-screen")).to_be_hidden()
        expect(self.page.locator("#film-start")).to_be_enabled()

    def shots(self) -> Locator:
        return self.page.locator("#film-strip button")

    def choose(self, number: int, frame: int) -> None:
        """A shot by its picture; its middle frame then lies on the desk."""
        self.shots().nth(number).click()
        self.at(frame)

    def at(self, frame: int) -> None:
        expect(self.page.locator("#caption")).to_contain_text(f"· frame {frame}")

    def mark(self, across: float, down: float, colour: str = "#d01818") -> None:
        self.desk.hint(across, down, colour)
        expect(self.lives().last).to_be_attached()

    def lives(self) -> Locator:
        return self.page.locator("#film-lives li")

    def colour(self) -> None:
        self.page.click("#film-start")

    def status(self) -> Locator:
        return self.page.locator("#film-status")

    def playing(self, part: str) -> None:
        self.page.wait_for_function(
            "part => document.querySelector('#film-player').src.includes(part)", arg=part
        )

    def done(self) -> None:
        self.playing("-color.mp4")

    def versions(self) -> Locator:
        return self.page.locator("#film-versions button")

    def pixels(self) -> np.ndarray:
        """(H, W, 3) of what the player shows."""
        self.page.wait_for_function("document.querySelector('#film-player').readyState >= 2")
        values = self.page.evaluate(
            """() => {
              const video = document.querySelector('#film-player');
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
              canvas.getContext('2d').drawImage(video, 0, 0);
              const { width, height } = canvas;
              const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
              return [height, width, ...data];
            }"""
        )
        return np.array(values[2:]).reshape(values[0], values[1], 4)[..., :3]


def blocks(count: int, seed: int) -> list[np.ndarray]:
    """What differs from seed to seed as scenes of films do, drifting."""
    rng = np.random.default_rng(seed)
    wide = rng.integers(40, 216, (9, 20)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    return [np.roll(wide, i // 3, 1)[:, :240] for i in range(count)]
