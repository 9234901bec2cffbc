"""PIL's file formats and modes: what can be read, how large, and its pixels as sRGB arrays."""

from __future__ import annotations

import contextlib
import logging
import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

from colorize_hub.pictures import icc, metadata

MAX_PIXELS = 200_000_000
_MOST_UNSUSPECTED = 1 << 24  # pixels; below, any file may unfold as far as it likes
_MOST_PIXELS_A_BYTE = 200  # a PNG or TIFF of one colour has more, a scan or photograph never has

logger = logging.getLogger(__name__)

_STRIP_PIXELS = 1 << 20

# PIL hands EPS and WMF to other programs (Ghostscript, the Windows drawing layer).
_VECTOR_FORMATS = frozenset({"EPS", "WMF"})
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
_TIFF = frozenset({b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"})
_GREY_MODES = frozenset({"1", "L", "LA", "La"})


class PictureError(ValueError):
    """A picture that cannot be read, used or saved; the message says why and what to do."""


def open_header(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    """Identifies a picture and reads its header only.

    Like ``PIL.Image.open``, which cannot be used: its own size limit is lower, warns on the way
    there, and is a setting of the whole process.

    Raises:
        PictureError: no format recognises the file.
    """
    prefix, reasons = file.read(16), set[str]()
    for register_formats in (Image.preinit, Image.init):
        register_formats()
        for format_name in Image.ID:
            read_header, accepts = Image.OPEN[format_name]
            verdict = accepts(prefix) if accepts else True
            if not verdict or isinstance(verdict, str) or format_name in _VECTOR_FORMATS:
                continue
            file.seek(0)
            try:
                return read_header(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error) as error:
                reasons.add(str(error))
    if prefix[:4] in _TIFF and "unknown pixel mode" in reasons:
        raise PictureError(
            f"{name} is a TIFF of a kind that cannot be read, of floats in colour for instance:"
            " save it as RGB or grey of 8 or 16 bits."
        )
    raise PictureError(
        f"{name} is not a picture that can be read: expected PNG, JPEG, WebP, TIFF, GIF, BMP or"
        " another pixel format, with an undamaged header."
    )


@contextlib.contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turns whatever PIL raises on a damaged picture into a PictureError that names it."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(
            f"{name} needs more memory than there is: make it smaller first."
        ) from error
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


def check_not_a_bomb(name: str, width: int, height: int, size: int) -> None:
    """Raises PictureError where a file of ``size`` bytes says that it is an enormous picture."""
    pixels = width * height
    if pixels > max(_MOST_UNSUSPECTED, size * _MOST_PIXELS_A_BYTE):
        raise PictureError(
            f"{name} is {size:,} bytes that claim to be {width} x {height} = {pixels:,} pixels: it"
            " is empty or a decompression bomb, and was not opened."
        )


def warn_of_pages(image: ImageFile.ImageFile, name: str) -> None:
    """Says so if there are more pages or frames than the first; for an image not yet decoded."""
    with contextlib.suppress(Exception):  # damage further on is no matter
        frames = getattr(image, "n_frames", 1)
        if image.format != "MPO" and frames > 1:
            logger.warning("%s has %d pages or frames; the first is read", name, frames)
    image.seek(0)


def strips(width: int, height: int) -> list[slice]:
    """Rows of a picture in strips of about a megapixel, one at least."""
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, min(height, top + rows)) for top in range(0, height, rows)]


def to_pixels(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Converts a decoded image of any mode to sRGB, with its embedded profile; never changes it.

    Returns:
        (H, W, 1) grey or (H, W, 3) RGB pixels and (H, W) alpha or None, uint8, or uint16 for the
        16-bit, 32-bit and float modes. The caller owns both.
    """
    profile = image.info.get("icc_profile")
    if image.mode in _DEEP_MODES:
        pixels, alpha = _deep_grey(image)
    else:
        image, opacity = _split_alpha(image)
        alpha = None if opacity is None else np.array(opacity)
        pixels = _in_strips(image, profile)
    if profile and pixels.ndim == 2:
        pixels = metadata.grey_to_srgb(pixels, profile)
    return pixels if pixels.ndim == 3 else pixels[:, :, None], alpha


def split_deep(levels: np.ndarray, info: dict[Any, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """Converts 16-bit channels to sRGB, with the profile in ``info``, and splits off alpha.

    Args:
        levels: (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA, uint16.
        info: of the PIL image; its transparent colour becomes alpha.

    Returns:
        (H, W, 1) or (H, W, 3) pixels and (H, W) alpha or None, uint16.
    """
    profile, clear = info.get("icc_profile"), info.get("transparency")
    pixels, alpha = levels, None
    if levels.shape[2] != 3:
        pixels, alpha = np.ascontiguousarray(levels[:, :, :-1]), levels[:, :, -1].copy()
    elif isinstance(clear, tuple) and len(clear) == 3:
        alpha = np.where((levels == clear).all(axis=2), 0, 65535).astype(np.uint16)
    if profile and pixels.shape[2] == 1:
        pixels = metadata.grey_to_srgb(pixels, profile)
    elif profile:
        pixels = icc.deep_to_srgb(pixels, profile)
    return pixels, alpha


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


def _in_strips(image: Image.Image, profile: bytes | None) -> np.ndarray:
    """(H, W) or (H, W, 3) sRGB of an image of mode L, RGB, CMYK or LAB, with no whole copy."""
    if profile and image.mode in ("RGB", "CMYK"):
        to_srgb = metadata.srgb_converter(image.mode, profile)
    else:
        to_srgb = None
    mode = "L" if image.mode == "L" else "RGB"
    pixels = np.empty((image.height, image.width, *(() if mode == "L" else (3,))), np.uint8)
    for rows in strips(*image.size):
        part = image.crop((0, rows.start, image.width, rows.stop))
        pixels[rows] = np.asarray(_as_mode(to_srgb(part) if to_srgb else part, mode))
    return pixels


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)
