"""colorize_hub.pictures.icc: pixels of 8 and 16 bits follow the colours that their file names."""

import io
import logging

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize_hub.pictures import icc
from colorize_hub.pictures.boxes import Declared
from colorize_hub.pictures.modes import to_srgb
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
    matrix = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])  # linear, D65
    linear = (COLOURS / 255) ** (563 / 256) @ matrix.T
    expected = 65535 * encode_srgb(linear.clip(0, 1))
    bright = (linear > 0.01).all(axis=2)
    apart = np.abs(to_srgb(DEEP, adobe_rgb()) - expected)[bright]
    assert bright.sum() > 20
    assert apart.max() < 300  # the colorants above are rounded
    assert np.abs(DEEP - expected)[bright].max() > 3000


def by_pillow(pixels, profile, mode="RGB"):
    """What Pillow's own Little CMS makes of 8-bit pixels."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.ImageCmsProfile(io.BytesIO(icc.srgb_profile()))
    flags, intent = ImageCms.Flags.BLACKPOINTCOMPENSATION, ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, target, mode, "RGB", intent, flags)
    return np.asarray(transform.apply(Image.frombytes(mode, pixels.shape[1::-1], pixels.tobytes())))


@pytest.mark.parametrize("kind", range(5))
def test_every_parametric_curve_gives_what_pillow_gives(kind):
    values = [1.8, 0.95, 0.05, 0.0001 if kind == 2 else 0.1, 0.06, 0.01, 0.004]
    values = values[: (1, 3, 4, 5, 7)[kind]]
    fixed = b"".join(round(value * 65536).to_bytes(4, "big") for value in values)
    curve = b"para" + bytes(4) + kind.to_bytes(2, "big") + bytes(2) + fixed
    colorants = {
        "rXYZ": xyz(0.4361, 0.2225, 0.0139),
        "gXYZ": xyz(0.3851, 0.7169, 0.0971),
        "bXYZ": xyz(0.1431, 0.0606, 0.7141),
    }
    one = profile(b"RGB ", wtpt=xyz(*D50), rTRC=curve, gTRC=curve, bTRC=curve, **colorants)
    expected = by_pillow(COLOURS, one).astype(int)
    np.testing.assert_array_equal(to_srgb(COLOURS, one), expected)
    assert np.abs(to_srgb(DEEP, one) / 257 - expected).max() < 2.5  # of 8 bits shortened curves
    assert np.abs(COLOURS - expected).max() > 4


def test_a_profile_of_tables_has_all_bits_too():
    inks = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    expected = by_pillow(inks, cmyk_where_only_black_counts(), "CMYK").astype(int)
    np.testing.assert_array_equal(to_srgb(inks, cmyk_where_only_black_counts()), expected)
    got = to_srgb(inks.astype(np.uint16) * 257, cmyk_where_only_black_counts())
    assert np.abs(got / 257 - expected).max() < 2.5  # of 8 bits a shortened table
    ramp = np.zeros((1, 512, 4), np.uint16)
    ramp[..., 3] = np.arange(30_000, 30_512)
    assert len(np.unique(to_srgb(ramp, cmyk_where_only_black_counts())[..., 1])) > 300


def test_between_the_levels_of_8_bits_nothing_is_lost():
    ramp = np.arange(30_000, 30_512, dtype=np.uint16).reshape(1, -1, 1).repeat(3, axis=2)
    assert len(np.unique(to_srgb(ramp, adobe_rgb())[..., 1])) > 500


def test_srgb_is_left_exactly_as_it_is():
    assert to_srgb(DEEP, icc.srgb_profile()) is DEEP
    close = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert to_srgb(DEEP, close) is DEEP


def test_inks_without_a_profile_give_what_pillow_gives():
    inks = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    expected = np.asarray(Image.frombytes("CMYK", (50, 40), inks.tobytes()).convert("RGB"))
    np.testing.assert_array_equal(to_srgb(inks, None), expected)
    deep = to_srgb(inks.astype(np.uint16) * 257, None)
    assert np.abs(deep / 257 - expected).max() <= 1


@pytest.mark.parametrize(
    "broken",
    [
        b"this is no profile",
        adobe_rgb()[:300],
        profile(b"GRAY", wtpt=xyz(*D50), kTRC=gamma(1.0)),
        cmyk_where_only_black_counts(),
        icc.srgb_profile()[:128] + bytes(400),
    ],
)
def test_an_unusable_profile_is_ignored_with_a_warning(broken, caplog):
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(to_srgb(DEEP, broken), DEEP)
    assert "profile ignored" in caplog.text


@pytest.mark.parametrize("exponent", [1.0, 1.8])
def test_a_power_of_light(exponent):
    ramp = np.linspace(0, 65535, 300).astype(np.uint16).reshape(1, -1, 1)
    profile = icc.profile_of_gamma(1 / exponent)
    expected = 65535 * encode_srgb((ramp / 65535) ** exponent)
    np.testing.assert_allclose(to_srgb(ramp, profile), expected, atol=12)
    np.testing.assert_allclose(to_srgb(ramp.repeat(3, 2), profile)[..., :1], expected, atol=12)


def test_the_usual_power_is_taken_for_srgb_and_nonsense_is_ignored():
    assert icc.profile_of_gamma(0.45455) is None
    assert icc.profile_of_gamma(0.45455, (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)) is None
    assert icc.profile_of_gamma(0.45455, (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06))
    assert icc.profile_of_gamma(0.0) is None
    assert icc.profile_of_gamma(1.0, (0.0,) * 8) is None


@pytest.mark.parametrize(
    ("declared", "linear"),
    [
        ((1, 8), lambda v: v),
        ((1, 4), lambda v: v**2.2),
        # SMPTE ST 2084 at 50, 75 and 100 % of its code: 92.2, 983 and 10,000 cd/m2; white is 203.
        ((1, 16), lambda v: np.interp(v, [0.5, 0.75, 1], [92.2456 / 203, 1, 1])),
    ],
)
def test_colours_that_are_named_by_number(declared, linear):
    levels = np.array([0.5, 0.75, 1.0])
    pixels = np.rint(levels * 65535).astype(np.uint16).reshape(1, 3, 1)
    expected = 65535 * encode_srgb(linear(levels))
    got = to_srgb(pixels, icc.profile_of_numbers(Declared(*declared)))
    np.testing.assert_allclose(got.ravel(), expected, atol=30)


def test_wide_primaries_that_are_named_by_number():
    red = np.array([[[65535 * 0.8, 65535 * 0.3, 65535 * 0.3]]]).astype(np.uint16)
    got = to_srgb(red, icc.profile_of_numbers(Declared(12, 13))) / 65535
    # Display P3 to sRGB in linear light, by the matrices of CSS Color 4.
    linear = ((np.array([0.8, 0.3, 0.3]) + 0.055) / 1.055) ** 2.4
    matrix = [[1.2249, -0.2249, 0], [-0.0421, 1.0421, 0], [-0.0196, -0.0786, 1.0983]]
    np.testing.assert_allclose(got.ravel(), encode_srgb(matrix @ linear), atol=0.002)
    assert icc.profile_of_numbers(Declared(1, 13)) is None
    assert icc.profile_of_numbers(Declared(2, 2)) is None
