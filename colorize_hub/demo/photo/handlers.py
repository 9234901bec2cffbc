"""What the page and its API call: plain functions, usable without either.

Photos come as Gradio names an uploaded file, ``{"path": ..}``; hints as JSON (see `marks`); models
by name, empty for the page's own. What goes wrong with any of them is a `gr.Error` with a message
for the visitor; nothing is changed then, and the page keeps its work. ``visitor`` is the request,
which Gradio puts there; None is a caller in this process.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_hub.demo.access import at_the_machine
from colorize_hub.demo.arguments import LARGEST, number, whole
from colorize_hub.demo.messages import File, messages_for, path_of
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.photo.desk import Desk, Sheet
from colorize_hub.demo.photo.marks import Work, fit_work, read_work, write_work
from colorize_hub.demo.photo.pictures import jpeg, jpeg_url, preview, tint_url
from colorize_hub.demo.photo.places import unsure_places
from colorize_hub.demo.photo.reference import match_palette
from colorize_hub.hints.variation import DRAWS
from colorize_hub.pictures.picture import read_picture

TAKES = 4
_TAKE_SIDE = 480
_UNSURE_RGB = (255, 64, 160)


class Handlers:
    """One page's endpoints. They hold nothing but the desk and the models."""

    def __init__(
        self, desk: Desk, models: ModelShelf, folders: Sequence[Path] | None = None
    ) -> None:
        """Handle the events of one page.

        Args:
            desk: of the page.
            models: of the page.
            folders: photos are opened from these only; None opens any path.
        """
        self.desk = desk
        self.models = models
        self._folders = folders

    def open_photo(
        self, photo: File, hints: str = "", model: str = "", visitor: gr.Request | None = None
    ) -> dict[str, Any]:
        """Open a photo: its size, and previews as it came and in colour (JPEG data URLs)."""
        path = self._path(photo)
        with messages_for(path):
            sheet = self._sheet(path, model, visitor)
            return {
                "width": sheet.size[0],
                "height": sheet.size[1],
                "vividness": sheet.model.config.vividness,
                "before": jpeg_url(sheet.before_file),
                "after": jpeg_url(self._render(sheet, hints)),
            }

    def render(
        self, photo: File, hints: str = "", model: str = "", visitor: gr.Request | None = None
    ) -> dict[str, Any]:
        """Render a preview with hints, without the network: a JPEG data URL."""
        return {"after": jpeg_url(self.render_file(photo, hints, model, visitor))}

    def render_file(self, photo: File, hints: str, model: str, visitor: gr.Request | None) -> bytes:
        """As `render`, a JPEG file."""
        path = self._path(photo)
        with messages_for(path):
            return self._render(self._sheet(path, model, visitor), hints)

    def is_open(self, photo: File, model: str, visitor: gr.Request | None) -> bool:
        """Whether a render of the photo is quick: it is held, and its model too."""
        path = self._path(photo)
        with messages_for(path):
            local = self._is_local(visitor)
            return self.models.holds(model, local) and self.desk.holds(
                path, self.models.get(model, local)
            )

    def suggest_colours(
        self,
        photo: File,
        x: float,
        y: float,
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> list[dict[str, Any]]:
        """Likely colours of a place, the likeliest first: rgb 0..255 and share 0..1.

        x and y are pixels of the photo, rightwards and downwards from its top left corner.
        """
        path = self._path(photo)
        with messages_for(path):
            sheet = self._sheet(path, model, visitor)
            width, height = sheet.size
            x, y = (number(at, axis, -1e9, 1e9) for at, axis in ((x, "x"), (y, "y")))
            if not (0 <= x < width and 0 <= y < height):
                raise ValueError(f"({x}, {y}) lies outside the photo of {width} x {height} pixels.")
            found = sheet.canvas.suggest(x * sheet.scale, y * sheet.scale, k=5)
            return [{"rgb": list(rgb), "share": share} for rgb, share in found]

    def unsure(
        self, photo: File, model: str = "", visitor: gr.Request | None = None
    ) -> dict[str, Any]:
        """Where the model is unsure: a PNG data URL to lay over the photo, and places to begin.

        Places are {x, y} in pixels of the photo, the least sure first.
        """
        path = self._path(photo)
        with messages_for(path):
            sheet = self._sheet(path, model, visitor)
            strength, places = unsure_places(sheet.canvas.confidence())
            found = [{"x": x / sheet.scale, "y": y / sheet.scale} for x, y in places]
            return {"map": tint_url(strength, _UNSURE_RGB), "places": found}

    def variations(
        self,
        photo: File,
        hints: str = "",
        seed: int | None = None,
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> list[dict[str, Any]]:
        """Four varied, plausible results: each with its take, a number to put into the hints.

        The same seed gives the same four; none gives new ones.
        """
        path = self._path(photo)
        with messages_for(path):
            first = random.randrange(DRAWS) * TAKES
            if seed is not None:
                first = whole(seed, "seed", 0, LARGEST - TAKES)
            sheet = self._sheet(path, model, visitor)
            work = read_work(hints)
            found = []
            for take in range(first, first + TAKES):
                picture = self.desk.render(sheet, replace(work, take=take))
                picture.thumbnail((_TAKE_SIDE, _TAKE_SIDE))
                found.append({"take": take, "picture": jpeg_url(jpeg(picture))})
            return found

    def borrow_palette(
        self,
        photo: File,
        reference: File,
        hints: str = "",
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Carry the palette of a reference photo over: a ``palette`` to put into the hints.

        At each lightness, the mean and the spread of the photo's colours become the reference's.
        """
        path, reference_path = self._path(photo), self._path(reference)
        with messages_for(reference_path):
            other, _ = preview(read_picture(reference_path))
        with messages_for(path):
            sheet = self._sheet(path, model, visitor)
            plain = self.desk.render(sheet, replace(read_work(hints), palette=()))
            return {"palette": match_palette(plain, other.convert("RGB"))}

    def read_hints(self, hints: str, width: int, height: int) -> dict[str, Any]:
        """Check saved hints and fit them to a photo of that size, in pixels."""
        with messages_for():
            size = whole(width, "width", 1, 10**6), whole(height, "height", 1, 10**6)
            return write_work(fit_work(read_work(hints), *size))

    def use_model(self, model: str = "", visitor: gr.Request | None = None) -> dict[str, Any]:
        """Load a model, "user/model" on the Hub or a folder: its name and own vividness."""
        with messages_for():
            colorizer = self.models.get(model, self._is_local(visitor))
            return {"model": (model or "").strip(), "vividness": colorizer.config.vividness}

    def colorize_with_hints(
        self,
        photo: File,
        hints: str = "",
        vividness: float | None = None,
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> str:
        """Colour a photo, with hints: a lossless PNG of the same size with the photo's metadata.

        Args:
            photo: any picture file; only its lightness is read.
            hints: JSON list of {"x", "y", "rgb": [r, g, b], "radius"} in pixels of the photo (x
                right, y down; radius may be left out), or a file of hints that the page saved.
            vividness: 0 (muted) to 1 (strong); left out, what the hints or the model say.
            model: "user/model" on the Hub, or a folder; left out, the page's own.
            visitor: who asks.

        Returns:
            Path of the PNG file.
        """
        path = self._path(photo)
        with messages_for(path):
            work = read_work(hints)
            if vividness is not None:
                work = replace(work, vividness=number(vividness, "vividness", 0, 1))
            colorizer = self.models.get(model, self._is_local(visitor))
            return str(self.desk.full_size(path, work, colorizer))

    def colorize(self, photo: File, vividness: float | None = None) -> str:
        """Colour a photo: PNG of the same size, alpha and orientation kept. vividness: 0 to 1."""
        return self.colorize_with_hints(photo, vividness=vividness)

    def _path(self, file: File) -> str:
        return path_of(file, self._folders)

    def _sheet(self, path: str, model: str, visitor: gr.Request | None) -> Sheet:
        return self.desk.sheet(path, self.models.get(model, self._is_local(visitor)))

    def _is_local(self, visitor: gr.Request | None) -> bool:
        return visitor is None or at_the_machine(visitor.request)

    def _render(self, sheet: Sheet, hints: str) -> bytes:
        work = read_work(hints)
        if work == Work():
            return sheet.plain_file
        return jpeg(self.desk.render(sheet, work), sheet.alpha)
