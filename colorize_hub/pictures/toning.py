"""Whether a picture has colours, or the one tint of a toned print: sepia, selenium, yellowed paper.

In a print, chroma is a function of lightness: every grey of it has one tint. In a photograph in
colour the same lightness has many. `has_color` and `find_toning` measure the chroma that is left
when the best such function is taken away, on a reduced copy, where grain and JPEG's coarse chroma
average out.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from colorize_hub.colour.cie import XYZN_OF_RGB, cie_curve
from colorize_hub.colour.lightness import lightness_of
from colorize_hub.colour.srgb import decode_srgb
from colorize_hub.colour.strips import paint_spots, strips

_SIDE = 128  # pixels of the reduced copy's long side
_LEVELS = 24  # steps of L* at which a print's tint is measured
_FEW = 4  # a step with fewer pixels says nothing
_NEUTRAL = 2.0  # chroma that nobody sees, and that JPEG leaves in a grey picture
# Chroma beside the print's own tint, at the 95th percentile: measured, prints end at 3.6.
_SPREAD, _SPREAD_OF_CHROMA = 4.0, 0.2
# L* that saving may change: measured, 0.19 as JPEG, 0.36 as WebP; a grey copy of a photograph in
# colour, made by another formula than L*, is further off in 9 of 10.
_SAME = 0.35
_SLOPES = np.array([[1 / 500], [-1 / 200]], np.float32)  # of a*b*, see gamut.py


@dataclass(frozen=True, eq=False)
class Toning:
    """The tint of a print.

    Attributes:
        lightness: (n,) L* 0..100, rising, at which the tint is known.
        ab: (2, n) its a*b* there; straight lines between, constant beyond the ends.
    """

    lightness: np.ndarray
    ab: np.ndarray

    def at(self, lightness: np.ndarray) -> np.ndarray:
        """Return the tint's a*b*, (2, ...), of greys of any shape (...), L* 0..100."""
        return np.stack([np.interp(lightness, self.lightness, one) for one in self.ab])

    def lay_under(self, coloured: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        """Add the tint to the colours that a print was given; the lightness stays the print's.

        Args:
            coloured: (H, W, 3) sRGB, uint8 or uint16: the print in colour.
            pixels: (H, W, 1 or 3) sRGB, uint8 or uint16: the print itself, for its lightness.

        Returns:
            (H, W, 3) of the type of ``coloured``, fitted to the gamut at constant lightness.
        """
        height, width, _ = coloured.shape
        toned = np.empty((height, width, 3), coloured.dtype)
        lightness = lightness_of(pixels)
        for rows in strips(0, height, width):
            f_y = np.empty((rows.stop - rows.start) * width, np.float32)
            lightness(rows, f_y)
            own = _cie_f(coloured[rows].reshape(-1, 3))
            tint = self.at(116 * f_y - 16).astype(np.float32) * _SLOPES
            places = np.arange(rows.start * width, rows.stop * width)
            paint_spots(toned, places, f_y, own[::2] - own[1] + tint)
        return toned


def has_color(pixels: np.ndarray) -> bool:
    """Whether a picture is in colour: neither grey nor a print in one tint.

    Args:
        pixels: (H, W, 1 or 3) sRGB, uint8 or uint16.
    """
    return pixels.shape[2] == 3 and _read(pixels)[1]


def find_toning(pixels: np.ndarray) -> Toning | None:
    """Return the tint of a toned print; None for a neutral picture and for one in colour.

    Args:
        pixels: (H, W, 1 or 3) sRGB, uint8 or uint16.
    """
    if pixels.shape[2] == 1:
        return None
    toning, coloured = _read(pixels)
    return None if coloured or np.hypot(*toning.ab).max() < _NEUTRAL else toning


def has_lightness_of(pixels: np.ndarray, original: np.ndarray, within: float = _SAME) -> bool:
    """Whether two pictures have the same size and all over the same lightness.

    Args:
        pixels: (H, W, 1 or 3) sRGB, uint8 or uint16.
        original: likewise.
        within: L* that the mean of 8 x 8 pixels may differ by, in all but 5 % of places.
    """
    if pixels.shape[:2] != original.shape[:2]:
        return False
    apart = _mean_lightness(pixels) - _mean_lightness(original)
    return bool(np.percentile(np.abs(apart), 95) <= within)


def has_colors_of(pixels: np.ndarray, original: np.ndarray) -> bool:
    """Whether two pictures of one size have the same a*b*, to the eye.

    Args: as for `has_lightness_of`.
    """
    apart = _reduced_lab(pixels)[1] - _reduced_lab(original)[1]
    return bool(np.percentile(np.hypot(*apart), 95) <= _NEUTRAL)


def _mean_lightness(pixels: np.ndarray) -> np.ndarray:
    """(h, w) L* of blocks, of every so manyth pixel where there are many."""
    stride = max(1, min(pixels.shape[:2]) // (8 * _SIDE))
    sample = pixels[::stride, ::stride].repeat(3 // pixels.shape[2], axis=2)
    height, width = sample.shape[:2]
    lightness = 116 * _cie_f(sample.reshape(-1, 3))[1].reshape(height, width) - 16
    side = min(8, height, width)
    rows, columns = height // side, width // side
    blocks = lightness[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return blocks.mean((1, 3))


def _read(pixels: np.ndarray) -> tuple[Toning, bool]:
    """Find the tint that describes the picture best, and whether there is more colour."""
    lightness, ab = _reduced_lab(pixels)
    toning = _tint(lightness, ab)
    spread = np.percentile(np.hypot(*(ab - toning.at(lightness))), 95)
    chroma = np.percentile(np.hypot(*ab), 95)
    return toning, bool(spread > max(_SPREAD, _SPREAD_OF_CHROMA * chroma))


def _tint(lightness: np.ndarray, ab: np.ndarray) -> Toning:
    """Medians of (2, n) ab in steps of the (n,) lightness."""
    step = np.minimum((lightness / 100 * _LEVELS).astype(int), _LEVELS - 1)
    members = [step == k for k in range(_LEVELS)]
    members = [own for own in members if own.sum() >= _FEW] or [np.ones_like(step, bool)]
    return Toning(
        lightness=np.array([lightness[own].mean() for own in members]),
        ab=np.stack([np.median(ab[:, own], axis=1) for own in members], axis=1),
    )


def _reduced_lab(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L*, (n,), and a*b*, (2, n), of a copy of at most _SIDE pixels a side."""
    stride = max(1, min(pixels.shape[:2]) // (8 * _SIDE))
    sample = pixels[::stride, ::stride].repeat(3 // pixels.shape[2], axis=2)
    if sample.dtype == np.uint16:
        sample = (sample >> 8).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(sample))
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    f = _cie_f(np.asarray(image).reshape(-1, 3)).astype(np.float64)
    return 116 * f[1] - 16, (f[::2] - f[1]) / _SLOPES


def _cie_f(pixels: np.ndarray) -> np.ndarray:
    """CIE f of X, Y and Z, (3, n) float32, of (n, 3) sRGB levels; L* is 116 f_Y - 16."""
    level = pixels.T.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return cie_curve(XYZN_OF_RGB @ decode_srgb(level))
