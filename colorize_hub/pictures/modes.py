"""PIL's modes: the pixels of a decoded image, of any mode, as sRGB arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from colorize_hub.pictures import icc, metadata
from colorize_hub.pictures.opening import PictureError

_STRIP_PIXELS = 1 << 20
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
_GREY_MODES = frozenset({"1", "L", "LA", "La"})


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
