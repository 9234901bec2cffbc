"""Colorizer: what comes in comes back in colour, the same however it is asked for."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.working import working_shape
from tests.scenes import decided, difference, lightness_of, scene

PRINTS = sorted((Path(__file__).parents[2] / "colorize_hub/demo/examples").glob("*.jpg"))

# --- colorize --------------------------------------------------------------------------------


def test_a_sure_network_gives_its_colour_at_the_lightness_of_the_picture(tiny_config):
    grey = scene(50, 70)
    colour = decided(tiny_config, 20, -30).colorize(grey)
    lightness = lightness_of(grey[..., None])
    ab = torch.tensor([20.0, -30.0])[:, None, None].expand(2, 50, 70)
    expected = lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, ab)))) * 255
    assert difference(colour, expected.movedim(0, -1).round().numpy()).max() <= 1


def test_chroma_scale_of_the_config_counts(tiny_config):
    values = tiny_config.to_dict() | {"chroma_scale": 0.5}
    half = decided(type(tiny_config).from_dict(values), 20, -30)
    ab = half.predict_ab(torch.full((1, 1, 32, 32), 50.0))
    torch.testing.assert_close(ab[0, :, 5, 5], torch.tensor([10.0, -15.0]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_array_comes_back_as_such_an_array(tiny_colorizer, dtype, channels):
    array = scene(40, 60, channels, dtype)
    before = array.copy()
    colour = tiny_colorizer.colorize(array)
    has_alpha = channels in (2, 4)
    assert (colour.dtype, colour.shape) == (dtype, (40, 60, 4 if has_alpha else 3))
    np.testing.assert_array_equal(array, before)
    if has_alpha:
        np.testing.assert_array_equal(colour[..., 3], array[..., -1])


def test_a_float_array_comes_back_in_0_to_1(tiny_colorizer):
    array = scene(40, 60).astype(np.float32) / 255
    colour = tiny_colorizer.colorize(array)
    assert (colour.dtype, colour.shape) == (np.float32, (40, 60, 3))
    assert 0 <= colour.min() < colour.max() <= 1
    eight_bit = tiny_colorizer.colorize(scene(40, 60))
    assert difference((colour * 255).round(), eight_bit).max() <= 1


def test_files_and_pil_images_come_back_as_upright_pil_images(tiny_colorizer, tmp_path):
    image = Image.fromarray(scene(40, 60))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    image.save(tmp_path / "turned.png", exif=exif)
    upright = image.rotate(-90, expand=True)
    expected = np.asarray(tiny_colorizer.colorize(upright))
    for source in (tmp_path / "turned.png", str(tmp_path / "turned.png")):
        colour = tiny_colorizer.colorize(source)
        assert isinstance(colour, Image.Image)
        assert (colour.mode, colour.size) == ("RGB", (40, 60))
        assert colour.getexif().get(0x0112, 1) == 1
        np.testing.assert_array_equal(np.asarray(colour), expected)


def test_alpha_of_a_pil_image_is_kept(tiny_colorizer):
    image = Image.fromarray(scene(40, 60)).convert("LA")
    image.putalpha(Image.fromarray(scene(40, 60, seed=1)))
    colour = tiny_colorizer.colorize(image)
    assert colour.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(colour.getchannel("A")), scene(40, 60, seed=1))


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (1, 300), (300, 1), (33, 31), (5, 400)])
def test_odd_sizes(tiny_colorizer, size):
    assert tiny_colorizer.colorize(scene(*size)).shape == (*size, 3)


def test_colour_of_the_input_is_ignored(tiny_colorizer):
    grey = scene(40, 60)
    three = np.repeat(grey[..., None], 3, axis=2)
    assert difference(tiny_colorizer.colorize(grey), tiny_colorizer.colorize(three)).max() <= 1


def test_a_list_equals_one_by_one(tiny_colorizer):
    arrays = [scene(40, 60, seed=seed) for seed in range(10)]  # more than one batch
    mixed = [*arrays, scene(60, 40), scene(90, 60, 4, np.uint16), Image.fromarray(scene(30, 80))]
    together = tiny_colorizer.colorize(mixed)
    assert len(together) == len(mixed)
    for one, result in zip(mixed, together, strict=True):
        alone = tiny_colorizer.colorize(one)
        assert type(result) is type(alone)
        assert difference(result, alone).max() <= 257 if result is together[11] else 1


def test_lists_may_be_empty_and_hints_need_one_picture(tiny_colorizer):
    assert tiny_colorizer.colorize([]) == []
    with pytest.raises(ValueError, match="hints belong to one picture"):
        tiny_colorizer.colorize([scene(40, 60)], hints=[Hint(1, 1, (200, 30, 40))])


def test_missing_files_are_named(tiny_colorizer):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        tiny_colorizer.colorize(Path("nowhere.png"))


# --- vividness and size ----------------------------------------------------------------------


def test_vividness_changes_the_picture_and_has_a_default(tiny_colorizer):
    grey = scene(64, 96)
    calm, normal, vivid = (tiny_colorizer.colorize(grey, vividness=v) for v in (0, 0.5, 1))
    spread = [np.ptp(one.astype(int), axis=2).mean() for one in (calm, normal, vivid)]
    assert spread[0] < spread[1] < spread[2]
    default = tiny_colorizer.colorize(grey, vividness=tiny_colorizer.config.vividness)
    np.testing.assert_array_equal(tiny_colorizer.colorize(grey), default)


@pytest.mark.parametrize("vividness", [-0.1, 1.1, math.nan])
def test_vividness_out_of_range_is_an_error(tiny_colorizer, vividness):
    with pytest.raises(ValueError, match=r"vividness must be 0\.\.1"):
        tiny_colorizer.colorize(scene(40, 60), vividness=vividness)
    with pytest.raises(ValueError, match=r"vividness must be 0\.\.1"):
        tiny_colorizer.colorize([scene(40, 60)], vividness=vividness)


def test_working_size_changes_the_picture(tiny_colorizer):
    grey = scene(64, 96)
    assert difference(
        tiny_colorizer.colorize(grey, size=32), tiny_colorizer.colorize(grey, size=128)
    ).any()


@pytest.mark.parametrize("size", [0, 31, 2049, 64.0, True, "64"])
def test_working_size_out_of_range_is_an_error(tiny_colorizer, size):
    for use in (tiny_colorizer.colorize, tiny_colorizer.canvas):
        with pytest.raises(ValueError, match=r"size must be an integer 32\.\.2048 \(pixels\)"):
            use(scene(40, 60), size=size)


side, working = st.integers(1, 5000), st.integers(32, 1024)


@given(side, side, working)
def test_working_shape_is_a_turned_grid(height, width, size):
    rows, columns = working_shape(height, width, size)
    assert rows % 32 == columns % 32 == 0
    assert (columns, rows) == working_shape(width, height, size)
    assert abs(min(rows, columns) - size) <= 16
    assert max(rows, columns) <= 4 * size + 16


@given(st.integers(100, 5000), st.floats(1, 3.9))
def test_working_shape_keeps_the_aspect_ratio(height, ratio):
    width = round(height * ratio)
    rows, columns = working_shape(height, width, 256)
    assert rows == 256
    assert columns / rows == pytest.approx(width / height, abs=16 / 256)


# --- tensors, precision, threads -------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 37, 91), (3, 1, 64, 64)])
def test_predict_ab_has_the_size_of_the_lightness(tiny_colorizer, shape):
    lightness = torch.rand(shape) * 100
    ab = tiny_colorizer.predict_ab(lightness)
    assert (ab.shape, ab.dtype) == ((shape[0], 2, *shape[2:]), torch.float32)
    assert ab.isfinite().all()
    grid = torch.zeros(shape[0], 3, -(-shape[2] // 4), -(-shape[3] // 4))
    assert torch.equal(tiny_colorizer.predict_ab(lightness, grid), ab)
    grid[:, :, 0, 0] = torch.tensor([60.0, 40.0, 1.0])
    assert not torch.equal(tiny_colorizer.predict_ab(lightness, grid), ab)
    assert not torch.equal(tiny_colorizer.predict_ab(lightness, vividness=1), ab)


def test_predict_ab_keeps_the_hints_it_is_given(tiny_colorizer):
    lightness = torch.linspace(20, 80, 64 * 96).reshape(1, 1, 64, 96).repeat(2, 1, 1, 1)
    hint_map = torch.zeros(2, 3, 16, 24)
    hint_map[1, :, 6:9, 10:13] = torch.tensor([30.0, -20.0, 1.0])[:, None, None]
    plain = tiny_colorizer.predict_ab(lightness)
    hinted = tiny_colorizer.predict_ab(lightness, hint_map)
    torch.testing.assert_close(hinted[0], plain[0])
    centre = hinted[1, :, 28:32, 44:48].mean((1, 2))
    torch.testing.assert_close(centre, torch.tensor([30.0, -20.0]), atol=1.0, rtol=0)


def test_predict_ab_refuses_what_is_not_lightness(tiny_colorizer):
    for shape in ((1, 32, 32), (1, 3, 32, 32), (0, 1, 32, 32), (1, 1, 0, 32)):
        with pytest.raises(ValueError, match=r"lightness of shape \(B, 1, H, W\), got"):
            tiny_colorizer.predict_ab(torch.zeros(shape))
    with pytest.raises(ValueError, match="finite"):
        tiny_colorizer.predict_ab(torch.full((1, 1, 32, 32), torch.nan))
    with pytest.raises(ValueError, match=r"hint_map of shape \(1, 3, 8, 9\), got \(1, 3, 8, 8\)"):
        tiny_colorizer.predict_ab(torch.zeros(1, 1, 32, 33), torch.zeros(1, 3, 8, 8))


def test_damaged_weights_are_an_error_not_a_black_picture(tiny_config):
    network = ColorNet(tiny_config).eval()
    torch.nn.init.constant_(network.head.bias, torch.nan)
    with pytest.raises(ValueError, match="predicted NaN"):
        Colorizer(TorchEngine(network, "cpu", torch.float32)).colorize(scene(40, 60))


def test_bfloat16_predicts_the_colours_of_float32(trained_network):
    dtypes = (torch.float32, torch.bfloat16)
    exact, fast = (Colorizer(TorchEngine(trained_network, "cpu", dtype)) for dtype in dtypes)
    prints = [exact.canvas(path).lightness for path in PRINTS]
    apart = [(exact.predict_ab(one) - fast.predict_ab(one)).abs().mean() for one in prints]
    assert len(apart) == 6
    assert torch.stack(apart).mean() < 0.5


def test_threads_colour_as_one_does(tiny_colorizer):
    pictures = [scene(40 + 8 * (i % 3), 60, seed=i) for i in range(12)]
    serial = [tiny_colorizer.colorize(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(tiny_colorizer.colorize, pictures))
    for one, other in zip(serial, parallel, strict=True):
        assert difference(one, other).max() <= 1
