"""Samples of files to levels."""

import numpy as np
import pytest

from colorize_hub.pictures.samples import to_levels


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_signed_samples_that_do_not_reach_white_say_what_it_is(dtype, caplog):
    white = np.iinfo(dtype).max
    bits = np.dtype(dtype).itemsize * 8
    levels = to_levels(np.array([[0, white // 2, white - 1]], dtype), bits, "scan.tif")
    full = np.iinfo(levels.dtype).max
    expected = np.array([0, white // 2, white - 1]) / white
    np.testing.assert_allclose(levels[0] / full, expected, atol=1 / full)
    assert f"scan.tif holds signed samples: {white} is taken for white" in caplog.text
