"""The colours that a place most likely has: clusters of a predicted distribution."""

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, like, softmax, to_numpy
from colorize_hub.colour.lab import fit_gamut, lab_to_rgb
from colorize_hub.colour.palette import palette

_LEAST_MASS = 0.01  # of the largest cluster's: a smaller one is no suggestion


def suggest_colors(
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
    means, mass = cluster_means(share, centres, k)
    order = np.argsort(-mass, kind="stable")
    order = order[mass[order] >= _LEAST_MASS * mass.max()]
    return means[order].astype(np.float32), mass[order]


def cluster_means(share: Array, centres: Array, k: int) -> tuple[Array, Array]:
    """`clusters` of arrays of one kind: k of them, or as many as there are bins, in any order."""
    xp = array_namespace(share)
    chosen = [xp.argmax(share)]
    while len(chosen) < min(k, centres.shape[0]):
        apart = xp.min(_squared_distance(centres, centres[xp.stack(chosen)]), axis=1)
        chosen.append(xp.argmax(share * apart))
    means = centres[xp.stack(chosen)]
    each, mass = like(np.arange(len(chosen)), share), share
    for _ in range(10):
        nearest = xp.argmin(_squared_distance(centres, means), axis=1)
        member = like(nearest[:, None] == each, share) * share[:, None]  # (Q, K)
        mass = member.sum(0)
        means = member.T @ centres / mass.clip(1e-9, None)[:, None]
    return means, mass


def check_place(x: float, y: float, width: int, height: int, k: int) -> None:
    """Refuse what `Canvas.suggest` cannot answer.

    Raises:
        ValueError: (x, y) lies outside the picture of width x height pixels, or k < 1.
    """
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(f"({x}, {y}) lies outside the picture of {width} x {height} pixels.")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")


def _squared_distance(one: Array, other: Array) -> Array:
    return ((one[:, None] - other) ** 2).sum(-1)
