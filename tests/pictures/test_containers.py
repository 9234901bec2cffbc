"""What JPEG 2000, AVIF, HEIC, JPEG XL and MPO files tell in their boxes is followed and kept."""

import io
import struct

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from colorize_hub.pictures import boxes, formats
from colorize_hub.pictures.metadata import turned
from colorize_hub.pictures.picture import read_picture
from tests.pictures.carriers import CAPTION, XMP, exif_block
from tests.pictures.picture_files import RGB, saved
from tests.pictures.test_icc import by_pillow
from tests.pictures.test_metadata import D50, adobe_rgb, encode_srgb, gamma, profile, xyz
from tests.scenes import scene


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def with_colr(data, content):
    """A JP2 file whose colours are named by this box alone."""
    start = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, start)
    header = data[start + 8 : start + size]
    inside, place = b"", 0
    while place < len(header):
        (length,) = struct.unpack_from(">I", header, place)
        if header[place + 4 : place + 8] != b"colr":
            inside += header[place : place + length]
        place += length
    return data[:start] + box(b"jp2h", inside + box(b"colr", content)) + data[start + size :]


@pytest.mark.parametrize("method", [2, 3])
def test_a_profile_inside_jpeg_2000_is_followed(tmp_path, method):
    data = with_colr(saved(Image.fromarray(RGB), "JPEG2000"), bytes([method, 0, 0]) + adobe_rgb())
    (tmp_path / "x.jp2").write_bytes(data)
    got = read_picture(tmp_path / "x.jp2").pixels
    np.testing.assert_array_equal(got, by_pillow(RGB, adobe_rgb()))
    assert np.abs(got.astype(int) - RGB).max() > 10
    with Image.open(tmp_path / "x.jp2") as image:
        np.testing.assert_array_equal(read_picture(image).pixels, got)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_profile_inside_jpeg_2000_is_followed(tmp_path, dtype):
    levels = scene(40, 60, dtype=dtype)
    linear = profile(b"GRAY", wtpt=xyz(*D50), kTRC=gamma(1.0))
    data = with_colr(saved(Image.fromarray(levels), "JPEG2000"), b"\2\0\0" + linear)
    (tmp_path / "x.jp2").write_bytes(data)
    got = read_picture(tmp_path / "x.jp2").pixels[..., 0]
    white = np.iinfo(dtype).max
    assert got.dtype == dtype
    np.testing.assert_allclose(got, white * encode_srgb(levels / white), atol=white / 255)


def test_boxes_of_jpeg_2000_are_read_and_written(tmp_path):
    plain = saved(Image.fromarray(RGB), "JPEG2000")
    held = {
        "exif": exif_block().removeprefix(b"Exif\0\0"),
        "xmp": XMP,
        "iptc": b"\x1c\x02\x78\0\1a",
    }
    for dpi in ((300.0, 250.0), (72.0, 72.0), (6000.0, 1.0)):
        data = boxes.jp2_with(plain, held, dpi)
        assert boxes.read_jp2(io.BytesIO(data)) == held
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(np.asarray(image), RGB)  # Pillow still finds its way
            assert image.info["dpi"] == pytest.approx(dpi, rel=1e-4)
    assert boxes.jp2_with(plain, {}, None) == plain


@pytest.mark.parametrize("damage", range(0, 400, 7))
def test_damaged_boxes_are_passed_over(damage):
    data = bytearray(
        boxes.jp2_with(saved(Image.fromarray(RGB), "JPEG2000"), {"xmp": XMP}, (72, 72))
    )
    data[damage] ^= 0xFF
    told = boxes.read_jp2(io.BytesIO(data))
    assert set(told) <= {"xmp", "icc_profile"}
    assert boxes.read_nclx(io.BytesIO(data)) is None
    assert 8 <= boxes.read_bits(io.BytesIO(data)) <= 128
    for cut in (0, 3, 20, len(data) - 3):
        boxes.read_jp2(io.BytesIO(data[:cut]))


def with_nclx(data, primaries, transfer):
    """An AVIF or HEIC file that names these colours, in place of its own."""
    place = data.index(b"nclx")
    return data[: place + 4] + struct.pack(">2H", primaries, transfer) + data[place + 8 :]


@pytest.mark.parametrize("format_name", ["AVIF", "HEIF"])
def test_colours_that_avif_and_heic_name_are_followed(tmp_path, format_name):
    formats.register(format_name)
    grey = np.full((32, 32, 3), 128, np.uint8)
    options = {"quality": 100, "icc_profile": None} if format_name == "AVIF" else {"quality": 100}
    data = saved(Image.fromarray(grey), format_name, **options)
    path = tmp_path / f"x.{format_name.lower()}"
    for numbers, expected in (
        ((1, 13), 128),
        ((2, 2), 128),
        ((1, 8), 255 * encode_srgb(np.array(128 / 255))),
        ((1, 16), 255 * encode_srgb(np.array(93.2 / 203))),  # PQ: 128 of 255 is 93 cd/m2
    ):
        path.write_bytes(with_nclx(data, *numbers))
        got = read_picture(path).pixels
        assert np.abs(got.astype(float) - expected).max() < 2.5, numbers


@pytest.mark.parametrize("suffix", [".avif", ".heic", ".webp"])
def test_a_profile_inside_counts(tmp_path, suffix):
    name = formats.written_format(f"x{suffix}")
    formats.register(name)
    pixels = np.full((32, 32, 3), (150, 110, 90), np.uint8)
    data = saved(Image.fromarray(pixels), name, quality=100, icc_profile=adobe_rgb())
    (tmp_path / f"x{suffix}").write_bytes(data)
    got = read_picture(tmp_path / f"x{suffix}").pixels
    assert np.abs(got.astype(int) - by_pillow(pixels, adobe_rgb())).max() < 4


def test_more_bits_than_are_read_are_told_of(tmp_path, caplog):
    data = imagecodecs.avif_encode(RGB.astype(np.uint16) * 4, bitspersample=10, level=99)
    (tmp_path / "x.avif").write_bytes(data)
    got = read_picture(tmp_path / "x.avif").pixels
    assert np.abs(got.astype(int) - RGB).mean() < 4
    assert "x.avif has 10 bits a channel and is read with 8" in caplog.text


def test_xmp_inside_jpeg_xl(tmp_path):
    formats.register("JXL")
    data = saved(Image.fromarray(RGB), "JXL", quality=95, xmp=XMP, exif=exif_block())
    (tmp_path / "x.jxl").write_bytes(data)
    held = read_picture(tmp_path / "x.jxl").metadata
    assert held.xmp == XMP
    assert held.exif.main[270].data.rstrip(b"\0") == CAPTION


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".avif", ".heic"])
def test_orientation_is_applied_once(tmp_path, suffix, orientation):
    formats.register("HEIF")
    name = formats.written_format(f"x{suffix}")
    upright = np.zeros((32, 48), np.uint8)
    upright[:12, :16] = 255  # the upper left corner of the picture as it should be seen
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {6: 8, 8: 6}.get(orientation, orientation)
    stored = Image.fromarray(turned(upright, back)).convert("RGB")
    stored.save(tmp_path / f"x{suffix}", name, quality=95, exif=exif.tobytes())
    got = read_picture(tmp_path / f"x{suffix}").pixels
    assert got.shape[:2] == (32, 48)
    assert np.abs(got[..., 0].astype(int) - upright).mean() < 3


def test_the_first_picture_of_an_mpo_is_read_without_a_word(tmp_path, caplog):
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    first.save(tmp_path / "x.mpo", save_all=True, append_images=[second], quality=95)
    got = read_picture(tmp_path / "x.mpo").pixels
    assert np.abs(got.astype(int) - RGB).mean() < 8  # a noisy scene, chroma at half size
    assert not caplog.text


def test_of_several_pictures_in_a_heic_the_main_one_is_read(tmp_path, caplog):
    made = pillow_heif.HeifFile()
    for level in (30, 200, 90):
        made.add_frombytes("L", (64, 48), bytes([level]) * 64 * 48)
    made.save(tmp_path / "x.heic", primary_index=1, quality=95)
    got = read_picture(tmp_path / "x.heic").pixels
    assert np.abs(got.astype(int) - 200).max() < 3
    assert "has 3 pages or frames" in caplog.text
