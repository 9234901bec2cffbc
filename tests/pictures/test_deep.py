"""colorize_hub.pictures.deep: more than 8 bits of JPEG 2000, JPEG XL and PPM, by other encoders."""

import struct

import imagecodecs
import numpy as np
import pytest

from colorize_hub.batch.files import colorize_file
from colorize_hub.pictures.picture import PictureError, read_picture
from tests.pictures.picture_files import chunk, png
from tests.pictures.test_icc import by_pillow
from tests.pictures.test_metadata import adobe_rgb, encode_srgb
from tests.pictures.test_tiff import in_bits

RAMP = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (40, 1))
RGB = np.dstack([RAMP, 65535 - RAMP, RAMP // 3])


def joined(picture):
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


@pytest.mark.parametrize("suffix", [".jp2", ".j2k"])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize(
    "levels", [RAMP, np.dstack([RAMP, RAMP]), RGB, np.dstack([RGB, RAMP])], ids=[*"1234"]
)
def test_jpeg_2000(tmp_path, levels, bits, suffix):
    stored = in_bits(levels, bits)
    data = imagecodecs.jpeg2k_encode(stored, bitspersample=bits, codecformat=suffix[1:], level=0)
    (tmp_path / f"x{suffix}").write_bytes(data)
    expected = np.rint(stored / (2**bits - 1) * 65535)
    got = joined(read_picture(tmp_path / f"x{suffix}"))
    np.testing.assert_array_equal(got, expected.reshape(got.shape))


@pytest.mark.parametrize("levels", [RAMP, RGB, np.dstack([RGB, RAMP])], ids=[*"134"])
def test_jpeg_xl(tmp_path, levels):
    """imagecodecs says that its 16 bits are linear light, and so they are read."""
    (tmp_path / "x.jxl").write_bytes(imagecodecs.jpegxl_encode(levels, lossless=True))
    picture = read_picture(tmp_path / "x.jxl")
    colours = levels if levels.ndim == 2 else levels[..., :3]
    expected = 65535 * encode_srgb(colours / 65535)
    np.testing.assert_allclose(
        picture.pixels, expected.reshape(picture.pixels.shape), atol=60, rtol=0.005
    )
    if levels.ndim == 3 and levels.shape[2] == 4:
        np.testing.assert_array_equal(picture.alpha, levels[..., 3])


@pytest.mark.parametrize("white", [65535, 4095, 1000])
@pytest.mark.parametrize("kind", ["P5", "P6"])
def test_portable_maps(tmp_path, kind, white):
    levels = np.rint((RGB if kind == "P6" else RAMP) / 65535 * white).astype(">u2")
    (tmp_path / "x.ppm").write_bytes(b"%s\n64 40\n%d\n" % (kind.encode(), white) + levels.tobytes())
    got = read_picture(tmp_path / "x.ppm").pixels
    assert got.dtype == np.uint16
    np.testing.assert_allclose(got, (levels / white * 65535).reshape(got.shape), atol=1)


def test_a_ppm_that_is_cut_off_is_refused(tmp_path):
    (tmp_path / "x.ppm").write_bytes(b"P6\n64 40\n65535\n" + RGB.tobytes()[:-9])
    with pytest.raises(PictureError, match="damaged or incomplete"):
        read_picture(tmp_path / "x.ppm")


def test_a_profile_is_followed_with_all_bits(tmp_path):
    data = imagecodecs.jpeg2k_encode(RGB, codecformat="jp2", level=0)
    place = data.index(b"colr")
    (size,) = struct.unpack_from(">I", data, place - 4)
    named = struct.pack(">I", 8 + 3 + len(adobe_rgb())) + b"colr\2\0\0" + adobe_rgb()
    header = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, header)
    data = data[: place - 4] + named + data[place - 4 + size :]
    grown = struct.pack(">I", length + len(named) - size)
    (tmp_path / "x.jp2").write_bytes(data[:header] + grown + data[header + 4 :])
    got = read_picture(tmp_path / "x.jp2").pixels
    expected = by_pillow((RGB >> 8).astype(np.uint8), adobe_rgb())
    assert np.abs(got / 257 - expected).max() < 3
    assert np.abs(got / 257 - (RGB >> 8)).max() > 8


def test_it_is_coloured_with_its_bits_or_says_that_it_cannot(tmp_path, tiny_colorizer, caplog):
    (tmp_path / "x.jp2").write_bytes(imagecodecs.jpeg2k_encode(RGB, codecformat="jp2", level=0))
    colorize_file(tiny_colorizer, tmp_path / "x.jp2", tmp_path / "out.png")
    assert read_picture(tmp_path / "out.png").pixels.dtype == np.uint16
    assert not caplog.text
    colorize_file(tiny_colorizer, tmp_path / "x.jp2", tmp_path / "out.jp2")
    assert "out.jp2 is written with 8 bits" in caplog.text


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_of_any_bits(tmp_path, bits):
    levels = np.arange(64) % 2 ** min(bits, 6)
    if bits < 8:
        spread = (levels[:, None] >> np.arange(bits - 1, -1, -1)) & 1
        row = np.packbits(spread.astype(np.uint8).reshape(-1)).tobytes()
    else:
        row = levels.astype(f">u{bits // 8}").tobytes()
    clear = chunk(b"tRNS", struct.pack(">H", 1))
    (tmp_path / "x.png").write_bytes(png(64, 4, bits, 0, (b"\0" + row) * 4, clear))
    picture = read_picture(tmp_path / "x.png")
    np.testing.assert_array_equal(picture.alpha[0] == 0, levels == 1)
    white = np.iinfo(picture.pixels.dtype).max
    expected = levels * (white // (2**bits - 1))
    np.testing.assert_array_equal(picture.pixels[0, :, 0], expected)  # under transparency too
