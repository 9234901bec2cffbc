"""How strong the colours of a picture may be: near grey where the network knows nothing.

Where there is nothing to recognise, a plain wall, asphalt, a covered lens, the decoder's last maps
are nearly the same everywhere, and the colour that is decoded from them is chance. So a logistic
function of how much each map varies over the picture says how far its colours count. It is fitted
to photographs and to scenes of nothing by `python -m train.strength`.
"""

from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, like

_FARTHEST = 20.0  # from 0, of a logit: strength stays above 0, so that it can be divided by
_LEAST_SPREAD = 0.02  # so that the logarithm is finite where a map is the same everywhere


def log_spread(maps: Array) -> Array:
    """(B, C) logarithm of the standard deviation over the places of (B, C, h, w)."""
    xp = array_namespace(maps)
    centred = maps - xp.mean(maps, axis=(2, 3), keepdims=True)
    return xp.log(xp.sqrt(xp.mean(centred * centred, axis=(2, 3))) + _LEAST_SPREAD)


def strength(maps: Array, coefficients: Sequence[float]) -> Array:
    """How strong the colours of each picture may be.

    Args:
        maps: (B, C, h, w), the decoder's last map.
        coefficients: one for each map, and one that is added; none where the model has not learned
            this.

    Returns:
        (B, 1, 1, 1) factor on a*b*, 0..1; 1 without coefficients.
    """
    xp = array_namespace(maps)
    if not coefficients:
        return xp.ones_like(maps[:, :1, :1, :1])
    weights = like(np.array(coefficients, np.float64), maps)
    logit = (log_spread(maps) @ weights[:-1] + weights[-1]).clip(-_FARTHEST, _FARTHEST)
    return (1 / (1 + xp.exp(-logit)))[:, None, None, None]
