"""Full-size work around the network on a CPU: pixels to lightness, lightness and ab to pixels.

Colour is predicted small and lightness is kept at full size, so this is where detail stays exact.
"""

from collections.abc import Sequence

import numpy as np

from colorize_hub.colour import strips
from colorize_hub.colour.lightness import Lightness, lightness_of
from colorize_hub.colour.spots import paint_hinted
from colorize_hub.hints.hint import Hint, hint_ab, hinted_pixels

_KEPT = 3 << 20  # samples of the largest picture whose lightness is kept: a preview


def pixels_to_lightness(pixels: np.ndarray) -> np.ndarray:
    """L* of pixels: (H, W, 1 or 3) uint8 or uint16, sRGB, to (1, H, W) float32, 0..100."""
    height, width = pixels.shape[:2]
    f_y = np.empty((1, height, width), np.float32)
    read = lightness_of(pixels)
    for rows in strips.strips(0, height, width):
        read(rows, f_y[0, rows].reshape(-1))
    f_y *= 116
    f_y -= 16
    return f_y


def reduced_lightness(pixels: np.ndarray, shape: tuple[int, int], threads: int = 1) -> np.ndarray:
    """L* of pixels, as above, reduced to (1, h, w) by antialiased bilinear filtering."""
    lightness = lightness_of(pixels)
    return strips.reduced(lightness, pixels.shape[:2], shape, threads)[None]


class Original:
    """A picture that colours are laid over, once or again and again.

    Attributes:
        pixels: (H, W, 1 or 3) uint8 or uint16, sRGB.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        """Take a picture."""
        self.pixels = pixels
        self._times, self._f_y = 0, None

    def lightness(self) -> Lightness:
        """f_Y of its rows; that of a preview is kept from the second time on."""
        self._times += 1
        if self._times == 1 or self.pixels.size > _KEPT:
            return lightness_of(self.pixels)
        if self._f_y is None:
            height, width = self.pixels.shape[:2]
            f_y = np.empty((height, width), np.float32)
            lightness_of(self.pixels)(slice(0, height), f_y.reshape(-1))
            self._f_y = f_y
        f_y = self._f_y

        def read(rows: slice, out: np.ndarray) -> None:
            np.copyto(out, f_y[rows].reshape(-1))

        return read


def recolor(
    original: Original, ab: np.ndarray, hints: Sequence[Hint] = (), threads: int = 1
) -> np.ndarray:
    """As `recolor_pixels`, of a picture that may be asked for again."""
    pixels = original.pixels
    return _paint(original.lightness(), pixels.shape[:2], ab, pixels.dtype, hints, threads)


def recolor_pixels(
    pixels: np.ndarray, ab: np.ndarray, hints: Sequence[Hint] = (), threads: int = 1
) -> np.ndarray:
    """Join the lightness of pixels and a small ab into pixels of the same type.

    Args:
        pixels: (H, W, 1 or 3) uint8 or uint16.
        ab: (2, h, w), a*b*, h and w of any size.
        hints: in place of ab, at the pixels that they fix.
        threads: how many work on it.

    Returns:
        (H, W, 3); see `color_lightness`.

    Raises:
        ValueError: a hint lies outside the picture.
    """
    return recolor(Original(pixels), ab, hints, threads)


def color_lightness(
    lightness: np.ndarray, ab: np.ndarray, dtype: np.dtype, hints: Sequence[Hint] = ()
) -> np.ndarray:
    """Join full-size lightness and a small ab into sRGB pixels.

    ab is enlarged (bicubic), its chroma scaled at constant lightness and hue to fit sRGB, and the
    colour rounded to the pixel type: re-greying a pixel gives its lightness back to within that
    rounding, half a level.

    Args:
        lightness: (1, H, W) float32, L* 0..100.
        ab: (2, h, w), a*b*, h and w of any size.
        dtype: uint8 or uint16.
        hints: in place of ab, at the pixels that they fix.

    Returns:
        (H, W, 3) of that type.

    Raises:
        ValueError: a hint lies outside the picture.
    """
    values = lightness[0]

    def read(rows: slice, f_y: np.ndarray) -> None:
        np.add(values[rows].reshape(-1), np.float32(16), out=f_y)
        f_y *= np.float32(1 / 116)

    return _paint(read, values.shape, ab, np.dtype(dtype), hints, 1)


def _paint(
    lightness: Lightness,
    size: tuple[int, ...],
    ab: np.ndarray,
    dtype: np.dtype,
    hints: Sequence[Hint],
    threads: int,
) -> np.ndarray:
    height, width = size
    pixels = strips.painted(lightness, (height, width), ab, dtype, threads)
    if hints:
        owner = hinted_pixels(hints, (height, width))
        paint_hinted(pixels, lightness, owner, hint_ab(hints))
    return pixels
