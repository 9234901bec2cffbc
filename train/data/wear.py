"""Wear: a clean picture's lightness as an old print, a scan of one or a small file shows it.

The colours to be learned stay those of the clean picture, so the network learns to see through
faded contrast, soft focus, grain and compression. Each happens to half of the worn pictures.
"""

import io

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from train.judging.pictures import to_grey

_DARKEST, _LIGHTEST = 70, 175  # what black and white fade to at most
_GAMMA = 0.35  # of its natural log, either way
_SOFT = 0.012  # radius of the blur, of the side, at most
_GRAIN = 16  # standard deviation, 8-bit levels, at most
_QUALITY = (10, 60)  # of JPEG


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
