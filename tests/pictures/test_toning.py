"""colorize_hub.pictures.toning: a print in one tint is told from a picture in colour."""

import io

import numpy as np
import pytest
from PIL import Image

from colorize_hub.pictures.picture import read_picture
from colorize_hub.pictures.toning import (
    find_toning,
    has_color,
    has_colors_of,
    has_lightness_of,
)
from colorize_hub.web.prints import EXAMPLES, example_path
from tests.scenes import difference, lightness_of, scene

SEPIA = ((0, 0, 0), (112, 78, 40), (255, 244, 220))  # of black, middle grey and white
CYANOTYPE = ((0, 20, 60), (60, 120, 170), (240, 250, 255))
NEUTRAL = ((0, 0, 0), (128, 128, 128), (255, 255, 255))


def toned(grey, stops, dtype=np.uint8):
    most = np.iinfo(grey.dtype).max
    channels = [np.interp(grey, (0, most / 2, most), levels) for levels in zip(*stops, strict=True)]
    return np.rint(np.stack(channels, axis=-1) / 255 * np.iinfo(dtype).max).astype(dtype)


def as_jpeg(pixels, quality=85):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_in_colour_has_colour(dtype):
    pixels = scene(200, 300, 3, dtype)
    assert has_color(pixels)
    assert find_toning(pixels) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_neutral_print_has_neither_colour_nor_toning(dtype):
    grey = scene(200, 300, dtype=dtype)
    for pixels in (grey[..., None], np.dstack([grey] * 3)):
        assert not has_color(pixels)
        assert find_toning(pixels) is None


@pytest.mark.parametrize("stops", [SEPIA, CYANOTYPE])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_toned_print_has_a_toning_and_no_colour(stops, dtype):
    pixels = toned(scene(400, 600), stops, dtype)
    for print_ in (pixels, as_jpeg(pixels)) if dtype == np.uint8 else (pixels,):
        assert not has_color(print_)
        toning = find_toning(print_)
        assert toning is not None
        middle = toning.at(np.array([50.0]))[:, 0]
        assert middle[1] > 8 if stops is SEPIA else middle[1] < -8  # yellow, or blue


@pytest.mark.parametrize("name", EXAMPLES)
def test_real_prints_have_no_colour(name):
    assert not has_color(read_picture(example_path(name)).pixels)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 4000), (3, 3)])
def test_tiny_pictures(shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    assert not has_color(pixels)
    assert find_toning(pixels) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_tint_comes_back_under_colours_and_lightness_stays(dtype):
    print_ = toned(scene(60, 90), SEPIA, dtype)
    toning = find_toning(print_)
    grey = np.dstack([scene(60, 90, dtype=dtype)] * 3)
    laid = toning.lay_under(grey, print_)
    assert laid.dtype == dtype
    assert difference(laid, print_).mean() < 3 * np.iinfo(dtype).max / 255
    apart = lightness_of(laid) - lightness_of(print_)
    assert apart.abs().mean() < (0.15 if dtype == np.uint8 else 0.005)


def test_a_result_has_the_lightness_and_other_colours(tmp_path, tiny_colorizer):
    grey = scene(96, 128)[..., None]
    coloured = tiny_colorizer.colorize(grey)
    Image.fromarray(coloured).save(tmp_path / "new.jpg", quality=95, subsampling=0)
    written = np.asarray(Image.open(tmp_path / "new.jpg"))
    for one in (coloured, written, (coloured.astype(np.uint16) * 257)):
        assert has_lightness_of(one, grey)
        assert not has_colors_of(one, grey)
    assert has_lightness_of(grey, grey)
    assert has_colors_of(grey, grey)
    assert not has_lightness_of(scene(96, 128, seed=1)[..., None], grey)
    assert not has_lightness_of(grey[:-1], grey)


def test_a_photograph_has_not_the_lightness_of_its_grey_copy():
    """Rec. 601 luma, as programs make it, is not L*."""
    colours = scene(96, 128, 3)
    luma = np.rint(colours @ [0.299, 0.587, 0.114]).astype(np.uint8)[..., None]
    assert not has_lightness_of(colours, luma)
