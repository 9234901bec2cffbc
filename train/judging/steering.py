"""How a model answers to hints and to the working size, on a few pictures."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from colorize_hub.inference.colorizer import Colorizer
from train.judging.hint_curve import HINT_COUNTS, JUDGED_AT, hint_curve
from train.judging.metrics import spread_delta_e
from train.judging.pictures import to_batch

SIZES = (192, 256, 384, 512)
_BATCH = 8


def judge_hints(
    colorizer: Colorizer,
    pictures: Sequence[tuple[int, np.ndarray, np.ndarray]],
    *,
    size: int | None = None,
    vividness: float | None = None,
) -> dict[str, float | int | str]:
    """Return the hint curve, the floor's, and how near the hinted pixels come to their hints.

    Args:
        colorizer: as a user would load it.
        pictures: one or more of: seed of the hints' places; (H, W) uint8 grey; (H, W, 3) truth.
        size: working short side in pixels; None takes the model's.
        vividness: None takes the model's.

    Returns:
        hint_images, hints_N_psnr, hints_N_floor_psnr, hints_10_minus_floor, hints_10_minus_none,
        hint_delta_e and hint_delta_e_grey, as colorize_hub.publish.results describes them.
    """
    curves = [
        hint_curve(colorizer, truth, grey, seed, size=size, vividness=vividness)
        for seed, grey, truth in tqdm(pictures, unit=" pictures with hints")
    ]
    ours = np.mean([curve.psnr for curve in curves], axis=0)
    floor = np.mean([curve.floor_psnr for curve in curves], axis=0)
    found = {}
    for count, our, low in zip(HINT_COUNTS, ours, floor, strict=True):
        found |= {f"hints_{count}_psnr": our, f"hints_{count}_floor_psnr": low}
    few = HINT_COUNTS.index(JUDGED_AT)
    found |= {
        f"hints_{JUDGED_AT}_minus_floor": ours[few] - floor[few],
        f"hints_{JUDGED_AT}_minus_none": ours[few] - ours[0],
        "hint_delta_e": np.mean([curve.delta_e for curve in curves]),
        "hint_delta_e_grey": np.mean([curve.delta_e_grey for curve in curves]),
    }
    rounded = {name: round(float(value), 4) for name, value in found.items()}
    return {"hint_images": len(curves), **rounded}


def judge_sizes(
    colorizer: Colorizer, greys: Sequence[np.ndarray], *, vividness: float | None = None
) -> dict[str, float | int | str]:
    """How much the colours depend on the working size: 192, 256, 384 and 512 pixels.

    Args:
        colorizer: as a user would load it.
        greys: one or more (H, W) uint8 pictures of one size.
        vividness: None takes the model's.

    Returns:
        size_images and size_delta_e, as colorize_hub.publish.results describes them.
    """
    differences = []
    for first in tqdm(range(0, len(greys), _BATCH), unit=f" x {_BATCH} pictures at all sizes"):
        batch = list(greys[first : first + _BATCH])
        versions = [colorizer.colorize(batch, size=size, vividness=vividness) for size in SIZES]
        spread = spread_delta_e([to_batch(map(np.asarray, coloured)) for coloured in versions])
        differences += [spread] * len(batch)
    return {"size_images": len(greys), "size_delta_e": round(float(np.mean(differences)), 4)}
