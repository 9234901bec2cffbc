"""What the photo tab's events call: plain functions of one page, usable without it."""

import html
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorize_hub.demo.desk import PhotoDesk

# In the order they are shown; the first is on the page when it opens.
EXAMPLES = {
    "dust-bowl-home": "Dust Bowl home, 1935 to 1940",
    "french-alpine-landscape": "Alpine landscape, 1865 to 1870",
    "march-pastoral": "A March pastoral, 1888",
    "nagasaki-boats": "Boats in Nagasaki, about 1865",
    "black-canyon": "Black Cañon, 1871",
    "allium-oreophilum": "Allium ostrowskianum, 1928",
}
EXAMPLES_FOLDER = Path(__file__).parent / "examples"

Comparison = tuple[str, str]
Opened = tuple[Comparison, str, str, str]


class PhotoHandlers:
    """What the page's events call; ``photo`` is the path of the open photo, set by the server."""

    def __init__(self, desk: PhotoDesk) -> None:
        """Handles the events of one page with its desk."""
        self.desk = desk

    def open_upload(
        self, upload: dict[str, Any] | None, vividness: float, request: gr.Request
    ) -> Opened:
        """Opens an uploaded photo.

        Args:
            upload: the file as Gradio names it, not yet read by Gradio: ``{"path": ...}``.
            vividness: 0..1.
            request: says whose it is.

        Returns:
            Previews before and after, path of the photo, caption, empty download status.

        Raises:
            gr.Error: no photo, or one that cannot be coloured.
        """
        return self._open(_path_of(upload), vividness, request)

    def open_example(self, vividness: float, choice: gr.SelectData, request: gr.Request) -> Opened:
        """Opens the example print that was clicked; otherwise as `open_upload`."""
        return self._open(str(example_paths()[choice.index]), vividness, request)

    def tune(self, photo: str, vividness: float, request: gr.Request) -> tuple[Comparison, str]:
        """Renders the open photo again, by the decoder only: previews, empty download status."""
        sheet = self.desk.sheet(photo, _visitor(request))
        return self.desk.compare(sheet, vividness), ""

    def full_size(self, photo: str, vividness: float) -> tuple[str, str]:
        """Makes the lossless full-size PNG: its path, and a line that says it is ready."""
        path = self.desk.full_size(photo, vividness)
        with Image.open(path) as image:
            size = f"{image.width} x {image.height}"
        ready = f"{path.name} is ready: {size}, {path.stat().st_size / 1e6:.1f} MB"
        return str(path), html.escape(ready)

    def colorize(self, photo: dict[str, Any] | None, vividness: float) -> str:
        """Colours a photo: PNG of the same size, alpha and orientation kept. vividness: 0 to 1."""
        return str(self.desk.full_size(_path_of(photo), vividness))

    def forget(self, request: gr.Request) -> None:
        """Frees what is held for a visitor who left."""
        self.desk.forget(_visitor(request))

    def _open(self, photo: str, vividness: float, request: gr.Request) -> Opened:
        sheet = self.desk.open(photo, _visitor(request))
        return self.desk.compare(sheet, vividness), photo, caption(photo, sheet.size), ""


def example_paths() -> list[Path]:
    """The example prints in the order they are shown."""
    return [EXAMPLES_FOLDER / f"{stem}.jpg" for stem in EXAMPLES]


def caption(photo: str, size: tuple[int, int]) -> str:
    """The line under the picture, HTML: what it is, width and height in pixels."""
    path = Path(photo)
    title = EXAMPLES.get(path.stem) if path.parent == EXAMPLES_FOLDER else None
    return html.escape(f"{title or path.name} · {size[0]} x {size[1]}")


def _path_of(upload: dict[str, Any] | None) -> str:
    if not upload or not upload.get("path"):
        raise gr.Error("Drop a photo, paste one, or choose a file.")
    return upload["path"]


def _visitor(request: gr.Request) -> str:
    return request.session_hash or ""
