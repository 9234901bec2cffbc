"""sRGB and CIE L*a*b* (D65, 2 degree observer) on arrays, and the gamut between them.

Everywhere in the project: `rgb` is sRGB-encoded 0..1, `lightness` is L* 0..100, `ab` is CIE a*b*
(about -108..108), channels stand third from the right: (..., C, H, W), dtype float32. Arrays are of
numpy or torch, and results of the same kind. Formulas are those of scikit-image.
"""

from collections.abc import Callable
from typing import NamedTuple

from array_api_compat import array_namespace, device

from colorize_hub.colour.arrays import Array, constant, table
from colorize_hub.colour.cie import (
    GAMUT_TOLERANCE,
    RGB_OF_XYZN,
    XYZN_OF_RGB,
    cie_curve,
    inverse_cie_curve,
)
from colorize_hub.colour.srgb import decode_srgb, encode_srgb

_BLOCK_PIXELS = 1 << 16
_LIGHT_OF_RGB = XYZN_OF_RGB[1:2]
HALVINGS, INTERPOLATIONS = 6, 8  # leaves less than 1e-3 of linear RGB to the boundary


def rgb_to_lab(rgb: Array) -> Array:
    """Convert sRGB to CIE L*a*b*.

    Args:
        rgb: (..., 3, H, W) float32, 0..1.

    Returns:
        (..., 3, H, W): L* 0..100, a*, b*. Gradients are finite everywhere, black included.

    Raises:
        ValueError: the shape is not (..., 3, H, W).
    """
    _check_channels(rgb, 3, "rgb_to_lab")
    return _in_blocks(_lab_of_rgb, rgb, 3)


def lab_to_rgb(lab: Array) -> Array:
    """Convert CIE L*a*b* to sRGB; what lies outside sRGB is clipped per channel.

    Clipping changes lightness and hue: use `fit_gamut` first where those must stay.

    Args:
        lab: (..., 3, H, W) float32.

    Returns:
        (..., 3, H, W) sRGB 0..1.

    Raises:
        ValueError: the shape is not (..., 3, H, W).
    """
    _check_channels(lab, 3, "lab_to_rgb")
    return _in_blocks(_rgb_of_lab, lab, 3)


def rgb_to_lightness(rgb: Array) -> Array:
    """L* of sRGB: (..., 3, H, W) 0..1 to (..., 1, H, W) 0..100, without computing a* and b*."""
    _check_channels(rgb, 3, "rgb_to_lightness")
    return _in_blocks(_lightness_of_rgb, rgb, 1)


def lightness_to_grey(lightness: Array) -> Array:
    """Return the sRGB value 0..1 of the neutral grey with this L*; same shape."""
    return encode_srgb(inverse_cie_curve((lightness + 16) / 116).clip(0, 1))


def in_gamut(lightness: Array, ab: Array, tolerance: float = GAMUT_TOLERANCE) -> Array:
    """Whether sRGB can show these colours.

    Args:
        lightness: (..., 1, H, W), L* 0..100.
        ab: (..., 2, H, W).
        tolerance: in linear-light RGB, 0..1.

    Returns:
        bool (..., 1, H, W).
    """
    return _excess(lightness, ab, tolerance) <= 0


def fit_gamut(lightness: Array, ab: Array) -> Array:
    """Scale chroma at constant lightness and hue until the colour fits sRGB.

    Colours inside are returned untouched; those outside land on the boundary (a root of
    the chroma scale). Gradients flow through `ab` times the found scale.

    Args:
        lightness: (..., 1, H, W), L* 0..100.
        ab: (..., 2, H, W), any finite chroma.

    Returns:
        (..., 2, H, W).

    Raises:
        ValueError: the two do not have 1 and 2 channels and otherwise equal shapes.
    """
    _check_channels(lightness, 1, "fit_gamut (lightness)")
    _check_channels(ab, 2, "fit_gamut (ab)")
    if lightness.shape[:-3] != ab.shape[:-3] or lightness.shape[-2:] != ab.shape[-2:]:
        raise ValueError(
            "fit_gamut expects lightness (..., 1, H, W) and ab (..., 2, H, W) of one size, "
            f"got {tuple(lightness.shape)} and {tuple(ab.shape)}."
        )
    xp, lightness, fixed = array_namespace(ab), constant(lightness), constant(ab)
    outside = ~in_gamut(lightness, fixed)
    if not outside.any():
        return ab
    places = outside[..., 0, :, :]
    found = largest_scale(lightness[..., 0, :, :][places], xp.moveaxis(fixed, -3, -1)[places])
    scale = xp.ones_like(lightness)
    scale[outside] = found
    return ab * scale


class Line(NamedTuple):
    """N lines from a grey to a colour outside the gamut, in what the curve of light is taken of.

    Attributes:
        f_y: (N,) f of Y, the same all along.
        slope: (2, N) of f of X and Z, along the scale.
        of_y: (3, N) linear RGB that Y brings.
    """

    f_y: Array
    slope: Array
    of_y: Array

    def excess_at(self, scale: Array) -> Array:
        """Return how far linear RGB leaves 0..1 at a scale of the colour; (N,)."""
        of_xz = table(RGB_OF_XYZN, self.f_y)[:, ::2]
        light = inverse_cie_curve(self.f_y + self.slope * scale)
        off = abs(self.of_y + of_xz @ light - 0.5)
        xp = array_namespace(off)  # a maximum over three rows is slow in some runtimes
        return xp.maximum(xp.maximum(off[0], off[1]), off[2]) - 0.5


class Search(NamedTuple):
    """Where the boundary lies on a `Line`, (N,) each.

    Attributes:
        low: a scale inside.
        high: a scale outside.
        inside: excess that is taken for that at `low`.
        outside: likewise at `high`.
        fitted: whether the last step came from below.
    """

    low: Array
    high: Array
    inside: Array
    outside: Array
    fitted: Array


def largest_scale(lightness: Array, ab: Array) -> Array:
    """(N,) L* and (N, 2) ab outside the gamut -> (N,) the largest scale of ab that fits.

    Regula falsi (Illinois rule) on how far the colour sticks out, between grey and the colour. Far
    out the excess grows with the cube of the scale: it halves first and interpolates then.
    """
    line = line_of(lightness, ab)
    search = whole_line(line)
    for step in range(HALVINGS + INTERPOLATIONS):
        search = narrowed(line, search, halve=step < HALVINGS)
    return search.low


def line_of(lightness: Array, ab: Array) -> Line:
    """Return the lines of (N,) L* and (N, 2) ab."""
    f_y = (lightness + 16) / 116
    slope = array_namespace(ab).stack((ab[:, 0] / 500, ab[:, 1] / -200))
    return Line(f_y, slope, table(RGB_OF_XYZN, ab)[:, 1:2] * inverse_cie_curve(f_y))


def whole_line(line: Line) -> Search:
    """Begin to search."""
    xp = array_namespace(line.f_y)
    low, high = xp.zeros_like(line.f_y), xp.ones_like(line.f_y)
    return Search(low, high, line.excess_at(low), line.excess_at(high), low > 0)


def narrowed(line: Line, search: Search, halve: bool) -> Search:
    """Take one step; `halve` goes to the middle, else to where a straight line is 0."""
    low, high, inside, outside, fitted = search
    xp = array_namespace(low)
    part = 0.5 if halve else (inside / (inside - outside)).clip(0.01, 0.99)
    middle = low + (high - low) * part
    excess = line.excess_at(middle)
    fits = excess <= 0
    # An end that stays twice counts half, so that both ends close in.
    stale = xp.where(fits == fitted, 0.5, 1.0)
    return Search(
        xp.where(fits, middle, low),
        xp.where(fits, high, middle),
        xp.where(fits, excess, inside * stale),
        xp.where(fits, outside * stale, excess),
        fits,
    )


def _excess(lightness: Array, ab: Array, tolerance: float = GAMUT_TOLERANCE) -> Array:
    """How far linear RGB leaves 0..1 (beyond the tolerance); <= 0 inside. (..., 1, H, W)."""
    return _beyond(_linear_rgb(lightness, ab), -3, tolerance)


def _beyond(linear: Array, channels: int, tolerance: float) -> Array:
    xp = array_namespace(linear)
    return xp.max(abs(linear - 0.5), axis=channels, keepdims=True) - (0.5 + tolerance)


def _lab_of_rgb(rgb: Array) -> Array:
    xp = array_namespace(rgb)
    f = cie_curve(_mix(decode_srgb(rgb), XYZN_OF_RGB))
    fx, fy, fz = (f[..., channel, :, :] for channel in range(3))
    return xp.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), axis=-3)


def _rgb_of_lab(lab: Array) -> Array:
    return encode_srgb(_linear_rgb(lab[..., :1, :, :], lab[..., 1:, :, :]).clip(0, 1))


def _lightness_of_rgb(rgb: Array) -> Array:
    return 116 * cie_curve(_mix(decode_srgb(rgb), _LIGHT_OF_RGB)) - 16


def _linear_rgb(lightness: Array, ab: Array) -> Array:
    xp = array_namespace(ab)
    fy = (lightness + 16) / 116
    a, b = ab[..., :1, :, :], ab[..., 1:, :, :]
    f = xp.concat((fy + a / 500, fy, fy - b / 200), axis=-3)
    return _mix(inverse_cie_curve(f), RGB_OF_XYZN)


def _mix(channels: Array, matrix: Array) -> Array:
    """Multiply (..., C, H, W) by a (D, C) matrix over the channels."""
    *before, _, rows, columns = channels.shape
    flat = channels.reshape((*before, matrix.shape[1], rows * columns))
    return (table(matrix, channels) @ flat).reshape((*before, len(matrix), rows, columns))


def _in_blocks(convert: Callable[[Array], Array], colours: Array, channels: int) -> Array:
    """Apply a per-pixel conversion in blocks that stay in cache; whole when gradients are wanted.

    (..., C, H, W) to (..., `channels`, H, W). Memory traffic, not arithmetic, is the cost of a
    12-megapixel conversion on a CPU: blocks make it about four times faster.
    """
    rows, columns = colours.shape[-2:]
    pixels = rows * columns
    small = pixels <= _BLOCK_PIXELS or str(device(colours)) != "cpu"
    if small or getattr(colours, "requires_grad", False):
        return convert(colours)
    flat = colours.reshape((*colours.shape[:-2], 1, pixels))
    out = array_namespace(flat).empty(
        (*flat.shape[:-3], channels, 1, pixels), dtype=flat.dtype, device=device(flat)
    )
    for start in range(0, pixels, _BLOCK_PIXELS):
        block = slice(start, start + _BLOCK_PIXELS)
        out[..., block] = convert(flat[..., block])
    return out.reshape((*colours.shape[:-3], channels, rows, columns))


def _check_channels(value: Array, channels: int, who: str) -> None:
    if value.ndim < 3 or value.shape[-3] != channels:
        raise ValueError(
            f"{who} expects an array of shape (..., {channels}, H, W), got {tuple(value.shape)}."
        )
