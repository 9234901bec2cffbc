"""The palette of one picture carried over to another: mean and spread of ab at each lightness.

After Reinhard and others, "Color Transfer between Images" (2001), but per lightness: a node is L*,
gain of a*, gain of b*, shift of a*, shift of b*, and between nodes lie straight lines.

Arrays are of numpy or torch.
"""

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, like

_NODES = 8  # levels of lightness
_REACH = 5.0  # L* around a level that counts to it
_ONE_IN = 50  # at least one in so many pixels decides at each level: those nearest to it
_MOST_GAIN = 3.0  # colours are stretched at most so far: noise would show
_LEAST_GAIN = 0.1  # that is undone


def matching_nodes(here: Array, there: Array) -> Array:
    """Return what turns the palette of a picture into that of another.

    Args:
        here: (3, N) L*, a*, b* of the picture's pixels, two or more.
        there: (3, M) of the other one's.

    Returns:
        (8, 5) nodes at rising lightness.
    """
    xp = array_namespace(here)
    edges, nodes = _quantiles(here[0]), []
    for at in range(_NODES):
        low, high = edges[at], edges[at + 1]
        level, half = (low + high) / 2, (high - low) / 2
        mean, spread = _moments(here, level, half + 0.5)
        its_mean, its_spread = _moments(there, level, half + _REACH)
        gain = ((its_spread + 1) / (spread + 1)).clip(None, _MOST_GAIN)
        nodes.append(xp.concat((level[None], gain, its_mean - mean * gain)))
    return xp.stack(nodes)


def with_nodes(nodes: Array, lightness: Array, ab: Array) -> Array:
    """Apply (K, 5) nodes to ab (2, n) of pixels with L* (n,); not fitted to the gamut."""
    gain, shift = _at(nodes, lightness)
    return ab * gain + shift


def without_nodes(nodes: Array, lightness: Array, ab: Array) -> Array:
    """Return the (2, n) ab that `with_nodes` turns into these."""
    gain, shift = _at(nodes, lightness)
    return (ab - shift) / gain.clip(_LEAST_GAIN, None)


def _quantiles(values: Array) -> Array:
    """Return the ends of _NODES parts of equally many values."""
    xp, count = array_namespace(values), values.shape[0]
    place = like(np.linspace(0, 1, _NODES + 1), values) * (count - 1)
    below = xp.floor(place)
    low = xp.astype(below, xp.int64)
    high = (low + 1).clip(None, count - 1)
    ordered = xp.sort(values)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - below)


def _moments(lab: Array, level: Array, reach: Array) -> tuple[Array, Array]:
    """(2,) mean and deviation of ab within reach of a lightness, or of the nearest few."""
    xp = array_namespace(lab)
    apart = abs(lab[0] - level)
    few = xp.sort(apart)[lab.shape[1] // _ONE_IN + 1]
    near = xp.astype(apart <= xp.maximum(reach, few), lab.dtype)
    count = near.sum()
    mean = (lab[1:] * near).sum(1) / count
    off = (lab[1:] - mean[:, None]) * near
    return mean, xp.sqrt((off * off).sum(1) / (count - 1))


def _at(nodes: Array, lightness: Array) -> tuple[Array, Array]:
    """Gain and shift, (2, n) each, at L* (n,): a sum of ramps, one between each two nodes."""
    level, values = nodes[:, 0], nodes[:, 1:].T  # (K,), (4, K)
    step = (level[1:] - level[:-1]).clip(1e-6, None)
    ramps = ((lightness - level[:-1, None]) / step[:, None]).clip(0, 1)
    both = values[:, :1] + (values[:, 1:] - values[:, :-1]) @ ramps
    return both[:2], both[2:]
