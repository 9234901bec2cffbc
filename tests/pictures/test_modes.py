"""modes: every PIL mode becomes the right pixels and leaves the image alone."""

import numpy as np
import pytest
from PIL import Image

from colorize_hub.pictures.picture import PictureError, read_picture

RGB = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = np.asarray(Image.fromarray(RGB).convert("L"))
DEEP = (np.arange(35, dtype=np.uint16) * 1801).reshape(5, 7)


def image(mode: str) -> Image.Image:
    if mode in ("I;16", "I;16B", "I"):
        return Image.fromarray(DEEP.astype({"I;16": "<u2", "I;16B": ">u2", "I": "i4"}[mode]))
    if mode in ("La", "RGBa"):
        return image(mode.upper()).convert(mode)
    if mode == "F":
        return Image.fromarray(DEEP.astype(np.float32))
    made = Image.fromarray(RGB).convert(mode)
    if mode in ("LA", "RGBA"):
        made.putalpha(Image.fromarray(np.where(GREY > 99, 255, 0).astype(np.uint8)))
    return made


GREY_MODES = ["1", "L", "LA", "La"]
DEEP_MODES = ["I;16", "I;16B", "I", "F"]
COLOUR_MODES = ["RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"]


@pytest.mark.parametrize("mode", GREY_MODES + DEEP_MODES + COLOUR_MODES)
def test_every_mode(mode):
    source = image(mode)
    palette = source.palette
    before = (source.mode, source.tobytes(), dict(source.info), palette and palette.mode)
    picture = read_picture(source)
    assert (source.mode, source.tobytes(), dict(source.info), palette and palette.mode) == before
    assert picture.pixels.shape == (5, 7, 3 if mode in COLOUR_MODES else 1)
    assert picture.pixels.dtype == (np.uint16 if mode in DEEP_MODES else np.uint8)
    assert picture.pixels.flags.writeable
    assert (picture.alpha is not None) == (mode.upper() in ("LA", "PA", "RGBA"))
    if mode in DEEP_MODES:
        np.testing.assert_array_equal(picture.pixels[:, :, 0], DEEP)
    elif mode in ("L", "LA"):
        np.testing.assert_array_equal(picture.pixels[:, :, 0], GREY)
    elif mode in ("YCbCr", "LAB", "HSV", "CMYK", "RGB", "RGBA", "RGBX"):
        assert np.abs(picture.pixels.astype(int) - RGB).mean() < (9 if mode == "LAB" else 4)


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_sixteen_bit_files_keep_their_bits(tmp_path, name):
    for mode in ("I;16", "I;16B"):
        image(mode).save(tmp_path / name)
        np.testing.assert_array_equal(read_picture(tmp_path / name).pixels[:, :, 0], DEEP)


@pytest.mark.parametrize(("white", "scale"), [(1, 65535), (255, 257), (65535, 1)])
def test_the_maximum_of_a_float_picture_tells_its_white(tmp_path, white, scale):
    values = np.linspace(0, white, 35, dtype=np.float32).reshape(5, 7)
    Image.fromarray(values).save(tmp_path / "x.tif")
    picture = read_picture(tmp_path / "x.tif")
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.rint(values * np.float32(scale)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1, 70_000])
def test_impossible_grey_values_are_refused(value):
    for dtype in (np.float32, np.int32) if np.isfinite(value) else (np.float32,):
        with pytest.raises(PictureError, match=r"finite grey values in 0\.\.65535"):
            read_picture(Image.fromarray(np.full((3, 3), value, dtype)))


@pytest.mark.parametrize(
    ("mode", "transparency"),
    [("1", 255), ("L", int(GREY[0, 0])), ("RGB", tuple(RGB[0, 0].tolist())), ("I;16", 0)],
)
def test_a_transparent_colour_becomes_alpha(tmp_path, mode, transparency):
    source = image(mode)
    source.save(tmp_path / "x.png", transparency=transparency)
    picture = read_picture(tmp_path / "x.png")
    assert picture.alpha is not None
    assert picture.alpha.dtype == picture.pixels.dtype
    values = np.asarray(source.convert("L") if mode == "1" else source).reshape(5, 7, -1)
    clear = (values == np.array(transparency)).all(axis=2)
    np.testing.assert_array_equal(picture.alpha == 0, clear)
    assert clear.any()
    assert (picture.alpha[~clear] == np.iinfo(picture.alpha.dtype).max).all()


@pytest.mark.parametrize("name", ["x.png", "x.gif"])
def test_palette_transparency(tmp_path, name):
    source = Image.fromarray(RGB).quantize(16)
    source.save(tmp_path / name, transparency=3)
    picture = read_picture(tmp_path / name)
    assert picture.alpha is not None
    np.testing.assert_array_equal(picture.alpha == 0, np.asarray(source) == 3)


def test_a_palette_stays_as_it_was():
    source = image("P")
    source.info["transparency"] = 3
    before = source.getpalette("RGBA")
    assert read_picture(source).alpha is not None
    assert source.getpalette("RGBA") == before


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert (read_picture(tmp_path / "x.gif").pixels == (255, 0, 0)).all()
    with Image.open(tmp_path / "x.gif") as animation:
        animation.seek(1)
        assert (read_picture(animation).pixels == (0, 0, 255)).all()
        assert animation.tell() == 1
