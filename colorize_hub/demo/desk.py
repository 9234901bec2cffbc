"""What the photo tab does, without the page: open a photo, tune it, make the full-size file."""

import hashlib
import html
import io
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from colorize_hub.colorizer import Canvas, Colorizer
from colorize_hub.image import Picture, read_picture, save_image

PREVIEW_SIDE = 1280
_JPEG = {"quality": 90, "subsampling": "4:4:4"}


@dataclass(frozen=True)
class Sheet:
    """One visitor's open photo, at preview size.

    Attributes:
        photo: path of the original file.
        canvas: the encoded preview; rendering it runs only the decoder.
        before: the preview as it came, JPEG bytes.
        alpha: opacity of the preview, mode L, or None.
        size: width and height of the original in pixels.
    """

    photo: str
    canvas: Canvas
    before: bytes
    alpha: Image.Image | None
    size: tuple[int, int]


class PhotoDesk:
    """Serves all visitors of a page; each has one sheet, and they share nothing but the model.

    Only so many sheets are held. One that had to go is made again from the photo's file when its
    owner comes back.
    """

    def __init__(self, colorizer: Colorizer, folder: str | Path, sheets: int = 32) -> None:
        """Opens the desk.

        Args:
            colorizer: shared by all visitors.
            folder: where previews and results go; the page clears it.
            sheets: how many to hold in memory, at most about 15 MB each.
        """
        self.colorizer = colorizer
        self.folder = Path(folder)
        self.capacity = sheets
        self._sheets: OrderedDict[str, Sheet] = OrderedDict()
        self._lock = threading.Lock()
        self._salt = secrets.token_hex(16)

    def open(self, photo: str, visitor: str) -> Sheet:
        """Reads a photo and encodes its preview for this visitor.

        Args:
            photo: path of the file.
            visitor: session id; its earlier sheet is replaced, unless the photo cannot be read.

        Raises:
            gr.Error: the file is not a picture that can be coloured; the message says why.
        """
        with messages_for(photo):
            picture = read_picture(photo)
            preview, alpha = _preview(picture)
            sheet = Sheet(
                photo=photo,
                canvas=self.colorizer.canvas(preview),
                before=_jpeg(preview, alpha),
                alpha=alpha,
                size=(picture.width, picture.height),
            )
        with self._lock:
            self._sheets.pop(visitor, None)
            self._sheets[visitor] = sheet
            while len(self._sheets) > self.capacity:
                self._sheets.popitem(last=False)
        return sheet

    def sheet(self, photo: str, visitor: str) -> Sheet:
        """The visitor's sheet of this photo, opened again if it is no longer held."""
        with self._lock:
            sheet = self._sheets.get(visitor)
            if sheet is not None and sheet.photo == photo:
                self._sheets.move_to_end(visitor)
                return sheet
        return self.open(photo, visitor)

    def forget(self, visitor: str) -> None:
        """Frees the visitor's sheet, if there is one."""
        with self._lock:
            self._sheets.pop(visitor, None)

    def compare(self, sheet: Sheet, vividness: float) -> tuple[str, str]:
        """Paths of two JPEG previews of equal size: as it came, and in colour.

        Args:
            sheet: from `open` or `sheet`.
            vividness: 0..1.
        """
        stem = Path(sheet.photo).stem
        with messages_for(sheet.photo):
            coloured = sheet.canvas.render(vividness=vividness)
        after = _jpeg(Image.fromarray(np.asarray(coloured)), sheet.alpha)
        return (
            self._publish(sheet.before, f"{stem}.jpg"),
            self._publish(after, f"{stem}-color.jpg"),
        )

    def full_size(self, photo: str, vividness: float) -> Path:
        """Colours the original file and saves it as ``<stem>-color.png``, losslessly.

        Size, alpha and EXIF are the original's, orientation is applied. Asked again for the same
        photo and vividness, it returns the file it has.

        Raises:
            gr.Error: the file is not a picture that can be coloured; the message says why.
        """
        key = hashlib.sha256(f"{self._salt}|{photo}|{vividness}".encode()).hexdigest()
        path = self.folder / key / f"{Path(photo).stem}-color.png"
        if path.exists():
            os.utime(path)  # the page deletes by age
            return path
        with messages_for(photo):
            coloured = self.colorizer.colorize(photo, vividness=vividness)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_image(coloured, path)
        return path

    def _publish(self, data: bytes, name: str) -> str:
        path = self.folder / hashlib.sha256(self._salt.encode() + data).hexdigest() / name
        if path.exists():
            os.utime(path)  # the page deletes by age
            return str(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(secrets.token_hex(8))
        partial.write_bytes(data)
        os.replace(partial, path)
        return str(path)


@contextmanager
def messages_for(photo: str) -> Iterator[None]:
    """Turns what goes wrong with a photo into a message on the page, without the server's paths."""
    name = Path(photo).name
    try:
        yield
    except FileNotFoundError as error:
        raise _error(f"{name} is no longer kept here; open it again.") from error
    except MemoryError as error:
        raise _error(f"{name} needs more memory than there is.") from error
    except ValueError as error:  # PictureError, or a vividness out of range
        raise _error(str(error).replace(photo, name)) from error


def _error(message: str) -> gr.Error:
    # The page shows it as HTML, and a file can be called anything.
    return gr.Error(html.escape(message, quote=False), duration=15, print_exception=False)


def _preview(picture: Picture) -> tuple[Image.Image, Image.Image | None]:
    """The picture and its opacity, 8 bits, long side at most PREVIEW_SIDE."""
    image = _shrink(picture.pixels)
    return image, None if picture.alpha is None else _shrink(picture.alpha)


def _shrink(values: np.ndarray) -> Image.Image:
    if values.dtype == np.uint16:
        values = (values >> 8).astype(np.uint8)
    image = Image.fromarray(values[..., 0] if values.shape[2:] == (1,) else values)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS, reducing_gap=3)
    return image


def _jpeg(image: Image.Image, alpha: Image.Image | None) -> bytes:
    """JPEG bytes; what is transparent shows white."""
    if alpha is not None:
        image = Image.composite(image.convert("RGB"), Image.new("RGB", image.size, "white"), alpha)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", **_JPEG)
    return buffer.getvalue()
