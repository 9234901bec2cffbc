"""Formats besides TIFF whose colours of more than 8 bits Pillow cuts to 8, or garbles."""

from __future__ import annotations

from typing import IO

import imagecodecs
import numpy as np
from PIL import ImageFile

from colorize_hub.pictures import boxes, png
from colorize_hub.pictures.samples import to_levels


def read_deep(image: ImageFile.ImageFile, file: IO[bytes], name: str) -> np.ndarray | None:
    """Decode colours, grey or alpha of more than 8 bits where Pillow does not.

    Args:
        image: opened from ``file``, not yet decoded.
        file: its place is left as it was.
        name: of the picture, for messages.

    Returns:
        (H, W, 1 to 4) uint16 over the full range; None where Pillow has all bits.
    """
    place = file.tell()
    try:
        if image.format == "PNG" and png.is_deep_color(file):
            return png.read_deep(file)
        if image.format == "JPEG2000" and (bits := boxes.read_bits(file)) > 8:
            decoded = imagecodecs.jpeg2k_decode(boxes.read_codestream(file))
            return _channels(to_levels(decoded, bits, name))
        if image.format == "JXL" and image.mode in ("RGB", "RGBA", "LA"):
            file.seek(0)
            levels = imagecodecs.jpegxl_decode(file.read())
            return _channels(levels) if levels.dtype == np.uint16 else None
        if image.format == "PPM" and image.mode == "RGB":
            return _read_ppm(image, file)
        return None
    finally:
        file.seek(place)


def _channels(levels: np.ndarray) -> np.ndarray:
    return levels if levels.ndim == 3 else levels[:, :, None]


def _read_ppm(image: ImageFile.ImageFile, file: IO[bytes]) -> np.ndarray | None:
    """Decode a raw PPM of two bytes a sample, big-endian, up to the white that it names."""
    codec, _, offset, arguments = image.tile[0]
    white = arguments[1] if isinstance(arguments, tuple) else 255
    if codec != "ppm" or not isinstance(white, int) or white <= 255:
        return None
    file.seek(offset)
    samples = np.frombuffer(file.read(image.width * image.height * 6), ">u2")
    levels = samples.reshape(image.height, image.width, 3).astype(np.uint32)
    return ((levels * 65535 + white // 2) // white).clip(0, 65535).astype(np.uint16)
