"""The colouring desk, without the page: pictures opened, encoded once, rendered with hints."""

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import TTLCache
from PIL import Image

from colorize_hub.batch.files import write_picture
from colorize_hub.demo.photo.marks import Work, hints_of
from colorize_hub.demo.photo.pictures import jpeg, preview
from colorize_hub.demo.photo.reference import apply_palette, before_palette
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.canvas import Canvas
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.pictures.picture import as_image, read_picture, save_image


@dataclass(frozen=True, eq=False)
class Sheet:
    """An open photo at preview size. Nothing in it changes, so visitors may share it.

    Attributes:
        canvas: the encoded preview; rendering it does not run the network again.
        before: the preview as it came.
        alpha: opacity of the preview, mode L, or None.
        size: width and height of the original in pixels.
        model: encoded it.
    """

    canvas: Canvas
    before: Image.Image
    alpha: Image.Image | None
    size: tuple[int, int]
    model: Colorizer

    @property
    def scale(self) -> float:
        """Pixels of the preview for a pixel of the original."""
        return min(self.before.width / self.size[0], self.before.height / self.size[1])

    @cached_property
    def before_file(self) -> bytes:
        """The preview as it came, a JPEG file."""
        return jpeg(self.before, self.alpha)

    @cached_property
    def plain_file(self) -> bytes:
        """The preview in colour as nobody steered it, a JPEG file: every visitor sees it first."""
        return jpeg(_paint(self.canvas, Work(), self.before, self.scale), self.alpha)


class Desk:
    """Serves all visitors of a page.

    What they did stays with their pages. Here is only a cache of encoded photos: a bounded number,
    for a limited time. One that had to go is made again from the photo's file when it is needed.
    """

    def __init__(
        self,
        folder: str | Path,
        sheets: int = 32,
        kept_s: float = 1200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the desk.

        Args:
            folder: where full-size results go; the page clears it.
            sheets: how many to hold in memory, about 30 MB each.
            kept_s: seconds after which one that nobody used is dropped.
            clock: seconds.
        """
        self.folder = Path(folder)
        self._sheets: TTLCache[tuple[str, Colorizer], Sheet] = TTLCache(sheets, kept_s, clock)
        self._lock = threading.Lock()
        self._names: WeakKeyDictionary[Colorizer, str] = WeakKeyDictionary()

    def __len__(self) -> int:
        """How many sheets are held."""
        with self._lock:
            self._sheets.expire()
            return len(self._sheets)

    def holds(self, photo: str, colorizer: Colorizer) -> bool:
        """Whether `sheet` has it at hand."""
        with self._lock:
            return (photo, colorizer) in self._sheets

    def sheet(self, photo: str, colorizer: Colorizer) -> Sheet:
        """Return the open photo, read and encoded if it is not held.

        Args:
            photo: path of the file.
            colorizer: encodes it.

        Raises:
            FileNotFoundError: the file is gone.
            PictureError: the file is not a picture that can be coloured.
        """
        key = (photo, colorizer)
        with self._lock:
            found = self._sheets.get(key)
            if found is not None:
                self._sheets[key] = found  # kept for as long again
                return found
        picture = read_picture(photo)
        small, alpha = preview(picture)
        size = (picture.width, picture.height)
        sheet = Sheet(colorizer.canvas(small), small, alpha, size, colorizer)
        with self._lock:
            self._sheets[key] = sheet
        return sheet

    def render(self, sheet: Sheet, work: Work) -> Image.Image:
        """Return the preview in colour, RGB; the network does not run again.

        Raises:
            ValueError: a hint outside the picture, too many hints, or a vividness out of range.
        """
        return _paint(sheet.canvas, work, sheet.before, sheet.scale).convert("RGB")

    def full_size(self, photo: str, work: Work, colorizer: Colorizer) -> Path:
        """Colour the original file and save it as ``<stem>-color.png``, losslessly.

        Size, alpha, metadata and, without a borrowed palette, 16 bits are the original's,
        orientation is applied. Asked again for the same
        photo, work and model, it returns the file it has.

        Raises:
            FileNotFoundError, PictureError: as `sheet`.
            ValueError: as `render`.
        """
        asked = f"{photo}|{work}|{self._name(colorizer)}"
        key = hashlib.sha256(asked.encode()).hexdigest()
        path = self.folder / key / f"{Path(photo).stem}-color.png"
        if path.exists():
            os.utime(path)  # the page deletes by age
            return path
        sheet = self.sheet(photo, colorizer)
        picture = read_picture(photo)
        coloured = _colours(colorizer.canvas(picture.pixels), work, sheet.before, 1.0)
        path.parent.mkdir(parents=True, exist_ok=True)
        if work.palette:
            save_image(apply_palette(as_image(coloured, picture), work.palette), path)
        else:
            write_picture(coloured, picture, path)
        return path

    def _name(self, colorizer: Colorizer) -> str:
        """Return a name of its own for each model, as long as there is the model."""
        with self._lock:
            return self._names.setdefault(colorizer, secrets.token_hex(16))


def _paint(canvas: Canvas, work: Work, before: Image.Image, scale: float) -> Image.Image:
    """Return a picture in colour, for a canvas of a PIL image; the rest as for `_colours`."""
    image = Image.fromarray(_colours(canvas, work, before, scale))
    return apply_palette(image, work.palette)


def _colours(canvas: Canvas, work: Work, before: Image.Image, scale: float) -> np.ndarray:
    """Return a picture in colour, before it takes on a palette.

    Args:
        canvas: to colour.
        work: in pixels of the original.
        before: the photo as it came, of any size.
        scale: pixels of the canvas for a pixel of the original.
    """
    hints = hints_of(work.marks, scale)
    if work.palette:
        hints = [_under_palette(hint, work, canvas, before) for hint in hints]
    if work.take is None:
        return np.asarray(canvas.render(hints, work.vividness))
    return np.asarray(canvas.variations(1, work.take, hints, work.vividness)[0])


def _under_palette(hint: Hint, work: Work, canvas: Canvas, before: Image.Image) -> Hint:
    """Return the hint that shows its own colour once the palette is applied."""
    x = min(int(hint.x * before.width / canvas.width), before.width - 1)
    y = min(int(hint.y * before.height / canvas.height), before.height - 1)
    r, g, b = before.crop((x, y, x + 1, y + 1)).convert("RGB").tobytes()
    return replace(hint, rgb=before_palette(hint.rgb, (r, g, b), work.palette))
