"""sRGB and CIE L*a*b* (D65, 2 degree observer) on tensors, and the gamut between them.

Everywhere in the project: `rgb` is sRGB-encoded 0..1, `lightness` is L* 0..100, `ab` is CIE a*b*
(about -108..108), channels stand third from the right: (..., C, H, W), dtype float32.
Constants (cie.py) and formulas are those of scikit-image.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from colorize_hub.colour.cie import (
    CUBE_ROOT_FROM,
    GAMUT_TOLERANCE,
    INVERSE_FROM,
    LINE_SLOPE,
    RGB_OF_XYZN,
    XYZN_OF_RGB,
)

_XYZN_OF_RGB = torch.from_numpy(XYZN_OF_RGB)
_RGB_OF_XYZN = torch.from_numpy(RGB_OF_XYZN)
_BLOCK_PIXELS = 1 << 16
_HALVINGS, _ROOT_STEPS = 6, 14  # leaves less than 1e-3 of linear RGB to the boundary


def rgb_to_lab(rgb: Tensor) -> Tensor:
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


def lab_to_rgb(lab: Tensor) -> Tensor:
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


def rgb_to_lightness(rgb: Tensor) -> Tensor:
    """L* of sRGB: (..., 3, H, W) 0..1 to (..., 1, H, W) 0..100, without computing a* and b*."""
    _check_channels(rgb, 3, "rgb_to_lightness")
    return _in_blocks(_lightness_of_rgb, rgb, 1)


def lightness_to_grey(lightness: Tensor) -> Tensor:
    """The sRGB value 0..1 of the neutral grey with this L*; same shape."""
    return _encode_srgb(_inverse_cie_curve((lightness + 16) / 116).clamp(0, 1))


def in_gamut(lightness: Tensor, ab: Tensor, tolerance: float = GAMUT_TOLERANCE) -> Tensor:
    """Whether sRGB can show these colours.

    Args:
        lightness: (..., 1, H, W), L* 0..100.
        ab: (..., 2, H, W).
        tolerance: in linear-light RGB, 0..1.

    Returns:
        bool (..., 1, H, W).
    """
    return _excess(lightness, ab, tolerance) <= 0


def fit_gamut(lightness: Tensor, ab: Tensor) -> Tensor:
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
    outside = ~in_gamut(lightness.detach(), ab.detach()).squeeze(-3)
    if not outside.any():
        return ab
    scale = torch.ones_like(lightness)
    scale.squeeze(-3)[outside] = largest_scale(
        lightness.detach().squeeze(-3)[outside], ab.detach().movedim(-3, -1)[outside]
    )
    return ab * scale


def eight_bit(rgb: Tensor) -> Tensor:
    """Whole numbers 0..255, as a viewer's file would hold them.

    Args:
        rgb: (B, 3, H, W) sRGB, uint8 or float 0..1, which is rounded.

    Returns:
        (B, 3, H, W) float64.

    Raises:
        ValueError: the shape or the value range is not as described.
    """
    if rgb.ndim != 4 or rgb.shape[1] != 3:
        raise ValueError(
            f"expected pictures of shape (B, 3, H, W), got {tuple(rgb.shape)}; "
            "move the channels to the second axis and add the batch axis."
        )
    if rgb.dtype == torch.uint8:
        return rgb.double()
    if not rgb.is_floating_point():
        raise ValueError(f"expected uint8 or float pictures, got {rgb.dtype}; convert to uint8.")
    low, high = float(rgb.min()), float(rgb.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"expected float pictures in 0..1, got values {low:.3g}..{high:.3g}; "
            "divide 8-bit values by 255 or pass them as uint8."
        )
    return (rgb.double().clamp(0, 1) * 255).round()


def largest_scale(lightness: Tensor, ab: Tensor) -> Tensor:
    """(N,) L* and (N, 2) ab outside the gamut -> (N,) the largest scale of ab that fits.

    Regula falsi (Illinois rule) on how far the colour sticks out, between grey and the colour.
    """
    fy = (lightness + 16) / 116
    slope = ab.T * ab.new_tensor([[1 / 500], [-1 / 200]])  # of f in X and Z, along the scale
    matrix = _RGB_OF_XYZN.to(ab)
    of_y, of_xz = matrix[:, 1:2] * _inverse_cie_curve(fy), matrix[:, ::2].contiguous()

    def excess_at(scale: Tensor) -> Tensor:
        linear = torch.addmm(of_y, of_xz, _inverse_cie_curve(torch.addcmul(fy, slope, scale)))
        return _beyond(linear, 0, 0)[0]

    low, high = torch.zeros_like(lightness), torch.ones_like(lightness)
    inside, outside = excess_at(low), excess_at(high)
    fitted = torch.zeros_like(lightness)  # 1 where the last step came from below
    for step in range(_ROOT_STEPS):
        # Far out the excess grows with the cube of the scale: halve first, interpolate then.
        part = 0.5 if step < _HALVINGS else (inside / (inside - outside)).clamp(0.01, 0.99)
        middle = low + (high - low) * part
        excess = excess_at(middle)
        fits = (excess <= 0).to(excess)  # lerp with 0 or 1 is a choice, faster than torch.where
        low, high = torch.lerp(low, middle, fits), torch.lerp(middle, high, fits)
        # An end that stays twice counts half, so that both ends close in.
        stale = 1 - 0.5 * (fits == fitted)
        inside = torch.lerp(inside * stale, excess, fits)
        outside = torch.lerp(excess, outside * stale, fits)
        fitted = fits
    return low


def _excess(lightness: Tensor, ab: Tensor, tolerance: float = GAMUT_TOLERANCE) -> Tensor:
    """How far linear RGB leaves 0..1 (beyond the tolerance); <= 0 inside. (..., 1, H, W)."""
    return _beyond(_linear_rgb(lightness, ab), -3, tolerance)


def _beyond(linear: Tensor, channels: int, tolerance: float) -> Tensor:
    return ((linear - 0.5).abs() - (0.5 + tolerance)).amax(dim=channels, keepdim=True)


def _lab_of_rgb(rgb: Tensor) -> Tensor:
    fx, fy, fz = _cie_curve(_mix(_decode_srgb(rgb), _XYZN_OF_RGB)).unbind(-3)
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3)


def _rgb_of_lab(lab: Tensor) -> Tensor:
    return _encode_srgb(_linear_rgb(lab[..., :1, :, :], lab[..., 1:, :, :]).clamp(0, 1))


def _lightness_of_rgb(rgb: Tensor) -> Tensor:
    return 116 * _cie_curve(_mix(_decode_srgb(rgb), _XYZN_OF_RGB[1:2])) - 16


def _linear_rgb(lightness: Tensor, ab: Tensor) -> Tensor:
    fy = (lightness + 16) / 116
    a, b = ab[..., :1, :, :], ab[..., 1:, :, :]
    f = torch.cat((fy + a / 500, fy, fy - b / 200), dim=-3)
    return _mix(_inverse_cie_curve(f), _RGB_OF_XYZN)


def _mix(channels: Tensor, matrix: Tensor) -> Tensor:
    """Multiply (..., C, H, W) by a (D, C) matrix over the channels."""
    matrix = matrix.to(channels)
    return (matrix @ channels.flatten(-2)).unflatten(-1, channels.shape[-2:])


# Each curve is a line up to a threshold and a power above it. Line and power meet there, so their
# sum with clamped arguments, less the value at the threshold, is the curve: no branch, finite
# gradients, and several times faster than torch.where.


def _decode_srgb(rgb: Tensor) -> Tensor:
    base = rgb.clamp_min(0.04045) * (1 / 1.055) + 0.055 / 1.055
    return _line_and_curve(rgb, 0.04045, 1 / 12.92, _power(base, 2.4))


def _encode_srgb(linear: Tensor) -> Tensor:
    curve = _power(linear.clamp_min(0.0031308), 1 / 2.4) * 1.055
    return _line_and_curve(linear, 0.0031308, 12.92, curve, -0.055)


def _cie_curve(t: Tensor) -> Tensor:
    root = _power(t.clamp_min(CUBE_ROOT_FROM), 1 / 3)
    return _line_and_curve(t, CUBE_ROOT_FROM, LINE_SLOPE, root)


def _inverse_cie_curve(f: Tensor) -> Tensor:
    above = f.clamp_min(INVERSE_FROM)
    return _line_and_curve(f, INVERSE_FROM, 1 / LINE_SLOPE, above * above * above)


def _line_and_curve(
    t: Tensor, threshold: float, slope: float, curve: Tensor, offset: float = 0.0
) -> Tensor:
    """The sum curve + offset + slope * (min(t, threshold) - threshold)."""
    line = t.clamp_max(threshold)
    return torch.add(curve, line, alpha=slope) + (offset - slope * threshold)


def _power(base: Tensor, exponent: float) -> Tensor:
    """Base ** exponent for base > 0; twice as fast as torch.pow, relative error 1e-6."""
    return torch.exp2(torch.log2(base) * exponent)


def _in_blocks(convert: Callable[[Tensor], Tensor], colours: Tensor, channels: int) -> Tensor:
    """Apply a per-pixel conversion in blocks that stay in cache; whole when gradients are wanted.

    (..., C, H, W) to (..., `channels`, H, W). Memory traffic, not arithmetic, is the cost of a
    12-megapixel conversion: blocks make it about four times faster.
    """
    pixels = colours.shape[-2] * colours.shape[-1]
    if pixels <= _BLOCK_PIXELS or (torch.is_grad_enabled() and colours.requires_grad):
        return convert(colours)
    flat = colours.flatten(-2).unsqueeze(-2)  # (..., C, 1, H*W)
    out = flat.new_empty(*flat.shape[:-3], channels, 1, pixels)
    for start in range(0, pixels, _BLOCK_PIXELS):
        block = slice(start, start + _BLOCK_PIXELS)
        out[..., block] = convert(flat[..., block])
    return out.view(*colours.shape[:-3], channels, *colours.shape[-2:])


def _check_channels(value: Tensor, channels: int, who: str) -> None:
    if value.ndim < 3 or value.shape[-3] != channels:
        raise ValueError(
            f"{who} expects a tensor of shape (..., {channels}, H, W), got {tuple(value.shape)}."
        )
