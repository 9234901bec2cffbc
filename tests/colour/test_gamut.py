"""The surface of sRGB is found where linear RGB leaves 0..1, from any distance and direction."""

import numpy as np
import pytest

from colorize_hub.colour.cie import (
    CUBE_ROOT_FROM,
    LINE_OFFSET,
    LINE_SLOPE,
    RGB_OF_XYZN,
    XYZN_OF_RGB,
    inverse_cie_curve,
)
from colorize_hub.colour.gamut import fitted
from colorize_hub.colour.lab import fit_gamut
from tests.colour.rounding import LIGHT


def linear_rgb(f_y, slopes):
    f = np.stack((f_y + slopes[0], f_y, f_y + slopes[1])).astype(np.float32)
    return RGB_OF_XYZN @ inverse_cie_curve(f)


def cie_f(rgb):
    xyz = XYZN_OF_RGB.astype(float) @ rgb
    return np.where(xyz > CUBE_ROOT_FROM, np.cbrt(xyz), LINE_SLOPE * xyz + LINE_OFFSET)


def excess(rgb):
    return (np.abs(rgb - 0.5) - 0.5).max(0)


def rays(lightness, chroma, count=4000):
    rng = np.random.default_rng(0)
    hue = rng.uniform(0, 2 * np.pi, count)
    f_y = (rng.uniform(*lightness, count) + 16) / 116
    slopes = chroma * np.stack((np.cos(hue) / 500, -np.sin(hue) / 200))
    return f_y.astype(np.float32), slopes.astype(np.float32)


@pytest.mark.parametrize("lightness", [(0, 100), (0, 8), (92, 99.9)], ids=["all", "dark", "bright"])
@pytest.mark.parametrize("chroma", [40, 150, 1e3, 1e6])
@pytest.mark.parametrize("close", [0, 1e-5])
def test_colours_are_brought_onto_the_surface(lightness, chroma, close):
    f_y, slopes = rays(lightness, chroma)
    outside = excess(linear_rgb(f_y, slopes)) > 1e-3
    assert outside.any()
    rgb = fitted(f_y, slopes, close)
    left = excess(rgb)
    assert left.max() < 1.1e-4
    assert np.abs(left[outside]).max() < 1.1e-4
    assert np.mean(np.abs(left[outside]) < 1e-5) > 0.99


@pytest.mark.parametrize("chroma", [20, 150, 1e3])
def test_the_fast_way_finds_what_bracketing_finds(chroma):
    f_y, slopes = rays((1, 99), chroma)
    lightness, ab = (116 * f_y - 16)[None, None], (slopes * [[500], [-200]])[:, None]
    plain = fit_gamut(lightness, ab.astype(np.float32))[:, 0] / [[500], [-200]]
    expected = linear_rgb(f_y, plain.astype(np.float32))
    assert np.abs(fitted(f_y, slopes) - expected).max() < 1.3e-3  # what bracketing leaves


@pytest.mark.parametrize("chroma", [40, 150, 1e3])
def test_lightness_and_hue_stay(chroma):
    f_y, slopes = rays((5, 95), chroma)
    f = cie_f(fitted(f_y, slopes))
    np.testing.assert_allclose(f[1], f_y, atol=1e-4)
    reached, wanted = f[::2] - f[1], slopes / np.hypot(*slopes)
    length = (reached * wanted).sum(0)
    assert (length > 0).all()
    np.testing.assert_allclose(reached, length * wanted, atol=2e-4)


def test_colours_inside_stay_as_they_are():
    f_y, slopes = rays((20, 90), 5)
    expected = linear_rgb(f_y, slopes)
    assert (excess(expected) < 0).all()
    np.testing.assert_allclose(fitted(f_y, slopes), expected, atol=LIGHT)


def test_a_ray_that_leaves_and_enters_again_ends_where_it_leaves():
    """Bright yellow: farther out along this ray there are colours of sRGB once more."""
    f_y = np.full(1, (97.456 + 16) / 116, np.float32)
    slopes = np.array([[-10.0786 / 500], [-38.9898 / 200]], np.float32)
    assert excess(linear_rgb(f_y, slopes)) > 5e-3
    rgb = fitted(f_y, slopes)
    assert abs(excess(rgb)[0]) < 1.1e-4
    reached = cie_f(rgb)
    assert 0 < (reached[0] - reached[1])[0] / slopes[0, 0] < 1


def test_black_and_white_have_no_colour():
    f_y = np.array([16 / 116, 1], np.float32)
    slopes = np.array([[0.2, -0.2], [0.3, 0.3]], np.float32)
    assert fitted(f_y, slopes) == pytest.approx(np.array([[0, 1]] * 3), abs=2e-4)
