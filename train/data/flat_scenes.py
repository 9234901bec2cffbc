"""Scenes in which there is nothing to know: grey cards, walls, asphalt, covered lenses, noise."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from train.judging.pictures import SIDE

_KINDS = 5


def flat_scenes(count: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Make grey pictures of nothing, each kind as often as the others.

    Plain cards under uneven light; light, smooth walls; grain as of asphalt; a covered lens, dark
    and noisy; blurred noise of any size. All with a little sensor noise.

    Args:
        count: how many.
        seed: decides all of them.

    Yields:
        (256, 256, 3) uint8, red, green and blue alike.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        level, grain, noise = _scene(number % _KINDS, rng)
        levels = level + grain + noise * rng.standard_normal((SIDE, SIDE))
        grey = levels.round().clip(0, 255).astype(np.uint8)
        yield np.repeat(grey[:, :, None], 3, axis=2)


def _scene(kind: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Levels of light, what is drawn on them, and the noise."""
    slope = rng.uniform(0, 60)
    if kind == 0:  # card
        return rng.uniform(20, 240) + _light(slope, rng), np.zeros(1), rng.uniform(0, 3)
    if kind == 1:  # wall
        return rng.uniform(120, 230) + _light(slope, rng), _blurred(32, rng, 6), rng.uniform(0, 4)
    if kind == 2:  # asphalt
        grain = _blurred(2, rng, rng.uniform(8, 25)) + _blurred(24, rng, 8)
        return rng.uniform(60, 170) + _light(slope, rng), grain, rng.uniform(2, 10)
    if kind == 3:  # covered lens
        return rng.uniform(0, 40) + _light(slope / 4, rng), np.zeros(1), rng.uniform(1, 12)
    grain = _blurred(int(rng.choice((1, 4, 16, 64))), rng, rng.uniform(10, 60))
    return rng.uniform(60, 190) + _light(slope, rng), grain, rng.uniform(0, 3)


def _light(slope: float, rng: np.random.Generator) -> np.ndarray:
    """Uneven light: a slope in any direction, and a corner that falls off."""
    angle = rng.uniform(0, 2 * np.pi)
    place = np.linspace(-0.5, 0.5, SIDE)
    down, across = np.meshgrid(place, place, indexing="ij")
    tilted = np.cos(angle) * across + np.sin(angle) * down
    return slope * tilted - rng.uniform(0, 40) * (across**2 + down**2)


def _blurred(scale: int, rng: np.random.Generator, spread: float) -> np.ndarray:
    """Noise whose grains are about `scale` pixels wide, of that standard deviation."""
    side = max(2, SIDE // scale)
    coarse = Image.fromarray(rng.standard_normal((side, side)).astype(np.float32))
    fine = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return fine * (spread / fine.std())
