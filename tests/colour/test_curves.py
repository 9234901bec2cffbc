"""The curves of sRGB and CIE: those of scikit-image, on arrays of both kinds, and in place."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2xyz, xyz2rgb

from colorize_hub.colour import lightness, strips
from colorize_hub.colour.cie import LINE_OFFSET, cie_curve, inverse_cie_curve
from colorize_hub.colour.srgb import decode_srgb, encode_srgb, encoded
from tests.colour.rounding import UNIT

LEVELS = np.linspace(0, 1, 65536, dtype=np.float32)
CURVES = (decode_srgb, encode_srgb, cie_curve, inverse_cie_curve)


@pytest.mark.parametrize("curve", CURVES)
def test_arrays_and_tensors_give_the_same(curve):
    of_array, of_tensor = curve(LEVELS), curve(torch.from_numpy(LEVELS))
    assert of_array.dtype == np.float32
    np.testing.assert_allclose(of_array, of_tensor.numpy(), atol=40 * UNIT, rtol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sr_gb_is_that_of_scikit_image(dtype):
    grey = np.repeat(LEVELS[:, None], 3, 1).astype(np.float64)
    linear = decode_srgb(LEVELS.astype(dtype))
    np.testing.assert_allclose(linear, rgb2xyz(grey)[:, 1], atol=2e-6)  # Y of grey is its light
    np.testing.assert_allclose(encode_srgb(linear), LEVELS, atol=2e-6)
    np.testing.assert_allclose(xyz2rgb(rgb2xyz(grey))[:, 1], LEVELS, atol=1e-6)


def test_the_cie_curve_and_its_inverse():
    f = cie_curve(LEVELS.astype(np.float64))
    np.testing.assert_allclose(f[600:], np.cbrt(LEVELS[600:]), atol=1e-6)
    assert f[0] == pytest.approx(LINE_OFFSET, abs=1e-4)
    np.testing.assert_allclose(inverse_cie_curve(f), LEVELS, atol=1e-6)


def test_what_works_in_place_gives_the_same():
    in_place = LEVELS.copy()
    lightness._cie_curve(in_place)
    np.testing.assert_allclose(in_place, cie_curve(LEVELS), atol=40 * UNIT, rtol=0)
    found, spare = np.empty((2, *LEVELS.shape), np.float32)
    for f in (LEVELS * 2 - 0.5, LEVELS + 0.3):  # some dark, and none
        strips._inverse_cie_curve(f, found, spare)
        np.testing.assert_allclose(found, inverse_cie_curve(f), atol=40 * UNIT, rtol=0)
    levels = encoded(LEVELS.copy()) - np.float32(0.5)  # it is cut, not rounded
    np.testing.assert_allclose(levels / 65535, encode_srgb(LEVELS), atol=40 * UNIT, rtol=0)
