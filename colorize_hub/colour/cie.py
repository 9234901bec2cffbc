"""Constants of sRGB and CIE L*a*b* (D65, 2 degree observer), without torch.

They are those of scikit-image (CIE 15:2004; IEC 61966-2-1 for the encoding). lab.py computes with
them on tensors, gamut.py and strips.py on the pixels of whole photographs.
"""

import numpy as np

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
