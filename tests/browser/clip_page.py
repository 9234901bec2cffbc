"""The clip tab in a browser, as a test uses it."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect


class ClipPage:
    """What the clip tab shows, and what a visitor does with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.click("#tab-clip")

    def open(self, clip: Path) -> None:
        self.page.set_input_files("#clip-file", clip)
        expect(self.page.locator("#clip-caption")).to_contain_text(clip.name)

    def colour(self) -> None:
        self.page.click("#clip-start")

    def status(self) -> str:
        return self.page.locator("#clip-status").inner_text()

    def done(self) -> None:
        self.page.wait_for_function(
            "document.querySelector('#clip-player').src.includes('-color.mp4')"
        )

    def pixels(self) -> np.ndarray:
        """(H, W, 3) of what the player shows."""
        self.page.wait_for_function("document.querySelector('#clip-player').readyState >= 2")
        values = self.page.evaluate(
            """() => {
              const video = document.querySelector('#clip-player');
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
              canvas.getContext('2d').drawImage(video, 0, 0);
              const { width, height } = canvas;
              const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
              return [height, width, ...data];
            }"""
        )
        return np.array(values[2:]).reshape(values[0], values[1], 4)[..., :3]
