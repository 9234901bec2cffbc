"""PIL's file formats and modes: what can be read, how large, and its pixels as sRGB arrays."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
from PIL import Image

from colorize_hub import metadata

MAX_PIXELS = 200_000_000

# PIL hands EPS and WMF to other programs (Ghostscript, the Windows drawing layer).
_VECTOR_FORMATS = frozenset({"EPS", "WMF"})
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
_GREY_MODES = frozenset({"1", "L", "LA", "La"})


class PictureError(ValueError):
    """A picture that cannot be read, used or saved; the message says why and what to do."""


def open_header(file: IO[bytes], name: str) -> Image.Image:
    """Identifies a picture and reads its header only.

    Like ``PIL.Image.open``, which cannot be used: its own size limit is lower, warns on the way
    there, and is a setting of the whole process.

    Raises:
        PictureError: no format recognises the file.
    """
    prefix = file.read(16)
    for register_formats in (Image.preinit, Image.init):
        register_formats()
        for format_name in Image.ID:
            read_header, accepts = Image.OPEN[format_name]
            verdict = accepts(prefix) if accepts else True
            if not verdict or isinstance(verdict, str) or format_name in _VECTOR_FORMATS:
                continue
            file.seek(0)
            with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
                return read_header(file, "")
    raise PictureError(
        f"{name} is not a picture that can be read: expected PNG, JPEG, WebP, TIFF, GIF, BMP or"
        " another pixel format, with an undamaged header."
    )


@contextlib.contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turns whatever PIL raises on a damaged picture into a PictureError that names it."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(
            f"{name} declares more than {MAX_PIXELS:,} pixels: make it smaller first."
        ) from error
    except Exception as error:  # PIL's decoders raise almost anything on damaged data
        raise PictureError(
            f"{name} is damaged or incomplete ({error}): copy, download or export it again."
        ) from error


def check_size(name: str, width: int, height: int) -> None:
    """Raises PictureError unless there are 2 to MAX_PIXELS pixels."""
    if width * height == 0:
        raise PictureError(f"{name} has no pixels: its size is {width} x {height}.")
    if width * height == 1:
        raise PictureError(f"{name} is a single pixel: there is nothing to colour.")
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{name} is {width} x {height} = {width * height:,} pixels, more than the limit of"
            f" {MAX_PIXELS:,}: make it smaller first."
        )


def to_pixels(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Converts a decoded image of any mode to sRGB, with its embedded profile; never changes it.

    Returns:
        (H, W, 1) grey or (H, W, 3) RGB pixels and (H, W) alpha or None, uint8, or uint16 for the
        16-bit, 32-bit and float modes. The caller owns both.
    """
    icc = image.info.get("icc_profile")
    if image.mode in _DEEP_MODES:
        pixels, alpha = _deep_grey(image)
    else:
        image, opacity = _split_alpha(image)
        alpha = None if opacity is None else np.array(opacity)
        if icc and image.mode in ("RGB", "CMYK"):
            image = metadata.colour_to_srgb(image, icc)
        pixels = np.array(image if image.mode == "L" else _as_mode(image, "RGB"))
    if icc and pixels.ndim == 2:
        pixels = metadata.grey_to_srgb(pixels, icc)
    return pixels if pixels.ndim == 3 else pixels[:, :, None], alpha


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Splits an 8-bit image into L, RGB, CMYK or LAB and its alpha (mode L), if it has one."""
    is_grey = image.mode in _GREY_MODES
    colour_mode = "L" if is_grey else "RGB"
    if image.mode in ("P", "PA"):
        image = image.copy()  # converting a palette writes into it
    if image.has_transparency_data:
        image = _as_mode(image, "LA" if is_grey else "RGBA")
        return image.convert(colour_mode), image.getchannel("A")
    if image.mode in ("CMYK", "LAB"):
        return image, None
    return _as_mode(image, colour_mode), None


def _deep_grey(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the uint16 pixels and alpha of a 16-bit, 32-bit or float image."""
    values = np.asarray(image)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 65535):  # written so that NaN fails too
        raise PictureError(
            f"Expected finite grey values in 0..65535 in a picture of mode {image.mode}, got"
            f" {low:g} to {high:g}: scale it first."
        )
    clear = image.info.get("transparency")
    alpha = None if clear is None else np.where(values == clear, 0, 65535).astype(np.uint16)
    if image.mode == "F":
        values = np.rint(values * (65535 if high <= 1 else 257 if high <= 255 else 1))
    return values.astype(np.uint16), alpha


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)
