"""What the page shows."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Page


class Result:
    """Before and after, as the page shows them."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def urls(self) -> list[str]:
        images = self.page.locator("#before-after img")
        return [images.nth(i).get_attribute("src") or "" for i in range(images.count())]

    def pictures(self) -> list[np.ndarray]:
        return [
            np.asarray(Image.open(io.BytesIO(self.page.request.get(url).body())).convert("RGB"))
            for url in self.urls()
        ]

    def wait_for_change(self, urls: list[str]) -> list[str]:
        """The new URLs, once the coloured picture is another than that of ``urls``."""
        self.page.wait_for_function(
            "old => document.querySelectorAll('#before-after img')[1]?.src !== old", arg=urls[1]
        )
        return self.urls()
