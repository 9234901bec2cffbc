"""picture: what comes in decides what goes out, and every bad input says why."""

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from colorize_hub.pictures.picture import MAX_PIXELS, PictureError, read_picture, write_like

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def photo(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(PIXELS).convert(mode)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)


# --- what comes in decides what goes out -----------------------------------------------------


def test_file_in_pil_out(tmp_path):
    photo().save(tmp_path / "in.png")
    for path in (tmp_path / "in.png", str(tmp_path / "in.png")):
        picture = read_picture(path)
        assert (picture.kind, picture.height, picture.width) == ("file", 5, 7)
        np.testing.assert_array_equal(picture.pixels, PIXELS)
        out = write_like(picture.pixels, picture)
        assert isinstance(out, Image.Image)
        assert (out.mode, out.size) == ("RGB", (7, 5))
        np.testing.assert_array_equal(np.asarray(out), PIXELS)


def test_pil_in_pil_out_with_alpha():
    image = photo("RGBA")
    image.putalpha(Image.fromarray(PIXELS[:, :, 0]))
    picture = read_picture(image)
    out = write_like(PIXELS, picture)
    assert picture.kind == "pil"
    assert isinstance(out, Image.Image)
    assert out.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(out), np.dstack([PIXELS, PIXELS[:, :, 0]]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_array_in_array_out(dtype, channels):
    array = (np.arange(35 * (channels or 1)) % 2).astype(dtype)
    array = array.reshape((5, 7) if channels is None else (5, 7, channels))
    picture = read_picture(array)
    assert picture.kind == "array"
    assert picture.pixels.shape == (5, 7, 3 if channels in (3, 4) else 1)
    assert picture.float_array == (array.dtype.kind == "f")
    out = write_like(np.repeat(picture.pixels, 3, axis=2)[:, :, :3], picture)
    assert isinstance(out, np.ndarray)
    assert out.dtype == (np.float32 if picture.float_array else dtype)
    assert out.shape == (5, 7, 4 if channels in (2, 4) else 3)
    if channels in (2, 4):
        np.testing.assert_array_equal(out[:, :, 3], array[:, :, -1])


ROUND_TRIPS = st.sampled_from([np.uint8, np.uint16, np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        st.tuples(st.integers(1, 9), st.integers(2, 9), st.sampled_from([3, 4])),
        elements={"min_value": 0, "max_value": 1} if np.dtype(dtype).kind == "f" else None,
    )
)


@given(ROUND_TRIPS)
@settings(max_examples=60, deadline=None)
def test_writing_the_pixels_back_gives_the_array(array):
    before = array.copy()
    picture = read_picture(array)
    out = write_like(picture.pixels, picture)
    tolerance = 0.51 / 65535 if picture.float_array else 0
    np.testing.assert_allclose(np.asarray(out), array, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(array, before)


def test_views_and_foreign_byte_order_are_read_as_they_look():
    for view in (PIXELS[::-1, ::-1], PIXELS[:, :, ::-1], PIXELS.astype(">u2")):
        picture = read_picture(view)
        np.testing.assert_array_equal(picture.pixels, view)
        assert picture.pixels.flags.c_contiguous
        assert picture.pixels.dtype.isnative


def test_sixteen_bits_round_to_nearest_in_pil_output():
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    picture = read_picture(Image.fromarray(levels))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], levels)
    out = write_like(np.dstack([levels] * 3), picture)
    np.testing.assert_array_equal(np.asarray(out)[:, :, 0], np.rint(levels / 257))


def test_eight_bit_colours_fill_a_sixteen_bit_picture():
    picture = read_picture(PIXELS.astype(np.uint16))
    np.testing.assert_array_equal(
        np.asarray(write_like(PIXELS, picture)), PIXELS.astype(np.uint16) * 257
    )


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 31), (17, 1), (3, 5), (33, 7)])
def test_odd_sizes(shape, tmp_path):
    grey = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    Image.fromarray(grey).save(tmp_path / "in.png")
    for source in (grey, Image.fromarray(grey), tmp_path / "in.png"):
        picture = read_picture(source)
        assert picture.pixels.shape == (*shape, 1)
        out = write_like(np.dstack([grey] * 3), picture)
        assert np.asarray(out).shape == (*shape, 3)


def test_colours_of_another_size_or_type_are_refused():
    picture = read_picture(PIXELS)
    with pytest.raises(PictureError, match=r"shape \(5, 7, 3\), got uint8 \(7, 5, 3\)"):
        write_like(PIXELS.transpose(1, 0, 2), picture)
    with pytest.raises(PictureError, match="got float64"):
        write_like(PIXELS / 255.0, picture)


@pytest.mark.parametrize("name", ["in.png", "in.tif"])
def test_threads_may_share_a_lazily_opened_image(tmp_path, name):
    large = Image.fromarray(np.tile(PIXELS, (90, 60, 1)))
    large.save(tmp_path / name)
    for _ in range(3):
        with Image.open(tmp_path / name) as image, ThreadPoolExecutor(8) as pool:
            pictures = list(pool.map(read_picture, [image] * 8))
        assert all(picture.pixels.tobytes() == large.tobytes() for picture in pictures)


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"no picture at all, only text", "is not a picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not a picture"),
        (png_header(50_000, 50_000), "50000 x 50000 = 2,500,000,000 pixels, more than the limit"),
        (png_header(10_000, 10_000), "bytes that claim to be"),  # PIL would warn of a bomb
        (png_header(1, 1), "single pixel"),
    ],
)
def test_bad_files(tmp_path, content, message):
    path = tmp_path / "in.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=message):
        read_picture(path)


@pytest.mark.parametrize("name", ["in.jpg", "in.png", "in.webp", "in.tif", "in.gif", "in.bmp"])
def test_truncated_files(tmp_path, name):
    path = tmp_path / name
    photo().resize((64, 64)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(PictureError, match=r"in\.\w+ is damaged or incomplete"):
        read_picture(path)
    if name != "in.webp":  # PIL reads these lazily, so a caller can hand over a truncated image
        with Image.open(path) as image, pytest.raises(PictureError, match="the PIL image is dam"):
            read_picture(image)


def test_bad_paths(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no picture file at .*gone\.png"):
        read_picture(tmp_path / "gone.png")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_picture(tmp_path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (np.zeros((4, 0), np.uint8), "no pixels"),
        (np.zeros((1, 1, 3), np.uint8), "single pixel"),
        (np.broadcast_to(np.uint8(0), (50_000, 50_000)), f"limit of {MAX_PIXELS:,}"),
        (np.full((4, 4), np.nan), r"finite floats in 0\.\.1, got nan"),
        (np.full((4, 4), np.inf, np.float32), r"finite floats in 0\.\.1, got inf"),
        (np.full((4, 4), -0.1), r"got -0\.1"),
        (np.full((4, 4, 3), 255.0), "got 255"),
        (np.zeros(9, np.uint8), r"\(H, W\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), "one picture at a time"),
        (np.zeros((3, 40, 50), np.uint8), "channels last"),
        (np.zeros((4, 4), np.int64), "got int64"),
        (np.zeros((4, 4), bool), "got bool"),
        (np.zeros((4, 4), object), "got object"),
    ],
)
def test_bad_arrays(array, message):
    with pytest.raises(PictureError, match=message):
        read_picture(array)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "got NoneType"),
        (7, "got int"),
        (b"\x89PNG", r"got bytes\. Open bytes and streams with PIL"),
        ([[0, 0]], "got list"),
        (Image.new("RGB", (0, 5)), "no pixels"),
        (Image.new("L", (1, 1)), "single pixel"),
    ],
)
def test_bad_objects(image, message):
    with pytest.raises(PictureError, match=message):
        read_picture(image)


def test_a_file_that_can_only_be_a_bomb_is_not_opened(tmp_path):
    (tmp_path / "x.png").write_bytes(png_header(12_000, 12_000))
    with pytest.raises(PictureError, match=r"bytes that claim to be 12000 x 12000"):
        read_picture(tmp_path / "x.png")
    Image.new("1", (4000, 4000)).save(tmp_path / "blank.png")  # small enough for any content
    assert read_picture(tmp_path / "blank.png").width == 4000


def test_more_pages_than_the_first_are_told_of(tmp_path, caplog):
    pages = [photo(), photo("L"), photo("L")]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").pixels, PIXELS)
    assert "x.tif has 3 pages or frames; the first is read" in caplog.text
