"""How good are the colours? PSNR, colourfulness, CIEDE2000, KID and the share out of gamut.

How steady they are in a film, warping error and CDC, is measured in flicker.py.

Pictures are (B, 3, H, W) sRGB: uint8, or float 0..1, which is rounded to 8 bits first, so that a
score describes what a viewer's file would hold. PSNR rewards dull colour: always read it beside
the PSNR of the grey picture and the difference in colourfulness.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from colorize_hub.colour.lab import eight_bit, in_gamut, rgb_to_lab
from train.judging.flicker import cdc, warping_error

__all__ = [
    "PSNR_CAP",
    "cdc",
    "ciede2000",
    "colorfulness",
    "delta_e",
    "kid",
    "out_of_gamut",
    "psnr",
    "spread_delta_e",
    "warping_error",
]

PSNR_CAP = 50.0


def psnr(rgb: Tensor, truth: Tensor) -> float:
    """Mean peak signal-to-noise ratio in dB: 10 log10(255^2 / MSE) of each picture, then the mean.

    Each picture is capped at 50 dB: a grey photograph coloured grey would score without bound
    and drag the mean with it.

    Args:
        rgb: (B, 3, H, W) sRGB, uint8 or float 0..1.
        truth: The true pictures, same shape.

    Returns:
        The mean over the B pictures, 0..50 dB.

    Raises:
        ValueError: The shapes or value ranges are not as described.
    """
    _check_pair(rgb, truth)
    error = eight_bit(rgb) - eight_bit(truth)
    mean_square = error.square().mean(dim=(1, 2, 3))
    floor = 255.0**2 / 10 ** (PSNR_CAP / 10)
    return float((10 * torch.log10(255.0**2 / mean_square.clamp(min=floor))).mean())


def colorfulness(rgb: Tensor) -> Tensor:
    """Colourfulness of each picture (Hasler and Suesstrunk 2003, "Measuring colourfulness").

    With rg = R - G and yb = (R + G) / 2 - B on 8-bit values, signed (some published code takes
    absolute values first, which gives other numbers):
    CF = sqrt(sd_rg^2 + sd_yb^2) + 0.3 sqrt(mean_rg^2 + mean_yb^2).

    Args:
        rgb: (B, 3, H, W) sRGB, uint8 or float 0..1.

    Returns:
        (B,) float64; 0 for grey, about 40 for the mean photograph.

    Raises:
        ValueError: The shape or the value range is not as described.
    """
    red, green, blue = eight_bit(rgb).flatten(2).unbind(dim=1)  # each (B, H * W)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    spread = red_green.var(dim=1, correction=0) + yellow_blue.var(dim=1, correction=0)
    offset = red_green.mean(dim=1).square() + yellow_blue.mean(dim=1).square()
    return spread.sqrt() + 0.3 * offset.sqrt()


def delta_e(rgb: Tensor, truth: Tensor) -> float:
    """Mean CIEDE2000 colour difference over all pixels of all pictures.

    Args:
        rgb: (B, 3, H, W) sRGB, uint8 or float 0..1.
        truth: The true pictures, same shape.

    Returns:
        The mean difference; 0 for equal pictures, 1 is about the least that the eye can see.

    Raises:
        ValueError: The shapes or value ranges are not as described.
    """
    return spread_delta_e((rgb, truth))


def spread_delta_e(versions: Sequence[Tensor]) -> float:
    """How much versions of the same pictures differ: mean CIEDE2000 over all pairs of versions.

    Args:
        versions: two or more, each (B, 3, H, W) sRGB, uint8 or float 0..1, of one shape.

    Returns:
        The mean over pairs, pictures and pixels; 0 for equal versions.

    Raises:
        ValueError: there are fewer than two versions, or they are not as described.
    """
    if len(versions) < 2:
        raise ValueError(
            f"spread_delta_e expects two or more versions to compare, got {len(versions)}."
        )
    for version in versions[1:]:
        _check_pair(versions[0], version)
    labs = [rgb_to_lab((eight_bit(version) / 255).float()) for version in versions]
    pairs = [float(ciede2000(*pair).double().mean()) for pair in combinations(labs, 2)]
    return sum(pairs) / len(pairs)


def ciede2000(lab: Tensor, other: Tensor) -> Tensor:
    """CIEDE2000 difference of two CIE Lab pictures, with kL = kC = kH = 1.

    Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula: implementation notes".

    Args:
        lab: (..., 3, H, W), L* 0..100, a* and b*.
        other: Same shape.

    Returns:
        (..., 1, H, W) colour differences.
    """
    (l1, a1, b1), (l2, a2, b2) = lab.split(1, dim=-3), other.split(1, dim=-3)
    mean_chroma = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - _saturation(mean_chroma))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = (torch.atan2(b, a).remainder(2 * math.pi) for a, b in ((a1, b1), (a2, b2)))

    coloured = (c1 * c2) != 0
    turn = _wrap(h2 - h1) * coloured
    hue = torch.where(coloured, h1 + _wrap(h2 - h1) / 2, h1 + h2)  # halfway along the shorter arc

    chroma, lightness = (c1 + c2) / 2, (l1 + l2) / 2
    away_from_mid = (lightness - 50).square()
    scale_l = 1 + 0.015 * away_from_mid / (20 + away_from_mid).sqrt()
    scale_c = 1 + 0.045 * chroma
    scale_h = 1 + 0.015 * chroma * _hue_weight(hue)
    in_l = (l2 - l1) / scale_l
    in_c = (c2 - c1) / scale_c
    in_h = 2 * (c1 * c2).sqrt() * torch.sin(turn / 2) / scale_h
    rotation = 2 * _saturation(chroma) * _blue_rotation(hue)
    square = in_l.square() + in_c.square() + in_h.square() + rotation * in_c * in_h
    return square.clamp(min=0).sqrt()


def kid(features: Tensor, reference: Tensor, *, paired: bool = False) -> float:
    """Kernel inception distance: the unbiased squared MMD with the kernel (x . y / D + 1)^3.

    Binkowski et al. 2018, "Demystifying MMD GANs". Unlike FID it has no bias in the number of
    pictures. It may be slightly negative where the two sets are alike.

    Where row i of both sets shows the same photograph, as in an evaluation against the truth, the
    rows are not independent and the cross term k(x_i, y_i) would bias the estimate down: `paired`
    leaves it out (the U-statistic of Gretton et al. 2012, equation 4), so that equal sets give 0.

    Args:
        features: (N, D) features of the pictures scored, N >= 2.
        reference: (M, D) features of real pictures, M >= 2; M = N if paired.
        paired: Whether row i of both sets belongs to the same photograph.

    Returns:
        The squared distance, not multiplied by 1000 as some tables are.

    Raises:
        ValueError: The shapes are not as described.
    """
    if features.ndim != 2 or reference.ndim != 2 or features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"kid expects features (N, D) and (M, D), got {tuple(features.shape)} and "
            f"{tuple(reference.shape)}; flatten the pooled features of each picture to one row."
        )
    n, m = len(features), len(reference)
    if min(n, m) < 2 or (paired and n != m):
        raise ValueError(
            f"kid expects two or more rows in each set, as many in both if paired, got {n} and {m}."
        )
    x, y = features.double(), reference.double()
    between = _polynomial_kernel(x, y)
    across = _mean_off_diagonal(between) if paired else between.mean()
    within = _mean_off_diagonal(_polynomial_kernel(x, x)) + _mean_off_diagonal(
        _polynomial_kernel(y, y)
    )
    return float(within - 2 * across)


def out_of_gamut(lightness: Tensor, ab: Tensor) -> float:
    """Share of pixels whose colour cannot be shown in sRGB at their lightness.

    Measured on predicted ab before colorize_hub.colour.lab.fit_gamut, which brings the share to 0.

    Args:
        lightness: (B, 1, H, W) L* 0..100.
        ab: (B, 2, H, W) CIE a*b*.

    Returns:
        A share 0..1.
    """
    return 1.0 - float(in_gamut(lightness, ab).double().mean())


def _check_pair(rgb: Tensor, truth: Tensor) -> None:
    if rgb.shape != truth.shape:
        raise ValueError(
            f"expected two batches of one shape, got {tuple(rgb.shape)} and {tuple(truth.shape)}; "
            "resize one to the other first."
        )


def _saturation(chroma: Tensor) -> Tensor:
    """sqrt(C^7 / (C^7 + 25^7)): rises from 0 for greys to 1 for strong colours."""
    ratio = (chroma / 25).pow(7)
    return (ratio / (ratio + 1)).sqrt()


def _wrap(angle: Tensor) -> Tensor:
    """The same angle in -pi..pi, for angles in -2 pi..2 pi."""
    angle = torch.where(angle > math.pi, angle - 2 * math.pi, angle)
    return torch.where(angle < -math.pi, angle + 2 * math.pi, angle)


def _hue_weight(hue: Tensor) -> Tensor:
    """T of the formula: how much a turn of hue counts, by hue."""
    return (
        1
        - 0.17 * torch.cos(hue - math.radians(30))
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + math.radians(6))
        - 0.20 * torch.cos(4 * hue - math.radians(63))
    )


def _blue_rotation(hue: Tensor) -> Tensor:
    """-sin(2 theta) of the formula: chroma and hue differences interact around 275 degrees."""
    degrees = torch.rad2deg(hue).remainder(360)
    theta = math.radians(30) * torch.exp(-((degrees - 275) / 25).square())
    return -torch.sin(2 * theta)


def _polynomial_kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1).pow(3)


def _mean_off_diagonal(kernel: Tensor) -> Tensor:
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
