"""The colours that a place most likely has: clusters of a predicted distribution."""

import numpy as np

from colorize_hub.colour.arrays import Array, softmax, to_numpy
from colorize_hub.colour.lab import fit_gamut, lab_to_rgb
from colorize_hub.colour.palette import palette

_LEAST_MASS = 0.01  # of the largest cluster's: a smaller one is no suggestion


def suggest_colours(
    logits: Array, step: int, lightness: float, k: int
) -> list[tuple[tuple[int, int, int], float]]:
    """Return the k likeliest colours of a pixel: weighted k-means over its distribution.

    Args:
        logits: (Q,) of one place.
        step: grid spacing of the palette.
        lightness: L* of the pixel, so that the colours can be shown there.
        k: how many, 1 or more; fewer come back where the distribution has fewer clusters.

    Returns:
        [((r, g, b) 0..255, share 0..1)], most likely first.
    """
    means, mass = clusters(softmax(to_numpy(logits), 0), palette(step), k)
    ab = means.T[:, None]  # (2, 1, K)
    level = np.full_like(ab[:1], lightness)
    rgb = lab_to_rgb(np.concatenate((level, fit_gamut(level, ab))))
    levels = np.rint(rgb[:, 0].T * 255).astype(int).tolist()
    return [((r, g, b), float(m)) for (r, g, b), m in zip(levels, mass, strict=True)]


def clusters(share: np.ndarray, centres: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Weighted k-means over a distribution.

    Args:
        share: (Q,) of each bin.
        centres: (Q, 2) a*b* of the bins.
        k: clusters wanted; fewer come back where the distribution has fewer.

    Returns:
        (K, 2) a*b* and (K,) share of each, largest first.
    """
    chosen = [int(share.argmax())]
    while len(chosen) < min(k, len(centres)):
        apart = _squared_distance(centres, centres[chosen]).min(1)
        chosen.append(int((share * apart).argmax()))
    means, mass = centres[chosen], share[chosen]
    for _ in range(10):
        nearest = _squared_distance(centres, means).argmin(1)
        member = (nearest[:, None] == np.arange(len(means))) * share[:, None]  # (Q, K)
        mass = member.sum(0)
        means = member.T @ centres / np.maximum(mass, 1e-9)[:, None]
    order = np.argsort(-mass, kind="stable")
    order = order[mass[order] >= _LEAST_MASS * mass.max()]
    return means[order].astype(np.float32), mass[order]


def check_place(x: float, y: float, width: int, height: int, k: int) -> None:
    """Refuse what `Canvas.suggest` cannot answer.

    Raises:
        ValueError: (x, y) lies outside the picture of width x height pixels, or k < 1.
    """
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(f"({x}, {y}) lies outside the picture of {width} x {height} pixels.")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")


def _squared_distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return ((one[:, None] - other) ** 2).sum(-1)
