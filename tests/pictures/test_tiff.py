"""colorize_hub.pictures.tiff: any bits, sample format and layout, made by tifffile or by hand."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from colorize_hub.pictures.metadata import Metadata
from colorize_hub.pictures.picture import PictureError, read_picture
from colorize_hub.pictures.tiff import write_tiff
from tests.pictures.picture_files import packed_tiff
from tests.pictures.test_metadata import (
    UPRIGHT,
)

HEIGHT, WIDTH = 24, 256
RAMP = np.tile(np.linspace(0, 65535, WIDTH).astype(np.uint16), (HEIGHT, 1))
RGB = np.dstack([RAMP, 65535 - RAMP, RAMP // 2])
ALPHA = np.full((HEIGHT, WIDTH), 40_000, np.uint16)
LEVELS = np.random.default_rng(0).integers(0, 65536, (21, 34, 4), dtype=np.uint16)


def read(folder, values, **options):
    tifffile.imwrite(folder / "x.tif", values, metadata=None, **options)
    return read_picture(folder / "x.tif")


def joined(picture):
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


def in_bits(levels, bits):
    """0..65535 as the nearest of 2^bits levels."""
    return np.rint(levels / 65535 * (2**bits - 1)).astype(np.uint16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "lzw", "predictor": True}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize(
    "values",
    [
        65535 - RAMP,
        (255 - (RAMP >> 8)).astype(np.uint8),
        (65535 - RAMP).astype(np.uint32) * 65537,
        1 - (RAMP / 65535).astype(np.float32),
        1 - RAMP / 65535,
    ],
    ids=lambda values: str(values.dtype),
)
def test_white_as_zero_is_no_negative(tmp_path, values, order, options):
    got = read(tmp_path, values, photometric="miniswhite", byteorder=order, **options).pixels
    expected = RAMP if got.dtype == np.uint16 else RAMP >> 8
    np.testing.assert_array_equal(got[..., 0], expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 6, 10, 12, 14])
def test_any_number_of_bits_fills_the_range(tmp_path, bits, order, white_is_zero):
    levels = in_bits(RAMP, bits)
    stored = 2**bits - 1 - levels if white_is_zero else levels
    data = packed_tiff(stored, bits, order, 0 if white_is_zero else 1)
    (tmp_path / "x.tif").write_bytes(data)
    got = read_picture(tmp_path / "x.tif").pixels[..., 0]
    white = 255 if bits < 8 else 65535
    assert got.dtype == (np.uint8 if bits < 8 else np.uint16)
    np.testing.assert_array_equal(got, np.rint(levels / (2**bits - 1) * white))
    assert (got[0, 0], got[0, -1]) == (0, white)


def test_a_pil_image_of_such_a_tiff(tmp_path):
    kinds = {
        "white.tif": (65535 - RAMP, "miniswhite"),
        "float.tif": (1 - RAMP / np.float32(65535), "miniswhite"),
        "plain.tif": (RAMP, "minisblack"),
    }
    for name, (values, kind) in kinds.items():
        tifffile.imwrite(tmp_path / name, values, photometric=kind, metadata=None)
    (tmp_path / "bits.tif").write_bytes(packed_tiff(in_bits(RAMP, 12), 12))
    for name in (*kinds, "bits.tif"):
        with Image.open(tmp_path / name) as image:
            got = read_picture(image).pixels
        np.testing.assert_array_equal(got, read_picture(tmp_path / name).pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint32, np.float16, np.float32, np.float64, np.int16])
@pytest.mark.parametrize("levels", [RAMP, RGB], ids=["grey", "rgb"])
def test_wide_values_and_floats(tmp_path, levels, dtype, order, caplog):
    white = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    values = (levels / 65535 * white).astype(dtype)
    kind = "rgb" if levels.ndim == 3 else "minisblack"
    got = read(tmp_path, values, photometric=kind, byteorder=order).pixels
    expected = values.astype(np.float64) / white * 65535
    np.testing.assert_allclose(got, expected.reshape(got.shape), atol=0.6)
    assert not caplog.text


@pytest.mark.parametrize(
    ("values", "white", "said"),
    [
        (RAMP / np.float32(65535) * 255, 255, "255 is taken for white"),
        (RAMP.astype(np.float32), 65535, "65535 is taken for white"),
        (RAMP / np.float32(65535) * 1.3, 1, "1 is white, and what is above too"),
        (RAMP.astype(np.uint32), 65535, "ends at 65535: 65535 is taken for white"),
    ],
)
def test_what_is_taken_for_white_is_said_where_it_could_be_another(
    tmp_path, values, white, said, caplog
):
    got = read(tmp_path, values, photometric="minisblack").pixels[..., 0]
    np.testing.assert_allclose(got, np.minimum(values / white, 1) * 65535, atol=0.6)
    assert said in caplog.text


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 70_000])
def test_impossible_floats_are_refused(tmp_path, value):
    values = np.full((9, 9, 3), value, np.float32)
    with pytest.raises(PictureError, match=r"finite grey values in 0\.\.65535"):
        read(tmp_path, values, photometric="rgb")
    with pytest.raises(PictureError, match="0 or more"):
        read(tmp_path, np.full((9, 9), -3, np.int16), photometric="minisblack")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
@pytest.mark.parametrize(
    ("colours", "extra"),
    [
        (1, ["unassalpha"]),
        (1, ["unspecified"]),
        (3, []),
        (3, ["unassalpha"]),
        (3, ["unspecified"]),
        (3, ["unspecified", "unassalpha"]),
    ],
)
def test_layouts_and_extra_samples(tmp_path, colours, extra, options, layout, order, bits):
    shown, unknown = RGB[..., :colours], np.full_like(ALPHA, 7)
    planes = [ALPHA if one == "unassalpha" else unknown for one in extra]
    values = np.dstack([shown, *planes])
    expected = np.dstack([shown, ALPHA]) if "unassalpha" in extra else shown
    if bits == 8:
        values, expected = ((levels >> 8).astype(np.uint8) for levels in (values, expected))
    if layout == "separate":
        values = np.ascontiguousarray(np.moveaxis(values, -1, 0))
    picture = read(
        tmp_path,
        values,
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig=layout,
        extrasamples=extra or None,
        byteorder=order,
        **options,
    )
    np.testing.assert_array_equal(joined(picture), expected)


def test_a_fourth_sample_that_nobody_explains_is_alpha_as_other_readers_have_it(tmp_path):
    data = io.BytesIO()
    tifffile.imwrite(data, LEVELS, photometric="rgb", extrasamples=["unassalpha"], metadata=None)
    file = bytearray(data.getvalue())
    data.seek(0)
    with tifffile.TiffFile(data) as tif:
        place = tif.pages[0].tags[338].offset
    file[place : place + 2] = struct.pack("<H", 65_000)  # the tag that explains it
    (tmp_path / "x.tif").write_bytes(file)
    np.testing.assert_array_equal(joined(read_picture(tmp_path / "x.tif")), LEVELS)


@pytest.mark.parametrize("colours", [1, 3])
def test_colours_that_alpha_was_multiplied_into_are_straightened(tmp_path, colours):
    straight = LEVELS[..., [*range(colours), 3]]
    straight[..., -1] |= 0x8000  # at least half opaque
    held = straight.astype(float)
    held[..., :-1] *= held[..., -1:] / 65535
    picture = read(
        tmp_path,
        np.rint(held).astype(np.uint16),
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig="contig",
        extrasamples=["assocalpha"],
    )
    np.testing.assert_allclose(joined(picture), straight, atol=2)


def test_what_lies_under_full_transparency_stays(tmp_path):
    levels = LEVELS.copy()
    levels[..., 3] = 0
    picture = read(tmp_path, levels, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(picture.pixels, LEVELS[..., :3])


@pytest.mark.parametrize("compression", ["zstd", "jpeg2000", "jpegxl", "lzma", "packbits"])
def test_compressions(tmp_path, compression):
    got = read(tmp_path, RAMP, photometric="minisblack", compression=compression).pixels
    np.testing.assert_array_equal(got[..., 0], RAMP)
    if compression == "jpegxl":
        got = read(
            tmp_path, (RGB >> 8).astype(np.uint8), photometric="rgb", compression=compression
        )
        np.testing.assert_array_equal(got.pixels, RGB >> 8)


def test_a_bigtiff(tmp_path):
    got = read(tmp_path, 65535 - RAMP, photometric="miniswhite", bigtiff=True)
    np.testing.assert_array_equal(got.pixels[..., 0], RAMP)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_orientations(tmp_path, orientation, dtype):
    stored = np.dstack([UPRIGHT[1].astype(dtype)] * 3)
    tag = (274, 3, 1, orientation, True)
    picture = read(
        tmp_path,
        stored,
        photometric="rgb",
        extratags=[tag],
        resolution=(300, 200),
        resolutionunit=2,
    )
    np.testing.assert_array_equal(picture.pixels[..., 0], UPRIGHT[orientation])
    assert picture.metadata.dpi == ((200, 300) if orientation > 4 else (300, 200))


def pages(path, *sizes, subifds=0):
    full = (RGB >> 8).astype(np.uint8)
    with tifffile.TiffWriter(path) as tif:
        for index, (step, flags) in enumerate(sizes):
            below = subifds if index == 0 else 0
            tif.write(full[::step, ::step], photometric="rgb", subfiletype=flags, subifds=below)
    return full


@pytest.mark.parametrize(
    ("sizes", "options", "warned"),
    [
        ([(1, 0), (2, 1), (4, 1)], {"subifds": 2}, False),
        ([(1, 0), (2, 1), (4, 1)], {}, False),
        ([(4, 1), (1, 0)], {}, False),  # a thumbnail before the picture
        ([(1, 0), (2, 0)], {}, True),
        ([(1, 2), (1, 2), (1, 2)], {}, True),
    ],
)
def test_only_pages_of_full_size_are_warned_of(tmp_path, sizes, options, warned, caplog):
    full = pages(tmp_path / "x.tif", *sizes, **options)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").pixels, full)
    assert ("the first is read" in caplog.text) == warned


def test_raw_files_and_odd_kinds_say_what_to_do(tmp_path):
    with pytest.raises(PictureError, match="camera raw: develop it first"):
        read(tmp_path, RAMP, photometric="minisblack", extratags=[(50706, 1, 4, b"\1\4\0\0", True)])
    with pytest.raises(PictureError, match="camera raw: develop it first"):
        read(tmp_path, RAMP, photometric="cfa", extratags=[(33421, 3, 2, (2, 2), True)])
    with pytest.raises(PictureError, match="complex64 values: save it with 16-bit"):
        read(tmp_path, RAMP.astype(np.complex64), photometric="minisblack")


def test_a_tiff_that_ends_before_its_pixels_do_is_refused(tmp_path):
    for options in ({}, {"compression": "zlib", "rowsperstrip": 4}):
        read(tmp_path, RAMP, photometric="miniswhite", **options)
        data = (tmp_path / "x.tif").read_bytes()
        with tifffile.TiffFile(tmp_path / "x.tif") as tif:
            end = tif.pages[0].dataoffsets[-1] + 3
        (tmp_path / "x.tif").write_bytes(data[:end])
        with pytest.raises(PictureError, match="damaged or incomplete"):
            read_picture(tmp_path / "x.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_what_is_written_is_read_by_others(tmp_path, channels, dtype):
    levels = LEVELS[..., :channels].astype(dtype)
    write_tiff(tmp_path / "x.tif", levels, Metadata(dpi=(300.0, 250.0)))
    with tifffile.TiffFile(tmp_path / "x.tif") as tif:
        page = tif.pages[0]
        np.testing.assert_array_equal(page.asarray(), levels)
        assert {270, 305, 306}.isdisjoint(page.tags.keys())  # nothing that nobody said
        assert page.resolution == (300, 250)
        assert page.extrasamples == ((2,) if channels == 4 else ())
    if dtype == np.uint8:
        with Image.open(tmp_path / "x.tif") as image:
            np.testing.assert_array_equal(np.asarray(image), levels)
            assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
