"""colorize_hub.pictures.tiff: palettes, inks, L*a*b* and profiles, in 8 and 16 bits."""

import numpy as np
import pytest

from tests.pictures.test_icc import by_pillow
from tests.pictures.test_metadata import (
    D50,
    adobe_rgb,
    cmyk_where_only_black_counts,
    encode_srgb,
)
from tests.pictures.test_tiff import HEIGHT, LEVELS, RAMP, RGB, WIDTH, read

# D50 to sRGB, adapted by Bradford: brucelindbloom.com/index.html?Eqn_RGB_XYZ_Matrix.html
XYZ_TO_RGB = [
    [3.1338561, -1.6168667, -0.4906146],
    [-0.9787684, 1.9161415, 0.0334540],
    [0.0719453, -0.2289914, 1.4052427],
]


@pytest.mark.parametrize("bits", [8, 16])
def test_palettes(tmp_path, bits):
    steps = np.arange(2**bits)
    colormap = np.stack([steps, steps[::-1], steps // 2]).astype(np.uint16)
    colormap = colormap * (257 if bits == 8 else 1)
    indices = (RAMP >> (16 - bits)).astype(f"u{bits // 8}")
    got = read(tmp_path, indices, photometric="palette", colormap=colormap).pixels
    expected = np.moveaxis(colormap[:, indices], 0, -1)
    np.testing.assert_array_equal(got, expected >> 8 if bits == 8 else expected)


def test_inks_of_16_bits(tmp_path):
    inks = np.dstack([np.zeros_like(RGB), RAMP])
    got = read(tmp_path, inks, photometric="separated").pixels
    np.testing.assert_array_equal(got, np.dstack([65535 - RAMP] * 3))
    profile = cmyk_where_only_black_counts()
    inks = LEVELS // 257
    got = read(tmp_path, inks * 257, photometric="separated", iccprofile=profile).pixels
    expected = by_pillow(inks.astype(np.uint8), profile, "CMYK").astype(int)
    assert np.abs(got / 257 - expected).max() < 2.5  # of 8 bits a shortened table


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_lab(tmp_path, kind, bits):
    lightness, red, yellow = np.meshgrid(range(20, 90, 7), range(-20, 21, 8), range(-20, 21, 8))
    lab = np.stack([lightness, red, yellow], axis=-1).reshape(-1, 36, 3)
    lightest = 255 if bits == 8 else 65535 if kind == "cielab" else 65280
    middle = 2 ** (bits - 1) if kind == "icclab" else 0
    stored = np.empty(lab.shape, f"u{bits // 8}")
    stored[..., 0] = np.rint(lab[..., 0] / 100 * lightest)
    stored[..., 1:] = (lab[..., 1:] * (1 if bits == 8 else 256) + middle) % 2**bits
    got = read(tmp_path, stored, photometric=kind).pixels
    f = (lab[..., :1] + 16) / 116 + np.stack([red / 500, red * 0, -yellow / 200], -1).reshape(
        lab.shape
    )
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * D50
    linear = xyz @ np.transpose(XYZ_TO_RGB)
    inside = ((linear > 0.002) & (linear < 0.98)).all(axis=2)
    assert inside.sum() > 150
    assert got.dtype == stored.dtype
    white = np.iinfo(got.dtype).max
    apart = np.abs(got / white - encode_srgb(linear.clip(0, 1)))[inside]
    assert apart.max() < (0.75 if bits == 8 else 0.15) / 255 + (0.006 if bits == 8 else 0)


@pytest.mark.parametrize("levels", [RAMP, RGB, RGB >> 8], ids=["grey", "rgb", "rgb8"])
def test_a_profile_is_followed(tmp_path, levels):
    values = levels.astype(np.uint8 if levels.max() < 256 else np.uint16)
    kind = "rgb" if values.ndim == 3 else "minisblack"
    got = read(tmp_path, values, photometric=kind, iccprofile=adobe_rgb()).pixels
    white = np.iinfo(got.dtype).max
    coarse = np.broadcast_to(values.reshape(HEIGHT, WIDTH, -1), (HEIGHT, WIDTH, 3))
    expected = by_pillow((coarse // (white // 255)).astype(np.uint8), adobe_rgb())
    assert np.abs(got / (white / 255) - expected[..., : got.shape[2]]).max() < 2
