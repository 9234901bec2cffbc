"""The ab palette: colours as a distribution over a grid of a*b* bins.

After Zhang, Isola and Efros, "Colorful Image Colorization" (2016): a pixel's chroma is classified
among bins on a regular grid over the part of the a*b* plane that sRGB can show. Targets are
soft-assigned to their four neighbours with bilinear weights, which keeps the mean exact; decoding
is the expectation at a temperature ("annealed mean").
"""

import math
from functools import cache

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, softmax, table
from colorize_hub.colour.lab import rgb_to_lab

GRID_REACH = 120  # the palette never extends beyond +-120 in a* or b*


@cache
def palette(step: int) -> np.ndarray:
    """Bin centres: every grid corner of a cell that holds a colour of sRGB; (Q, 2) a*, b*.

    So any colour of sRGB lies between four bins of the palette. The default step of 10 gives
    Zhang's grid with the rim filled in. The order is fixed: a* outer, b* inner, ascending.
    """
    side = 2 * (GRID_REACH // step) + 1
    level = np.linspace(0, 1, 65, dtype=np.float32)
    cube = np.stack(np.meshgrid(level, level, level, indexing="ij")).reshape(3, 1, -1)
    cell = np.floor(rgb_to_lab(cube)[1:, 0] / step).astype(int) + side // 2  # (2, 65^3)
    used = np.zeros((side, side), bool)
    for da in (0, 1):
        for db in (0, 1):
            used[cell[0] + da, cell[1] + db] = True
    return ((np.argwhere(used) - side // 2) * step).astype(np.float32)


def temperature(vividness: Array) -> Array:
    """Softmax temperature for a vividness () 0..1: 1 up to 0.5, then down to 0.25.

    0.5 decodes the mean of the distribution as it was learned; towards 1 the likeliest bins win.
    Below 0.5 the mean's chroma fades instead (see `fading`): a temperature above 1 would pull all
    colours to the mean of the palette, which is a tint, not grey.
    """
    return 4.0 ** (1 - 2 * vividness).clip(None, 0)


def fading(vividness: Array) -> Array:
    """Factor on chroma for a vividness 0..1: from a quarter at 0 to 1 at 0.5 and above."""
    return (0.25 + 1.5 * vividness).clip(None, 1)


def decode_bins(logits: Array, step: int, vividness: float, chroma_scale: float = 1.0) -> Array:
    """Return expected ab of the distribution at a temperature.

    Args:
        logits: (B, Q, H, W), Q = len(palette(step)).
        step: grid spacing of the palette.
        vividness: 0..1, see `temperature` and `fading`.
        chroma_scale: factor on the result.

    Returns:
        (B, 2, H, W) a*b*, float32.

    Raises:
        ValueError: vividness outside 0..1 or not a number.
    """
    if not 0 <= vividness <= 1:
        raise ValueError(f"vividness must be 0..1, got {vividness}.")
    xp = array_namespace(logits)
    logits = xp.astype(logits, xp.float32, copy=False)
    centres = table(palette(step), logits)
    return mean_colors(logits, centres, np.float32(vividness), chroma_scale)


def mean_colors(logits: Array, centres: Array, vividness: Array, chroma_scale: Array) -> Array:
    """`decode_bins` with all as arrays of one kind, or numbers of float32."""
    # Channels last, as the network leaves them: there softmax is five times as fast.
    last = array_namespace(logits).permute_dims(logits, (0, 2, 3, 1)) / temperature(vividness)
    mean = softmax(last, -1) @ (centres * (chroma_scale * fading(vividness)))
    return array_namespace(mean).permute_dims(mean, (0, 3, 1, 2))


def certainty(logits: Array) -> Array:
    """(Q, h, w) logits to (h, w), 0 (any bin) to 1 (one bin): 1 minus entropy over the largest."""
    share = softmax(logits, 0)
    entropy = -(share * array_namespace(share).log(share.clip(1e-30, None))).sum(0)
    return (1 - entropy / math.log(logits.shape[0])).clip(0, 1)
