"""Wear: a clean picture's lightness as an old print, a scan of one or a small file shows it.

The colours to be learned stay those of the clean picture, so the network learns to see through
faded contrast, soft focus, grain and compression. Each happens to half of the worn pictures.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from PIL import Image, ImageFilter
from torch import Tensor

from colorize_hub.colour.lab import lightness_to_grey, rgb_to_lightness
from train.judging.pictures import to_grey

_DARKEST, _LIGHTEST = 70, 175  # what black and white fade to at most
_GAMMA = 0.35  # of its natural log, either way
_SOFT = 0.012  # radius of the blur, of the side, at most
_GRAIN = 16  # standard deviation, 8-bit levels, at most
_QUALITY = (10, 60)  # of JPEG
_BLOCK, _TAPS = 8, 4  # of JPEG, pixels; of a blur, deviations to each side
_LUMINANCE = (  # ITU-T T.81, table K.1
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


def as_seen(rgb: np.ndarray, share: float, random: Generator) -> np.ndarray:
    """Return the grey picture (S, S) uint8 of (S, S, 3) uint8, worn with probability `share`."""
    grey = to_grey(rgb)
    return worn(grey, random) if random.random() < share else grey


def worn(grey: np.ndarray, random: Generator) -> np.ndarray:
    """Return a grey picture (S, S) uint8 that has been through something; same shape."""
    fades, blurs, grains, shrinks = random.random(4) < 0.5
    if fades:
        grey = _faded(grey, random)
    if blurs:
        radius = random.uniform(0, _SOFT) * len(grey)
        grey = np.asarray(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(radius)))
    if grains:
        grey = _grainy(grey, random)
    if shrinks:
        file = io.BytesIO()
        Image.fromarray(grey).save(file, "JPEG", quality=int(random.integers(*_QUALITY)))
        grey = np.asarray(Image.open(file))
    return grey


def _faded(grey: np.ndarray, random: Generator) -> np.ndarray:
    darkest, lightest = random.uniform(0, _DARKEST), random.uniform(_LIGHTEST, 255)
    tone = (np.arange(256) / 255) ** np.exp(random.uniform(-_GAMMA, _GAMMA))
    return (darkest + (lightest - darkest) * tone).round().astype(np.uint8)[grey]


def _grainy(grey: np.ndarray, random: Generator) -> np.ndarray:
    """Film grain is coarser than a pixel as often as not."""
    coarse = int(random.integers(1, 3))
    side = -(-len(grey) // coarse)
    noise = random.normal(0, random.uniform(0, _GRAIN), (side, side))
    noise = noise.repeat(coarse, 0).repeat(coarse, 1)[: len(grey), : len(grey)]
    return (grey + noise).round().clip(0, 255).astype(np.uint8)


class Wear(NamedTuple):
    """What happens to one picture of a batch; as it stands, nothing.

    Attributes:
        darkest, lightest: levels that black and white fade to.
        gamma: of the tone between them.
        blur: its deviation, pixels.
        grain: its deviation, levels.
        coarse: pixels of a grain.
        quality: of JPEG; 100 is none.
    """

    darkest: float = 0
    lightest: float = 255
    gamma: float = 1
    blur: float = 0
    grain: float = 0
    coarse: int = 1
    quality: int = 100


def draw_wear(share: float, size: int, random: Generator) -> Wear:
    """Draw what happens to a picture of this side, as `as_seen` does."""
    wear = Wear()
    if random.random() >= share:
        return wear
    fades, blurs, grains, shrinks = random.random(4) < 0.5
    if fades:
        gamma = float(np.exp(random.uniform(-_GAMMA, _GAMMA)))
        ends = random.uniform(0, _DARKEST), random.uniform(_LIGHTEST, 255)
        wear = wear._replace(darkest=ends[0], lightest=ends[1], gamma=gamma)
    if blurs:
        wear = wear._replace(blur=random.uniform(0, _SOFT) * size)
    if grains:
        wear = wear._replace(grain=random.uniform(0, _GRAIN), coarse=int(random.integers(1, 3)))
    if shrinks:
        wear = wear._replace(quality=int(random.integers(*_QUALITY)))
    return wear


def worn_together(rgb: Tensor, wear: Sequence[Wear], seed: int) -> Tensor:
    """(B, 1, S, S) uint8 grey pictures of (B, 3, S, S) uint8, worn where they lie; S in eights.

    Args:
        rgb: a batch.
        wear: of each.
        seed: of the grain.
    """
    facts = torch.tensor(wear, dtype=torch.float32, device=rgb.device).T[..., None, None, None]
    darkest, lightest, gamma, _, grain, coarse, quality = facts
    grey = lightness_to_grey(rgb_to_lightness(rgb.float() / 255))
    grey = (darkest + (lightest - darkest) * grey**gamma).round()
    grey = _blurred(grey, [one.blur for one in wear]).round()
    random = torch.Generator(rgb.device).manual_seed(seed)
    noise = torch.randn(grey.shape, generator=random, device=rgb.device)
    large = noise[..., ::2, ::2].repeat_interleave(2, 2).repeat_interleave(2, 3)
    grey = (grey + grain * torch.where(coarse > 1, large, noise)).round().clamp(0, 255)
    return torch.where(quality < 100, _compressed(grey, quality), grey).to(torch.uint8)


def _blurred(grey: Tensor, deviations: Sequence[float]) -> Tensor:
    """(B, 1, S, S), each by a Gaussian of its own deviation in pixels; borders are repeated."""
    reach = max(1, int(_TAPS * max(deviations)))
    away = torch.arange(-reach, reach + 1, device=grey.device)
    deviation = torch.tensor(deviations, dtype=torch.float32, device=grey.device)[:, None]
    kernel = torch.exp(-0.5 * (away / deviation.clamp_min(1e-3)) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True))[:, None]  # (B, 1, taps)
    lines, count = grey.transpose(0, 1), len(grey)  # each picture a channel of its own
    for axis, weight in ((2, kernel[..., None]), (3, kernel[:, :, None])):
        pad = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        lines = F.conv2d(F.pad(lines, pad, mode="replicate"), weight, groups=count)
    return lines.transpose(0, 1)


def _compressed(grey: Tensor, quality: Tensor) -> Tensor:
    """(B, 1, S, S) 0..255 as JPEG of this quality, (B, 1, 1, 1) 1..99, leaves it."""
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    steps = torch.tensor(_LUMINANCE, dtype=torch.float32, device=grey.device)
    steps = ((steps.reshape(_BLOCK, _BLOCK) * scale + 50) / 100).floor().clamp(1, 255)
    wave = torch.arange(_BLOCK, device=grey.device, dtype=torch.float32)
    cosine = torch.cos(torch.pi / _BLOCK * wave[:, None] * (wave + 0.5)) / 2
    cosine[0] /= 2**0.5
    blocks = grey.unflatten(3, (-1, _BLOCK)).unflatten(2, (-1, _BLOCK)).movedim(3, 4)
    steps = steps[:, :, None, None]  # (B, 1, 1, 1, 8, 8)
    found = ((cosine @ (blocks - 128) @ cosine.T) / steps).round() * steps
    blocks = cosine.T @ found @ cosine + 128
    return blocks.movedim(4, 3).flatten(4, 5).flatten(2, 3).round().clamp(0, 255)
