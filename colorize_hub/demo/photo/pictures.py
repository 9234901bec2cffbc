"""Pictures on their way to the browser: preview size, JPEG, data URLs."""

import base64
import io

import numpy as np
from PIL import Image

from colorize_hub.pictures.picture import Picture

PREVIEW_SIDE = 1024
_JPEG = {"quality": 90, "subsampling": "4:4:4"}


def preview(picture: Picture) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture and its opacity (mode L, or None), long side at most PREVIEW_SIDE."""
    image = shrink(picture.pixels, PREVIEW_SIDE)
    return image, None if picture.alpha is None else shrink(picture.alpha, PREVIEW_SIDE)


def shrink(values: np.ndarray, side: int) -> Image.Image:
    """Pixels, (H, W), (H, W, 1) or (H, W, 3), 8 or 16 bits, as an image of 8 bits.

    Args:
        values: uint8 or uint16.
        side: most pixels of the long side.
    """
    if values.dtype == np.uint16:
        values = (values >> 8).astype(np.uint8)
    image = Image.fromarray(values[..., 0] if values.shape[2:] == (1,) else values)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3)
    return image


def jpeg(image: Image.Image, alpha: Image.Image | None = None) -> bytes:
    """Return the picture as a JPEG file of high quality; what is transparent shows white."""
    image = image.convert("RGB")
    if alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    return _file(image, "JPEG", **_JPEG)


def jpeg_url(file: bytes) -> str:
    """Return a data URL of a JPEG file."""
    return f"data:image/jpeg;base64,{base64.b64encode(file).decode()}"


def tint_url(strength: np.ndarray, rgb: tuple[int, int, int], side: int = 320) -> str:
    """Return a data URL of a PNG of one colour, as opaque as ``strength`` says.

    Args:
        strength: (H, W), 0..1.
        rgb: the colour, 0..255.
        side: most pixels of the long side.
    """
    opacity = Image.fromarray((strength * 255).round().clip(0, 255).astype(np.uint8))
    opacity.thumbnail((side, side), Image.Resampling.BILINEAR)
    layer = Image.new("RGB", opacity.size, rgb)
    layer.putalpha(opacity)
    file = _file(layer, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
