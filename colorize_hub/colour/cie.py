"""CIE L*a*b* (D65, 2 degree observer): its constants, and the curve between light and L*.

Constants are those of scikit-image (CIE 15:2004). Light is XYZ relative to white; f is what the
curve makes of it: L* = 116 f_Y - 16, a* = 500 (f_X - f_Y), b* = 200 (f_Y - f_Z).
"""

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array

_XYZ_OF_RGB = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])

# One matrix each way between linear RGB and XYZ relative to white, so that white is (1, 1, 1).
XYZN_OF_RGB = (_XYZ_OF_RGB / _WHITE[:, None]).astype(np.float32)
RGB_OF_XYZN = (np.linalg.inv(_XYZ_OF_RGB) * _WHITE).astype(np.float32)

CUBE_ROOT_FROM = 0.008856  # below this the CIE curve is a straight line, so its slope is finite
LINE_SLOPE, LINE_OFFSET = 7.787, 16 / 116
INVERSE_FROM = LINE_SLOPE * CUBE_ROOT_FROM + LINE_OFFSET

# The published 6-digit matrix and white differ by 8e-5 at white; colours this near are inside.
GAMUT_TOLERANCE = 2e-4


def cie_curve(light: Array) -> Array:
    """X, Y or Z relative to white to its f: the cube root, and near black a line."""
    root = power(light.clip(CUBE_ROOT_FROM, None), 1 / 3)
    return line_and_curve(light, CUBE_ROOT_FROM, LINE_SLOPE, root)


def inverse_cie_curve(f: Array) -> Array:
    """X, Y or Z relative to white of its f."""
    above = f.clip(INVERSE_FROM, None)
    return line_and_curve(f, INVERSE_FROM, 1 / LINE_SLOPE, above * above * above)


def line_and_curve(
    values: Array, threshold: float, slope: float, curve: Array, offset: float = 0.0
) -> Array:
    """Join a line up to a threshold and a curve: both given clamped, their sum is both.

    curve + offset + slope * (min(value, threshold) - threshold): no branch, finite gradients, and
    several times faster than a choice for each value.
    """
    return curve + (slope * values.clip(None, threshold) + (offset - slope * threshold))


def power(base: Array, exponent: float) -> Array:
    """Return base ** exponent for base > 0: faster than the power of numpy or torch, to 1e-6."""
    xp = array_namespace(base)
    return xp.exp(xp.log(base) * exponent)
