"""Samples as files store them, of any bits and type, to levels of 8 or 16 bits."""

import logging

import numpy as np

from colorize_hub.pictures import icc
from colorize_hub.pictures.modes import float_white, strips, to_depth
from colorize_hub.pictures.opening import PictureError

logger = logging.getLogger(__name__)


def to_levels(values: np.ndarray, bits: int, name: str) -> np.ndarray:
    """Return values of any type as uint8, for 8 bits and fewer, or uint16 over the full range.

    Args:
        values: bool, whole numbers or floats, of any shape from (H, W).
        bits: how many of a whole number's bits count.
        name: of the picture, for messages.

    Raises:
        PictureError: values below zero, or floats that no white is known for.
    """
    if values.dtype.kind == "f":
        return _float_levels(values, name)
    if values.dtype == np.bool_:
        bits, values = 1, values.astype(np.uint8)
    if values.dtype.kind == "i":
        if values.min() < 0:
            raise PictureError(
                f"Expected values of 0 or more in {name}, got {values.min()}: shift them first."
            )
        bits -= 1
        if bits <= 16 and values.max() < 2**bits - 1:
            logger.warning("%s holds signed samples: %d is taken for white", name, 2**bits - 1)
    white = 2**bits - 1
    if bits > 16 and values.max() <= 65535:
        logger.warning(
            "%s has %d bits, but ends at %d: 65535 is taken for white", name, bits, values.max()
        )
        white = 65535
    dtype, full = (np.uint8, 255) if bits <= 8 else (np.uint16, 65535)
    if white == full:
        return values.astype(dtype)
    levels = np.empty(values.shape, dtype)
    for rows in strips(values.shape[1], values.shape[0]):
        levels[rows] = (values[rows].astype(np.uint64) * full + white // 2) // white
    return levels


def _float_levels(values: np.ndarray, name: str) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 65535):  # written so that NaN fails too
        raise PictureError(
            f"Expected finite grey values in 0..65535 in {name}, got {low:g} to {high:g}: scale it"
            " first."
        )
    white = float_white(high, name)
    levels = np.empty(values.shape, np.uint16)
    for rows in strips(values.shape[1], values.shape[0]):
        part = values[rows].astype(np.float32 if values.dtype.itemsize <= 4 else np.float64)
        levels[rows] = np.rint(np.minimum(part * (65535 / white), 65535))
    return levels


def lab_levels(values: np.ndarray, bits: int, is_icc: bool) -> np.ndarray:
    """Convert CIE L*a*b*, as TIFF 6.0 or its ICC variety codes it, to sRGB of as many bits."""
    if bits not in (8, 16):
        raise PictureError(f"Expected L*a*b* of 8 or 16 bits, got {bits}: save it as RGB.")
    signed = values.view(np.int8 if bits == 8 else np.int16)
    middle = 1 << (bits - 1)
    pixels = np.empty(values.shape, np.uint16)
    for rows in strips(values.shape[1], values.shape[0]):
        lab = values[rows].astype(np.float64)
        if is_icc:
            lab[..., 1:] -= middle
        else:
            lab[..., 1:] = signed[rows][..., 1:]
        if bits == 8:
            lab[..., 0] *= 100 / 255
        else:
            lab *= [100 / (65280 if is_icc else 65535), 1 / 256, 1 / 256]
        pixels[rows] = icc.lab_to_srgb(lab)
    return to_depth(pixels, values.dtype)


def unmultiplied(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return the colours that alpha was multiplied into, straight again."""
    white = np.iinfo(pixels.dtype).max
    straight = np.empty_like(pixels)
    for rows in strips(pixels.shape[1], pixels.shape[0]):
        opacity = np.maximum(alpha[rows], 1).astype(np.float32)[..., None]
        straight[rows] = np.rint(np.minimum(pixels[rows] / opacity * white, white))
    return straight
