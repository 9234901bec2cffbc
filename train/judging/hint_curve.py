"""How far do hints carry? PSNR against the number of hints, beside a floor that learned nothing.

A hint tells the true colour of a patch of 6 x 6 pixels at a random place, as a person with the
original beside them would give it. The floor spreads the same hints by nearness in place and
lightness alone: a model that does not beat it has learned nothing about where colours belong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from colorize_hub.engines.compose import color_lightness, pixels_to_lightness
from colorize_hub.hints.hint import Hint, hint_ab
from colorize_hub.inference.colorizer import Colorizer
from train.judging.metrics import ciede2000, psnr
from train.judging.pictures import to_batch

HINT_COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)
PATCH = 6
RADIUS = 3.0  # the disc inside the patch: the hint claims no pixel that it was not measured on
JUDGED_AT = 10  # hints in the picture whose colours are compared with its hints

# The floor's bandwidths, chosen once for it to be strong: see `floor_ab`.
_REACH = 160.0
_REACH_FALLS = 0.45
_LIGHTNESS_REACH = 10.0
_GREY_WEIGHT = 0.05


@dataclass(frozen=True)
class HintCurve:
    """What hints did to one picture.

    Attributes:
        psnr: dB with 0, 1, 2, 5, 10, 20, 50 and 100 hints (HINT_COUNTS).
        floor_psnr: dB of the floor with the same hints; without hints it is the grey picture.
        delta_e: mean CIEDE2000 between the picture with 10 hints and its hints, at their places.
        delta_e_grey: the same for the grey picture.
    """

    psnr: tuple[float, ...]
    floor_psnr: tuple[float, ...]
    delta_e: float
    delta_e_grey: float


def hint_curve(
    colorizer: Colorizer,
    truth: np.ndarray,
    grey: np.ndarray,
    seed: int,
    *,
    size: int | None = None,
    vividness: float | None = None,
) -> HintCurve:
    """Colour a picture with more and more of its true colours given as hints.

    Args:
        colorizer: used as a person would use it, by way of Canvas.render.
        truth: (H, W, 3) uint8 sRGB.
        grey: (H, W) uint8, the same picture by its lightness.
        seed: decides the places of the hints; take another for each picture.
        size: working short side in pixels; None takes the model's.
        vividness: 0..1; None takes the model's.
    """
    hints = true_hints(truth, HINT_COUNTS[-1], seed)
    canvas = colorizer.canvas(grey, size)
    ours = {n: np.asarray(canvas.render(hints[:n], vividness)) for n in HINT_COUNTS}
    floors = {n: floor_picture(grey, hints[:n]) for n in HINT_COUNTS}
    grey_rgb = np.repeat(grey[:, :, None], 3, axis=2)
    few = hints[:JUDGED_AT]
    return HintCurve(
        psnr=tuple(psnr(to_batch([ours[n]]), to_batch([truth])) for n in HINT_COUNTS),
        floor_psnr=tuple(psnr(to_batch([floors[n]]), to_batch([truth])) for n in HINT_COUNTS),
        delta_e=hint_delta_e(ours[JUDGED_AT], grey, few),
        delta_e_grey=hint_delta_e(grey_rgb, grey, few),
    )


def true_hints(truth: np.ndarray, count: int, seed: int) -> list[Hint]:
    """Return the mean a*b* of 6 x 6 patches at uniform random places.

    The colour is given as a colour picker would give it: 8-bit sRGB at the patch's mean lightness.
    Nested: the first k of the hints are those that a count of k gives.

    Args:
        truth: (H, W, 3) uint8 sRGB, 6 pixels or more each way.
        count: of hints.
        seed: decides the places.

    Returns:
        Hints at the middle of each patch, with a radius of 3 pixels: the disc inside the patch.

    Raises:
        ValueError: the picture is smaller than a patch.
    """
    height, width = truth.shape[:2]
    if min(height, width) < PATCH:
        raise ValueError(
            f"true_hints expects a picture of {PATCH} x {PATCH} pixels or more, got {width} x "
            f"{height}; hints on so small a picture measure nothing."
        )
    places = np.random.default_rng(seed).random((count, 2))
    tops, lefts = (places * (height - PATCH + 1, width - PATCH + 1)).astype(int).T
    return patch_hints(truth, tops.tolist(), lefts.tolist())


def patch_hints(truth: np.ndarray, tops: Sequence[int], lefts: Sequence[int]) -> list[Hint]:
    """Return hints at the middles of 6 x 6 patches, with their mean a*b*; see `true_hints`."""
    lab = F.avg_pool2d(rgb_to_lab(to_batch([truth]).float() / 255), PATCH, stride=1)
    lab = lab[0][:, tops, lefts][:, None]  # (3, 1, N)
    rgb = lab_to_rgb(torch.cat((lab[:1], fit_gamut(lab[:1], lab[1:]))))
    levels = (rgb[:, 0].T * 255).round().int().tolist()
    return [
        Hint(float(left + PATCH // 2), float(top + PATCH // 2), (red, green, blue), RADIUS)
        for top, left, (red, green, blue) in zip(tops, lefts, levels, strict=True)
    ]


def floor_ab(lightness: Tensor, hints: Sequence[Hint]) -> Tensor:
    """Kernel regression of hints in x, y and L*, fading to grey: colour without any learning.

    ab(p) = sum_i w_i ab_i / (sum_i w_i + g), with Gaussian weights
    w_i = exp(-|p - p_i|^2 / 2 r^2 - (L(p) - L_i)^2 / 2 l^2) and L_i the mean of the patch. The
    reach r is 160 / n^0.45 pixels of a 256-pixel picture for n hints, l is 10 units of L* and g,
    the weight of grey, is 0.05. These were chosen once, for the best mean PSNR over 1 to 100
    hints on 120 photographs of training sources, none of an evaluation set; at no count were the
    best bandwidths for that count alone more than 0.2 dB better.

    Args:
        lightness: (1, H, W), L* 0..100.
        hints: their a* and b* count; radius does not.

    Returns:
        (2, H, W) a*b*; 0 everywhere without hints.
    """
    _, height, width = lightness.shape
    if not hints:
        return torch.zeros(2, height, width)
    ab = torch.from_numpy(hint_ab(hints))  # (N, 2)
    reach = _REACH * min(height, width) / 256 / len(hints) ** _REACH_FALLS
    x = torch.tensor([hint.x for hint in hints])[:, None]
    y = torch.tensor([hint.y for hint in hints])[:, None]
    down = torch.exp(-(((torch.arange(height) + 0.5 - y) / reach) ** 2) / 2)  # (N, H)
    across = torch.exp(-(((torch.arange(width) + 0.5 - x) / reach) ** 2) / 2)  # (N, W)
    around = (lightness - _lightness_at(lightness, hints)[:, None, None]) / _LIGHTNESS_REACH
    weight = torch.exp(-(around**2) / 2) * down[:, :, None] * across[:, None]  # (N, H, W)
    return torch.einsum("nhw,nc->chw", weight, ab) / (weight.sum(0) + _GREY_WEIGHT)


def floor_picture(grey: np.ndarray, hints: Sequence[Hint]) -> np.ndarray:
    """Return the picture that `floor_ab` gives: (H, W) uint8 to (H, W, 3) uint8, L* kept."""
    lightness = pixels_to_lightness(grey[:, :, None])
    ab = floor_ab(torch.from_numpy(lightness), hints).numpy()
    return color_lightness(lightness, ab, np.dtype(np.uint8))


def hint_delta_e(rgb: np.ndarray, grey: np.ndarray, hints: Sequence[Hint]) -> float:
    """Mean CIEDE2000 between a picture and its hints, at the pixels where they were set.

    A hint asks for its a* and b* at the picture's own lightness, as far as sRGB can show them.
    Hints of which a later one covers a part are left out.

    Args:
        rgb: (H, W, 3) uint8, the picture coloured with these hints.
        grey: (H, W) uint8, the same picture by its lightness.
        hints: one or more.
    """
    kept = [hint for i, hint in enumerate(hints) if not _covered(hint, hints[i + 1 :])]
    rows, columns = [int(hint.y) for hint in kept], [int(hint.x) for hint in kept]
    lightness = pixels_to_lightness(grey[:, :, None])[:, rows, columns][:, None]  # (1, 1, N)
    ab = fit_gamut(lightness, hint_ab(kept).T[:, None])
    wanted = torch.from_numpy(np.concatenate((lightness, ab)))
    got = rgb_to_lab(torch.from_numpy(rgb[rows, columns].T.copy())[:, None].float() / 255)
    return float(ciede2000(got, wanted).mean())


def _covered(hint: Hint, later: Sequence[Hint]) -> bool:
    return any(max(abs(hint.x - one.x), abs(hint.y - one.y)) < PATCH for one in later)


def _lightness_at(lightness: Tensor, hints: Sequence[Hint]) -> Tensor:
    """(N,) mean L* of the patch around each hint, which is moved inside where it sticks out."""
    patches = F.avg_pool2d(lightness[None], PATCH, stride=1)[0, 0]
    last_row, last_column = (side - 1 for side in patches.shape)
    rows = [min(max(int(hint.y) - PATCH // 2, 0), last_row) for hint in hints]
    columns = [min(max(int(hint.x) - PATCH // 2, 0), last_column) for hint in hints]
    return patches[rows, columns]
