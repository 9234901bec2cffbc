"""PIL's modes: the pixels of a decoded image, of any mode, as sRGB arrays."""

import logging
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
from PIL import Image

from colorize_hub.pictures import icc
from colorize_hub.pictures.opening import PictureError

logger = logging.getLogger(__name__)

_STRIP_PIXELS = 1 << 20
_BRIGHTEST = 16.0  # a float picture of levels 0..255 that is all darker is as good as black
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
_GREY_MODES = frozenset({"1", "L", "LA", "La"})


def strips(width: int, height: int) -> list[slice]:
    """Return the rows of a picture in strips of about a megapixel, one at least."""
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, min(height, top + rows)) for top in range(0, height, rows)]


def float_white(high: float, name: str) -> float:
    """Return the white of floats up to ``high``: 1, 255 or 65535, said where it is not 1."""
    if high <= 1:
        return 1.0
    if high < _BRIGHTEST:
        logger.warning("%s has floats up to %.3g: 1 is white, and what is above too", name, high)
        return 1.0
    white = 255.0 if high <= 255 else 65535.0
    logger.warning("%s has floats up to %.5g: %g is taken for white", name, high, white)
    return white


def to_depth(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rescale uint8 or uint16 levels to ``dtype``, rounding to nearest."""
    if values.dtype == dtype:
        return values
    if dtype == np.uint16:
        return values.astype(np.uint16) * np.uint16(257)
    quotient, remainder = np.divmod(values, np.uint16(257))
    return (quotient + (remainder > 128)).astype(np.uint8)


def to_pixels(
    image: Image.Image, profile: bytes | None, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Convert a decoded image of any mode to sRGB; never change it.

    Args:
        image: upright.
        profile: of its colours; None for sRGB.
        name: of the picture, for messages.

    Returns:
        (H, W, 1) grey or (H, W, 3) RGB pixels and (H, W) alpha or None, uint8, or uint16 for the
        16-bit, 32-bit and float modes. The caller owns both.
    """
    if image.mode in _DEEP_MODES:
        pixels, alpha = _deep_grey(image, name)
        return icc.converter(1, pixels.dtype, profile)(pixels)[:, :, None], alpha
    image, opacity = _split_alpha(image)
    alpha = None if opacity is None else np.array(opacity)
    pixels = _in_strips(image, profile)
    return pixels if pixels.ndim == 3 else pixels[:, :, None], alpha


def to_srgb(levels: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Convert (H, W, 1, 3 or 4) grey, RGB or CMYK levels to sRGB, (H, W, 1 or 3) of their type.

    Args:
        levels: uint8 or uint16.
        profile: of the levels; None for sRGB.
    """
    height, width, channels = levels.shape
    convert = icc.converter(channels, levels.dtype, profile)
    if convert is icc.as_it_is:
        return levels
    converted = np.empty((height, width, min(channels, 3)), levels.dtype)

    def fill(rows: slice) -> None:
        converted[rows] = convert(levels[rows])

    with ThreadPoolExecutor(cpu_count(), "icc") as pool:
        list(pool.map(fill, strips(width, height)))
    return converted


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split an 8-bit image into L, RGB, CMYK or LAB and its alpha (mode L), if it has one."""
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


def _deep_grey(image: Image.Image, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the uint16 pixels and alpha of a 16-bit, 32-bit or float image."""
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
        values = np.rint(np.minimum(values * np.float32(65535 / float_white(high, name)), 65535))
    return values.astype(np.uint16), alpha


def _in_strips(image: Image.Image, profile: bytes | None) -> np.ndarray:
    """(H, W) or (H, W, 3) sRGB of an image of mode L, RGB, CMYK or LAB, with no whole copy."""
    channels = {"L": 1, "CMYK": 4}.get(image.mode, 3)
    convert = icc.converter(channels, np.dtype(np.uint8), None if image.mode == "LAB" else profile)
    shape = (image.height, image.width) if channels == 1 else (image.height, image.width, 3)
    pixels = np.empty(shape, np.uint8)
    for rows in strips(*image.size):
        part = image.crop((0, rows.start, image.width, rows.stop))
        pixels[rows] = convert(np.asarray(_as_mode(part, "RGB") if channels == 3 else part))
    return pixels


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)
