"""colorize_hub.pictures.icc: 16-bit colour follows its profile, as 8-bit colour does."""

import logging

import numpy as np
import pytest
from PIL import Image

from colorize_hub.pictures import metadata
from colorize_hub.pictures.icc import deep_to_srgb
from tests.pictures.test_metadata import (
    D50,
    adobe_rgb,
    cmyk_where_only_black_counts,
    encode_srgb,
    gamma,
    profile,
    xyz,
)

COLOURS = np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8)
DEEP = COLOURS.astype(np.uint16) * 257


def test_adobe_rgb_becomes_srgb_by_the_formula():
    to_srgb = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])  # linear, D65
    linear = (COLOURS / 255) ** (563 / 256) @ to_srgb.T
    expected = 65535 * encode_srgb(linear.clip(0, 1))
    bright = (linear > 0.01).all(axis=2)
    apart = np.abs(deep_to_srgb(DEEP, adobe_rgb()) - expected)[bright]
    assert bright.sum() > 20
    assert apart.max() < 300  # the colorants above are rounded
    assert np.abs(DEEP - expected)[bright].max() > 3000


@pytest.mark.parametrize("kind", range(5))
def test_every_parametric_curve_gives_what_the_eight_bit_way_gives(kind):
    values = [1.8, 0.95, 0.05, 0.0001 if kind == 2 else 0.1, 0.06, 0.01, 0.004]
    values = values[: (1, 3, 4, 5, 7)[kind]]
    fixed = b"".join(round(value * 65536).to_bytes(4, "big") for value in values)
    curve = b"para" + bytes(4) + kind.to_bytes(2, "big") + bytes(2) + fixed
    colorants = {
        "rXYZ": xyz(0.4361, 0.2225, 0.0139),
        "gXYZ": xyz(0.3851, 0.7169, 0.0971),
        "bXYZ": xyz(0.1431, 0.0606, 0.7141),
    }
    icc = profile(b"RGB ", wtpt=xyz(*D50), rTRC=curve, gTRC=curve, bTRC=curve, **colorants)
    expected = np.asarray(metadata.srgb_converter("RGB", icc)(Image.fromarray(COLOURS))).astype(int)
    got = deep_to_srgb(DEEP, icc) / 257
    lit = COLOURS.min(axis=2) > 40  # black point compensation moves the shadows of odd curves
    assert np.abs(got - expected)[lit].max() < 3
    assert np.abs(COLOURS - expected)[lit].max() > 4


def test_between_the_levels_of_8_bits_nothing_is_lost():
    ramp = np.arange(30_000, 30_512, dtype=np.uint16).reshape(1, -1, 1).repeat(3, axis=2)
    assert len(np.unique(deep_to_srgb(ramp, adobe_rgb())[..., 1])) > 500


def test_srgb_is_left_exactly_as_it_is():
    assert deep_to_srgb(DEEP, metadata.srgb_profile()) is DEEP


@pytest.mark.parametrize(
    "icc",
    [
        b"this is no profile",
        adobe_rgb()[:300],
        profile(b"GRAY", wtpt=xyz(*D50), kTRC=gamma(1.0)),
        cmyk_where_only_black_counts(),
        metadata.srgb_profile()[:128] + bytes(400),
    ],
)
def test_an_unusable_profile_is_ignored_with_a_warning(icc, caplog):
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(deep_to_srgb(DEEP, icc), DEEP)
    assert "profile ignored" in caplog.text
