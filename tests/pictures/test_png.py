"""colorize_hub.pictures.png: 16 bits a channel, against another writer; colours without profile."""

import io
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from colorize_hub.pictures.picture import PictureError, read_picture
from tests.pictures.picture_files import RGB, chunk, png, saved, with_chunk
from tests.pictures.test_metadata import UPRIGHT, adobe_rgb, encode_srgb

LEVELS = np.random.default_rng(0).integers(0, 65536, (21, 34, 4), dtype=np.uint16)
RAMP = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, 256, 1).repeat(4, axis=0)
P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)  # in 1/100000


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


def file_of(folder, data):
    (folder / "x.png").write_bytes(data)
    return folder / "x.png"


def test_interlaced_png_is_read_with_all_its_bits(tmp_path):
    levels, rows = LEVELS[:8, :8, :3], []
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    for top, left, down, across in (*passes, (1, 0, 2, 1)):  # Adam7
        rows += [b"\0" + row.astype(">u2").tobytes() for row in levels[top::down, left::across]]
    data = bytearray(png(8, 8, 16, 2, b"".join(rows)))
    header = bytes(data[12:28]) + b"\1"
    data[12:33] = chunk(b"IHDR", header[4:])[4:]
    np.testing.assert_array_equal(read_picture(file_of(tmp_path, bytes(data))).pixels, levels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations(tmp_path, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = np.dstack([UPRIGHT[1].astype(np.uint16) * 300] * 3)
    path = file_of(tmp_path, filtered_png(stored, chunk(b"eXIf", exif.tobytes()[6:])))
    turned = read_picture(path).pixels[..., 0]
    np.testing.assert_array_equal(turned, UPRIGHT[orientation].astype(np.uint16) * 300)


def test_a_transparent_colour_becomes_alpha(tmp_path):
    clear = chunk(b"tRNS", struct.pack(">3H", *LEVELS[3, 5, :3]))
    picture = read_picture(file_of(tmp_path, filtered_png(LEVELS[:, :, :3], clear)))
    alpha = picture.alpha
    assert (alpha[3, 5], alpha.min(), (alpha == 0).sum()) == (0, 0, 1)
    np.testing.assert_array_equal(picture.pixels, LEVELS[:, :, :3])  # what lies under it as well


def test_a_damaged_png_of_16_bits_is_refused(tmp_path):
    data = filtered_png(LEVELS[:, :, :3])
    with pytest.raises(PictureError, match="damaged or incomplete"):
        read_picture(file_of(tmp_path, data[: len(data) // 2]))


def ramp_png(channels, *chunks):
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in RAMP.repeat(channels, axis=2))
    return png(256, 4, 16, {1: 0, 3: 2}[channels], rows, *chunks)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("stored", "exponent"), [(100_000, 1.0), (55_556, 1.8)])
def test_gamma_is_followed(tmp_path, channels, stored, exponent):
    path = file_of(tmp_path, ramp_png(channels, chunk(b"gAMA", struct.pack(">I", stored))))
    expected = 65535 * encode_srgb((RAMP / 65535) ** exponent)
    np.testing.assert_allclose(read_picture(path).pixels[..., :1], expected, atol=12)


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"gAMA", struct.pack(">I", 45_455))],  # as good as sRGB
        [chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))],  # sRGB counts
        [chunk(b"cICP", bytes([1, 13, 0, 1])), chunk(b"gAMA", struct.pack(">I", 100_000))],
        [chunk(b"gAMA", struct.pack(">I", 0))],  # nonsense
    ],
)
def test_gamma_that_says_srgb_or_nothing_changes_nothing(tmp_path, chunks):
    path = file_of(tmp_path, ramp_png(3, *chunks))
    np.testing.assert_array_equal(read_picture(path).pixels, RAMP.repeat(3, axis=2))


@pytest.mark.parametrize("bits", [8, 16])
def test_chromaticities_and_coding_points_are_followed(tmp_path, bits):
    """Display P3 by cHRM, and by cICP, which counts more than gAMA."""
    colour = np.array([200, 80, 80])
    linear = ((colour / 255 + 0.055) / 1.055) ** 2.4
    matrix = [[1.2249, -0.2249, 0], [-0.0421, 1.0421, 0], [-0.0196, -0.0786, 1.0983]]
    expected = 255 * encode_srgb(np.clip(matrix @ linear, 0, 1))
    pixels = np.broadcast_to(colour, (4, 6, 3)).astype(np.uint8)
    levels = pixels.astype(f">u{bits // 8}") * (257 if bits == 16 else 1)
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    gamma = chunk(b"gAMA", struct.pack(">I", 45_455))
    for chunks, tolerance in (
        ([gamma, chunk(b"cHRM", struct.pack(">8I", *P3))], 2.5),  # its power is not quite sRGB's
        ([chunk(b"cICP", bytes([12, 13, 0, 1]))], 1.1),
    ):
        got = read_picture(file_of(tmp_path, png(6, 4, bits, 2, rows, *chunks))).pixels
        apart = np.abs(got[0, 0] / (257 if bits == 16 else 1) - expected)
        assert apart.max() < tolerance
        assert np.abs(got[0, 0] / (257 if bits == 16 else 1) - colour).max() > 8


def test_a_pil_image_follows_its_gamma(tmp_path):
    path = file_of(tmp_path, saved(Image.fromarray(RGB), "PNG"))
    plain = path.read_bytes()
    path.write_bytes(with_chunk(plain, b"gAMA", struct.pack(">I", 100_000)))
    with Image.open(path) as image:
        opened = read_picture(image).pixels
    np.testing.assert_array_equal(opened, read_picture(path).pixels)
    np.testing.assert_allclose(opened, 255 * encode_srgb(RGB / 255), atol=1.1)


def test_a_profile_counts_more_than_gamma(tmp_path):
    plain = saved(Image.fromarray(RGB), "PNG", icc_profile=adobe_rgb())
    expected = read_picture(Image.open(io.BytesIO(plain))).pixels
    data = plain[:33] + chunk(b"gAMA", struct.pack(">I", 100_000)) + plain[33:]
    np.testing.assert_array_equal(read_picture(file_of(tmp_path, data)).pixels, expected)
    assert (expected != RGB).any()


def test_of_an_animated_png_the_first_frame_is_read_and_named(tmp_path, caplog):
    first = Image.fromarray(RGB)
    others = [Image.fromarray(255 - RGB)]
    path = file_of(tmp_path, saved(first, "PNG", save_all=True, append_images=others))
    np.testing.assert_array_equal(read_picture(path).pixels, RGB)
    assert "2 pages or frames; the first is read" in caplog.text
