"""How good are the colours? PSNR, colourfulness, CIEDE2000, KID and the share out of gamut.

How steady they are in a film, warping error and CDC, is measured in flicker.py.

Pictures are (B, 3, H, W) sRGB: uint8, or float 0..1, which is rounded to 8 bits first, so that a
score describes what a viewer's file would hold. PSNR rewards dull colour: always read it beside
the PSNR of the grey picture and the difference in colourfulness.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from skimage.color import deltaE_ciede2000
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from colorize_hub.colour.lab import in_gamut, rgb_to_lab
from train.judging.flicker import cdc, warping_error
from train.judging.pictures import eight_bit

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
    "to_lab",
    "warping_error",
]

PSNR_CAP = 50.0
_BLOCK = 8192  # pixels: what scikit-image makes of them on the way stays in the cache


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
    pairs = zip(eight_bit(truth).numpy(), eight_bit(rgb).numpy(), strict=True)
    with np.errstate(divide="ignore"):  # equal pictures
        each = [peak_signal_noise_ratio(*pair, data_range=255) for pair in pairs]
    return float(np.minimum(each, PSNR_CAP).mean())


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
    labs = [to_lab(version) for version in versions]
    pairs = [float(ciede2000(*pair).double().mean()) for pair in combinations(labs, 2)]
    return sum(pairs) / len(pairs)


def to_lab(rgb: Tensor) -> Tensor:
    """CIE Lab of pictures as a file would hold them: (B, 3, H, W) uint8 or 0..1 to float32."""
    return rgb_to_lab((eight_bit(rgb) / 255).float())


def ciede2000(lab: Tensor, other: Tensor) -> Tensor:
    """CIEDE2000 difference of two CIE Lab pictures, with kL = kC = kH = 1.

    Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula: implementation notes".

    Args:
        lab: (..., 3, H, W), L* 0..100, a* and b*.
        other: Same shape.

    Returns:
        (..., 1, H, W) colour differences, dtype as given.
    """
    flat = [one.movedim(-3, 0).flatten(1).numpy() for one in (lab, other)]
    found = np.empty_like(flat[0][0])
    for start in range(0, len(found), _BLOCK):
        one, two = (part[:, start : start + _BLOCK] for part in flat)
        found[start : start + _BLOCK] = deltaE_ciede2000(one, two, channel_axis=0)
    return torch.from_numpy(found).view(lab.shape[:-3] + lab.shape[-2:]).unsqueeze(-3)


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


def _polynomial_kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1).pow(3)


def _mean_off_diagonal(kernel: Tensor) -> Tensor:
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
