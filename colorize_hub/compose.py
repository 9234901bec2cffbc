"""Full-size work around the network: pixels to lightness, and lightness with a small ab to pixels.

Colour is predicted small and lightness is kept at full size, so this is where detail stays exact.
Rows are handled in strips that fit the cache; each pixel's result depends on its own lightness and
the small ab alone, so strips and the whole picture give the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub.color import fit_gamut, lab_to_rgb, rgb_to_lightness
from colorize_hub.hints import Hint, hint_ab, hinted_pixels
from colorize_hub.image import ImageLike, Picture, read_picture, write_like

_STRIP_PIXELS = 1 << 16
GRID = 32  # the encoder's deepest stride: working sizes are multiples of it
_MOST_ELONGATED = 4  # a panorama's long side is worked on at most this many times the short side


@dataclass(frozen=True)
class Prepared:
    """A picture with its lightness at full size, (1, H, W), and at working size, (1, 1, h, w)."""

    picture: Picture
    lightness: Tensor
    working: Tensor

    @classmethod
    def read(cls, image: ImageLike, size: int) -> Prepared:
        """Read a picture for a working short side of `size` pixels."""
        picture = read_picture(image)
        lightness = pixels_to_lightness(picture.pixels)
        shape = working_shape(picture.height, picture.width, size)
        working = F.interpolate(lightness[None], size=shape, mode="bilinear", antialias=True)
        return cls(picture, lightness, working)

    def paint(self, ab: Tensor, hints: Sequence[Hint] = ()) -> Image.Image | np.ndarray:
        """Join (2, h, w) a*b* with the full-size lightness, and give it the caller's form.

        Pixels that hints fix get the hints' a*b*.
        """
        if not torch.isfinite(ab).all():
            raise ValueError("The model predicted NaN; its weights are damaged. Load it anew.")
        dtype = self.picture.pixels.dtype
        pixels = colour_pixels(self.lightness, ab.float().cpu(), dtype, hints)
        return write_like(pixels, self.picture)


def working_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """(height, width) the network works at: short side about `size`, both multiples of 32.

    The aspect ratio changes by a few percent at most, except that a panorama's long side stops at
    4 times the short side.
    """
    short = min(height, width)
    sides = (min(side / short, _MOST_ELONGATED) * size / GRID for side in (height, width))
    rows, columns = (max(1, round(side)) * GRID for side in sides)
    return rows, columns


def pixels_to_lightness(pixels: np.ndarray) -> Tensor:
    """L* of pixels: (H, W, 1 or 3) uint8 or uint16, sRGB, to (1, H, W) float32, 0..100."""
    height, width, channels = pixels.shape
    if channels == 1:
        table = _grey_lightness(pixels.dtype.name)
        return torch.from_numpy(table[pixels[..., 0]])[None]
    lightness = torch.empty(1, height, width)
    for rows in _strips(height, width):
        strip = torch.from_numpy(pixels[rows].astype(np.float32)).movedim(-1, 0)  # (3, n, W)
        lightness[:, rows] = rgb_to_lightness(strip / np.iinfo(pixels.dtype).max)
    return lightness


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
    _, height, width = lightness.shape
    down = _bicubic(ab.shape[1], height)  # (H, h)
    across = ab @ _bicubic(ab.shape[2], width).T  # (2, h, W)
    owner = hinted_pixels(hints, (height, width)) if hints else None
    fixed = hint_ab(hints)
    most = np.iinfo(dtype).max
    pixels = np.empty((height, width, 3), dtype)
    for rows in _strips(height, width):
        strip = lightness[:, rows]
        colour = down[rows] @ across  # (2, n, W)
        if owner is not None and (hit := owner[rows] >= 0).any():
            colour[:, hit] = fixed[owner[rows][hit]].T
        fitted = fit_gamut(strip, colour)
        rgb = lab_to_rgb(torch.cat((strip, fitted)))  # (3, n, W)
        pixels[rows] = np.moveaxis((rgb * most).round_().numpy().astype(dtype), 0, -1)
    return pixels


def _strips(height: int, width: int) -> list[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, min(height, top + rows)) for top in range(0, height, rows)]


@cache
def _grey_lightness(dtype: str) -> np.ndarray:
    """L* of every grey level of uint8 or uint16."""
    most = np.iinfo(dtype).max
    level = torch.arange(most + 1) / most
    return rgb_to_lightness(level.expand(3, 1, -1))[0, 0].numpy()


def _bicubic(source: int, target: int) -> Tensor:
    """(target, source) matrix that resizes a line as F.interpolate(mode="bicubic") does."""
    identity = torch.eye(source)[None, None]
    return F.interpolate(identity, size=(target, source), mode="bicubic")[0, 0]
