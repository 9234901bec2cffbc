"""colorize_hub.pictures.deep: files of 16 bits a channel, against other readers and writers."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from colorize_hub.pictures import deep, metadata
from colorize_hub.pictures.deep import Beside
from colorize_hub.pictures.picture import PictureError, read_picture
from tests.pictures.picture_files import chunk, png
from tests.pictures.test_metadata import UPRIGHT

LEVELS = np.random.default_rng(0).integers(0, 65536, (21, 34, 4), dtype=np.uint16)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'


def filtered_png(levels, *before):
    """A PNG whose rows use the filters 0 to 4 in turn, as other writers do."""
    height, width, channels = levels.shape
    step, rows = 2 * channels, []
    above = np.zeros(width * step, int)
    for y in range(height):
        raw = np.frombuffer(levels[y].astype(">u2").tobytes(), np.uint8).astype(int)
        left = np.concatenate((np.zeros(step, int), raw[:-step]))
        corner = np.concatenate((np.zeros(step, int), above[:-step]))
        paeth = np.stack((left, above, corner))
        nearest = np.abs(paeth - (left + above - corner)).argmin(axis=0)
        guess = (0, left, above, (left + above) // 2, np.choose(nearest, paeth))[y % 5]
        rows.append(bytes([y % 5]) + ((raw - guess) % 256).astype(np.uint8).tobytes())
        above = raw
    return png(width, height, 16, {2: 4, 3: 2, 4: 6}[channels], b"".join(rows), *before)


def joined(picture):
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_png_is_read_with_all_its_bits(tmp_path, channels):
    (tmp_path / "x.png").write_bytes(filtered_png(LEVELS[:, :, :channels]))
    np.testing.assert_array_equal(joined(read_picture(tmp_path / "x.png")), LEVELS[:, :, :channels])


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tile": (16, 16)},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "tile": (16, 16)},
        {"rowsperstrip": 4},
    ],
)
def test_tiff_is_read_with_all_its_bits(tmp_path, channels, order, options):
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    levels = LEVELS[:, :, :channels]
    tifffile.imwrite(
        tmp_path / "x.tif", levels, photometric="rgb", byteorder=order, **options, **extra
    )
    np.testing.assert_array_equal(joined(read_picture(tmp_path / "x.tif")), levels)


def test_colours_that_alpha_was_multiplied_into_are_straightened(tmp_path):
    straight = LEVELS | [0, 0, 0, 0x8000]  # at least half opaque
    held = straight.astype(float)
    held[..., :3] *= held[..., 3:] / 65535
    tifffile.imwrite(
        tmp_path / "x.tif",
        np.rint(held).astype(np.uint16),
        photometric="rgb",
        extrasamples=["assocalpha"],
    )
    np.testing.assert_allclose(joined(read_picture(tmp_path / "x.tif")), straight, atol=2)


def test_separate_planes_are_refused(tmp_path):
    planes = np.ascontiguousarray(np.moveaxis(LEVELS[:, :, :3], -1, 0))
    tifffile.imwrite(
        tmp_path / "x.tif", planes, photometric="rgb", planarconfig="separate", compression="zlib"
    )
    with pytest.raises(PictureError, match="separate planes"):
        read_picture(tmp_path / "x.tif")


def test_floats_in_colour_are_refused_by_name(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.ones((9, 9, 3), np.float32), photometric="rgb")
    with pytest.raises(PictureError, match="save it as RGB or grey of 8 or 16 bits"):
        read_picture(tmp_path / "x.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations(tmp_path, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = np.dstack([UPRIGHT[1].astype(np.uint16) * 300] * 3)
    (tmp_path / "x.png").write_bytes(filtered_png(stored, chunk(b"eXIf", exif.tobytes()[6:])))
    tag = (274, 3, 1, orientation, True)
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="rgb", extratags=[tag])
    for name in ("x.png", "x.tif"):
        turned = read_picture(tmp_path / name).pixels[..., 0]
        np.testing.assert_array_equal(turned, UPRIGHT[orientation].astype(np.uint16) * 300)


def test_a_transparent_colour_becomes_alpha(tmp_path):
    clear = chunk(b"tRNS", struct.pack(">3H", *LEVELS[3, 5, :3]))
    (tmp_path / "x.png").write_bytes(filtered_png(LEVELS[:, :, :3], clear))
    alpha = read_picture(tmp_path / "x.png").alpha
    assert (alpha[3, 5], alpha.min(), (alpha == 0).sum()) == (0, 0, 1)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_what_is_written_reads_back_with_what_is_beside_it(tmp_path, name, channels):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Linhof"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "1931:05:01 12:00:00"}
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (50.0, 3.0, 2.0)}
    beside = Beside(metadata.srgb_profile(), exif.tobytes(), XMP, (300.0, 250.0))
    with (tmp_path / name).open("wb") as file:
        save = deep.save_png if name == "x.png" else deep.save_tiff
        save(file, LEVELS[:, :, :channels], beside)
    picture = read_picture(tmp_path / name)
    np.testing.assert_array_equal(joined(picture), LEVELS[:, :, :channels])
    assert picture.dpi == pytest.approx((300, 250), abs=0.02)
    assert picture.xmp == XMP
    with Image.open(tmp_path / name) as image:
        image.load()
        assert image.info["icc_profile"] == metadata.srgb_profile()
        kept = image.getexif()
        assert kept[ExifTags.Base.Make] == "Linhof"
        assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal].startswith("1931")
        assert kept.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"
    if name == "x.tif":
        np.testing.assert_array_equal(tifffile.imread(tmp_path / name), LEVELS[:, :, :channels])


def test_a_png_of_several_strips_is_one_stream(tmp_path):
    tall = np.arange(3 * 1500 * 1000, dtype=np.uint32).astype(np.uint16).reshape(1500, 1000, 3)
    buffer = io.BytesIO()
    deep.save_png(buffer, tall, Beside(metadata.srgb_profile()))
    data = buffer.getvalue()
    assert zlib.crc32(data[-8:-4]) == int.from_bytes(data[-4:], "big")
    (tmp_path / "x.png").write_bytes(data)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels, tall)
