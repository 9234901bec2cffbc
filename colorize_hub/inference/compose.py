"""Full-size work around the network: pixels to lightness, and lightness with a small ab to pixels.

Colour is predicted small and lightness is kept at full size, so this is where detail stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize_hub.colour import strips
from colorize_hub.colour.spots import paint_hinted
from colorize_hub.hints.hint import Hint, hint_ab, hinted_pixels
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import ImageLike, Picture, read_picture, write_like


@dataclass(frozen=True)
class Prepared:
    """A picture and its lightness at working size, (1, 1, h, w)."""

    picture: Picture
    working: Tensor

    @classmethod
    def read(cls, image: ImageLike, size: int) -> Prepared:
        """Read a picture for a working short side of `size` pixels."""
        picture = read_picture(image)
        full = (picture.height, picture.width)
        small = working_shape(*full, size)
        lightness, threads = strips.lightness_of(picture.pixels), torch.get_num_threads()
        working = strips.reduced(lightness, full, small, threads)
        return cls(picture, torch.from_numpy(working)[None, None])

    def lightness_at(self, x: int, y: int) -> float:
        """L* of one pixel."""
        return float(pixels_to_lightness(self.picture.pixels[y : y + 1, x : x + 1]))

    def paint(self, ab: Tensor, hints: Sequence[Hint] = ()) -> Image.Image | np.ndarray:
        """Join (2, h, w) a*b* with the full-size lightness, and give it the caller's form.

        Pixels that hints fix get the hints' a*b*.
        """
        if not torch.isfinite(ab).all():
            raise ValueError("The model predicted NaN; its weights are damaged. Load it anew.")
        source = self.picture.pixels
        lightness = strips.lightness_of(source)
        pixels = _paint(lightness, source.shape[:2], ab, source.dtype, hints)
        return write_like(pixels, self.picture)


def pixels_to_lightness(pixels: np.ndarray) -> Tensor:
    """L* of pixels: (H, W, 1 or 3) uint8 or uint16, sRGB, to (1, H, W) float32, 0..100."""
    height, width = pixels.shape[:2]
    f_y = np.empty((height, width), np.float32)
    read = strips.lightness_of(pixels)
    for rows in strips.strips(0, height, width):
        read(rows, f_y[rows].reshape(-1))
    return torch.from_numpy(f_y)[None].mul_(116).sub_(16)


def colour_pixels(
    lightness: Tensor, ab: Tensor, dtype: np.dtype, hints: Sequence[Hint] = ()
) -> np.ndarray:
    """Join full-size lightness and a small ab into sRGB pixels.

    ab is enlarged (bicubic), its chroma scaled at constant lightness and hue to fit sRGB, and the
    colour rounded to the pixel type: re-greying a pixel gives its lightness back to within that
    rounding, half a level.

    Args:
        lightness: (1, H, W), L* 0..100.
        ab: (2, h, w), a*b*, h and w of any size.
        dtype: uint8 or uint16.
        hints: in place of ab, at the pixels that they fix.

    Returns:
        (H, W, 3) of that type.

    Raises:
        ValueError: a hint lies outside the picture.
    """
    values = lightness[0].numpy()

    def read(rows: slice, f_y: np.ndarray) -> None:
        np.add(values[rows].reshape(-1), np.float32(16), out=f_y)
        f_y *= np.float32(1 / 116)

    return _paint(read, values.shape, ab, np.dtype(dtype), hints)


def _paint(
    lightness: strips.Lightness,
    size: tuple[int, ...],
    ab: Tensor,
    dtype: np.dtype,
    hints: Sequence[Hint],
) -> np.ndarray:
    height, width = size
    small = ab.float().cpu().numpy()
    pixels = strips.painted(lightness, (height, width), small, dtype, torch.get_num_threads())
    if hints:
        owner = hinted_pixels(hints, (height, width)).numpy()
        paint_hinted(pixels, lightness, owner, hint_ab(hints).numpy())
    return pixels
