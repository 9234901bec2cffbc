"""Luminance is exact whatever the colours, and strips give the pixels of the whole picture."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize_hub.colour import lightness as reading
from colorize_hub.colour import strips
from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, lightness_to_grey, rgb_to_lightness
from colorize_hub.colour.resizing import bicubic
from colorize_hub.engines import compose
from colorize_hub.engines.compose import Original, recolor, recolor_pixels
from colorize_hub.hints.hint import Hint, hint_ab
from tests.scenes import lightness_of

DEPTHS = (np.uint8, np.uint16)


def grey_levels(pixels):
    """The 8-bit grey of each pixel's luminance, by the conversions alone: (H, W)."""
    rgb = torch.from_numpy(pixels / np.iinfo(pixels.dtype).max).float().movedim(-1, 0)
    grey = lightness_to_grey(rgb_to_lightness(rgb.expand(3, -1, -1)))
    return (grey * 255).round().int()[0].numpy()


def photo(seed, height, width, channels, dtype):
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def chroma(seed, rows, columns, reach):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.uniform(-reach, reach, (2, rows, columns))).float()


def recolour(pixels, ab):
    return recolor_pixels(pixels, ab.numpy())


def most_difference(one, other):
    return np.abs(one.astype(int) - other.astype(int)).max()


# --- luminance -------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    small=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    channels=st.sampled_from((1, 3)),
    dtype=st.sampled_from(DEPTHS),
    reach=st.sampled_from((0, 5, 40, 128, 500, 1e5)),
    seed=st.integers(0, 2**32 - 1),
)
def test_luminance_is_exact(size, small, channels, dtype, reach, seed):
    pixels = photo(seed, *size, channels, dtype)
    coloured = recolour(pixels, chroma(seed + 1, *small, reach))
    assert (coloured.shape, coloured.dtype) == ((*size, 3), dtype)
    assert most_difference(grey_levels(coloured), grey_levels(pixels)) <= 1


@pytest.mark.parametrize("dtype", DEPTHS)
def test_luminance_is_exact_for_every_grey_in_every_colour(dtype):
    levels = np.arange(256, dtype=dtype) * (np.iinfo(dtype).max // 255)
    hue, radius = torch.meshgrid(
        torch.linspace(0, 2 * torch.pi, 72), torch.tensor([3.0, 15, 40, 80, 200]), indexing="ij"
    )
    ab = torch.stack((radius * hue.cos(), radius * hue.sin())).reshape(2, 1, -1)
    pixels = np.repeat(levels[:, None, None], ab.shape[2], axis=1)
    coloured = recolour(pixels, ab.expand(-1, 256, -1))
    assert most_difference(grey_levels(coloured), grey_levels(pixels)) <= 1


@pytest.mark.parametrize("dtype", DEPTHS)
def test_without_chroma_every_grey_stays_itself(dtype):
    pixels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 256, 1)
    coloured = recolour(pixels, torch.zeros(2, 1, 1))
    slack = 0 if dtype == np.uint8 else 2  # the 6-digit matrix makes grey very slightly warm
    assert most_difference(coloured, pixels.repeat(3, axis=2)) <= slack


def test_hue_stays_where_chroma_must_shrink():
    grey = np.full((1, 1, 1), 30, np.uint8)
    red, green, blue = recolour(grey, torch.tensor([300.0, 0.0])[:, None, None])[0, 0].astype(int)
    assert red > 50
    assert green < 15  # clipping each channel would have turned it to pink or orange
    assert 10 < blue < red


# --- hints -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DEPTHS)
def test_hinted_pixels_have_the_colour_of_the_hint_and_no_others_change(dtype):
    pixels, ab = photo(0, 400, 300, 1, dtype), chroma(1, 16, 24, 30)
    lightness = lightness_of(pixels)
    hints = [Hint(20, 30, (200, 30, 40)), Hint(150.5, 390.5, (30, 60, 200), 12)]
    plain, hinted = recolour(pixels, ab), recolor_pixels(pixels, ab.numpy(), hints)
    y, x = np.mgrid[:400, :300] + 0.5
    discs = [(y.astype(int) == 30) & (x.astype(int) == 20), np.hypot(y - 390.5, x - 150.5) < 12]
    for disc, colour in zip(discs, torch.from_numpy(hint_ab(hints)), strict=True):
        there = lightness[:, disc][:, None]  # (1, 1, n)
        fitted = fit_gamut(there, colour[:, None, None].expand(2, 1, there.shape[2]))
        rgb = lab_to_rgb(torch.cat((there, fitted)))[:, 0].T * np.iinfo(dtype).max
        assert most_difference(hinted[disc], rgb.round().numpy()) <= 1
    far = np.hypot(y - 390.5, x - 150.5) > 14
    far[30, 20] = False
    np.testing.assert_array_equal(hinted[far], plain[far])


# --- pixels to lightness ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DEPTHS)
def test_lightness_of_grey_is_that_of_equal_channels(dtype):
    grey = photo(0, 40, 50, 1, dtype)
    colour = np.repeat(grey, 3, axis=2)
    lightness = lightness_of(grey)
    assert (lightness.shape, lightness.dtype) == ((1, 40, 50), torch.float32)
    torch.testing.assert_close(lightness, lightness_of(colour), atol=1e-3, rtol=0)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_greys_are_the_same_to_the_last_bit_where_others_have_colour(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    pixels = np.stack([levels] * 3, -1)[None]
    coloured = pixels.copy()
    coloured[0, -1] = 0, 0, 9  # seen by who looks at every pixel
    alone, among = lightness_of(pixels), lightness_of(coloured)
    assert torch.equal(alone[..., :-1], among[..., :-1])
    assert alone[0, 0, -1] != among[0, 0, -1]


@pytest.mark.parametrize("dtype", DEPTHS)
def test_lightness_of_black_white_and_the_middle(dtype):
    most = np.iinfo(dtype).max
    pixels = np.array([0, most, round(most * 118.9 / 255)], dtype).reshape(1, 3, 1)
    expected = torch.tensor([[[0.0, 100.0, 50.0]]])
    torch.testing.assert_close(lightness_of(pixels), expected, atol=0.05, rtol=0)


# --- strips and resizing ---------------------------------------------------------------------


@pytest.mark.parametrize("strip", [1, 1000, 1 << 20])
@pytest.mark.parametrize("dtype", DEPTHS)
def test_strips_give_the_same_pixels(monkeypatch, strip, dtype):
    pixels, ab = photo(0, 90, 70, 3, dtype), chroma(1, 8, 6, 90)
    expected, lightness = recolour(pixels, ab), lightness_of(pixels)
    monkeypatch.setattr(strips, "STRIP_PIXELS", strip)
    assert most_difference(recolour(pixels, ab), expected) <= 1
    torch.testing.assert_close(lightness_of(pixels), lightness, atol=1e-4, rtol=0)


def test_a_picture_of_several_strips_is_what_the_formula_says():
    pixels, ab = photo(0, 400, 300, 3, np.uint8), chroma(1, 16, 24, 90)
    lightness = lightness_of(pixels)
    large = F.interpolate(ab[None], size=(400, 300), mode="bicubic")[0]
    rgb = lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, large))))
    expected = (rgb * 255).round().movedim(0, -1).byte().numpy()
    assert most_difference(recolour(pixels, ab), expected) <= 1


@pytest.mark.parametrize(("source", "target"), [(1, 1), (1, 9), (7, 19), (64, 1000), (40, 11)])
def test_the_matrix_resizes_as_interpolate_does(source, target):
    line = torch.randn(source)
    expected = F.interpolate(line[None, None, None], size=(1, target), mode="bicubic")
    resized = torch.from_numpy(bicubic(source, target).weights) @ line
    torch.testing.assert_close(resized, expected[0, 0, 0], atol=5e-5, rtol=0)  # torch: float32


@pytest.mark.parametrize(
    ("source", "target"), [((90, 130), (32, 64)), ((7, 5), (32, 32)), ((512, 3000), (64, 256))]
)
def test_lightness_is_reduced_as_interpolate_does(source, target):
    pixels = photo(0, *source, 3, np.uint8)
    whole = lightness_of(pixels)[None]
    expected = F.interpolate(whole, size=target, mode="bilinear", antialias=True)[0, 0]
    small = strips.reduced(reading.lightness_of(pixels), source, target)
    torch.testing.assert_close(torch.from_numpy(small), expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_threads_share_the_work_without_a_trace(threads):
    pixels, ab = photo(0, 900, 700, 1, np.uint8), chroma(1, 8, 6, 90).numpy()
    lightness = reading.lightness_of(pixels)
    one, other = (
        strips.painted(lightness, (900, 700), ab, np.dtype(np.uint8), n) for n in (1, threads)
    )
    np.testing.assert_array_equal(one, other)
    small, again = (strips.reduced(lightness, (900, 700), (64, 32), n) for n in (1, threads))
    np.testing.assert_allclose(small, again, atol=1e-3)


def test_12_megapixels_are_what_the_formula_says():
    """Every 97th row, as the whole picture at once would give it."""
    pixels, ab = photo(0, 3000, 4000, 1, np.uint8), chroma(1, 64, 96, 60)
    lightness = lightness_of(pixels[::97])
    large = F.interpolate(ab[None], size=(3000, 4000), mode="bicubic")[0, :, ::97]
    rgb = lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, large))))
    expected = (rgb * 255).round().movedim(0, -1).byte().numpy()
    assert most_difference(recolour(pixels, ab)[::97], expected) <= 1


def test_enlarging_keeps_flat_colour_flat():
    pixels = np.full((50, 70, 1), 120, np.uint8)
    coloured = recolour(pixels, torch.tensor([20.0, -30.0])[:, None, None].expand(2, 4, 6))
    assert (coloured == coloured[0, 0]).all()
    assert np.ptp(coloured[0, 0]) > 20


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_painted_again_is_read_no_more_and_painted_the_same(monkeypatch, channels, dtype):
    pixels, reads = photo(5, 37, 53, channels, dtype), []
    monkeypatch.setattr(
        compose, "lightness_of", lambda some: reads.append(some) or reading.lightness_of(some)
    )
    original, hints = Original(pixels), [Hint(20, 9, (200, 40, 40), 6)]
    for seed in range(4):
        ab = chroma(seed, 6, 8, 60).numpy()
        again = recolor(original, ab, hints)
        np.testing.assert_array_equal(again, recolor_pixels(pixels, ab, hints))
    assert len(reads) == 2 + 4  # the first time, and the second time, from when on it is kept
