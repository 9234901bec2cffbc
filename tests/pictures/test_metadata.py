"""metadata: EXIF orientation applied once, colour profiles converted to sRGB."""

import logging
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from colorize_hub.pictures import icc, metadata
from colorize_hub.pictures.picture import read_picture, save_image, write_like

ORIENTATION = ExifTags.Base.Orientation
D50 = (0.9642, 1.0, 0.8249)
DATE = (2000, 2, 1, 0, 0, 0)
ADOBE_RED, ADOBE_GREEN, ADOBE_BLUE = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
STORED = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
UPRIGHT = {  # by the EXIF standard: where the stored first row and first column belong
    1: STORED,
    2: STORED[:, ::-1],
    3: STORED[::-1, ::-1],
    4: STORED[::-1],
    5: STORED.T,
    6: STORED[::-1].T,
    7: STORED[::-1, ::-1].T,
    8: STORED[:, ::-1].T,
}


def exif_block(orientation: int, **camera: str) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[ExifTags.Base.Make] = camera.get("make", "Voigtländer")
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: "1931:05:01 12:00:00",
        ExifTags.Base.ExifImageWidth: 3,
    }
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (50.0, 3.0, 2.0)}
    return exif.tobytes()


def profile(space: bytes, **tags: bytes) -> bytes:
    """A small ICC profile with the given colour space, PCS XYZ (Lab for CMYK) and tags."""
    pcs = b"Lab " if space == b"CMYK" else b"XYZ "
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        offset = 132 + 12 * len(tags) + len(body)
        table += struct.pack(">4sII", name.encode(), offset, len(data))
        body += data + bytes(-len(data) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">III4s4s4s6H4s", size, 0, 0x02400000, b"mntr", space, pcs, *DATE, b"acsp")
    return head + bytes(28) + xyz(*D50)[8:] + bytes(48) + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(value * 65536) for value in values))


def gamma(exponent: float) -> bytes:
    return b"curv" + struct.pack(">4xIH", 1, round(exponent * 256))


def adobe_rgb() -> bytes:
    curve = gamma(563 / 256)
    primaries = {"rXYZ": xyz(*ADOBE_RED), "gXYZ": xyz(*ADOBE_GREEN), "bXYZ": xyz(*ADOBE_BLUE)}
    return profile(b"RGB ", wtpt=xyz(*D50), rTRC=curve, gTRC=curve, bTRC=curve, **primaries)


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


# --- EXIF ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations(tmp_path, name, orientation):
    Image.fromarray(STORED).convert("RGB").save(
        tmp_path / name,
        exif=exif_block(orientation),
        **({"lossless": True} if "web" in name else {}),
    )
    picture = read_picture(tmp_path / name)
    np.testing.assert_array_equal(picture.pixels[:, :, 0], UPRIGHT[orientation])
    image = Image.fromarray(STORED)
    image.getexif()[ORIENTATION] = orientation
    picture = read_picture(image)
    np.testing.assert_array_equal(picture.pixels[:, :, 0], UPRIGHT[orientation])
    assert image.getexif()[ORIENTATION] == orientation
    assert image.tobytes() == STORED.tobytes()


def test_alpha_is_turned_with_the_pixels():
    image = Image.merge("LA", [Image.fromarray(STORED)] * 2)
    image.getexif()[ORIENTATION] = 6
    picture = read_picture(image)
    np.testing.assert_array_equal(picture.alpha, UPRIGHT[6])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_exif_travels_upright_to_the_saved_file(tmp_path, suffix):
    Image.new("RGB", (6, 4)).save(tmp_path / "in.jpg", exif=exif_block(6))
    for step in range(2):  # twice: what we wrote must not be turned again
        source = tmp_path / ("in.jpg" if step == 0 else f"0{suffix}")
        picture = read_picture(source)
        out = write_like(np.zeros((6, 4, 3), np.uint8), picture)
        assert out.info["icc_profile"] == icc.srgb_profile()
        save_image(out, tmp_path / f"{step}{suffix}")
        with Image.open(tmp_path / f"{step}{suffix}") as saved:
            assert saved.size == (4, 6)
            exif = saved.getexif()
            assert exif.get(ORIENTATION, 1) == 1
            assert exif[ExifTags.Base.Make].startswith("Voigtl")
            details = exif.get_ifd(ExifTags.IFD.Exif)
            assert details[ExifTags.Base.DateTimeOriginal].startswith("1931")
            assert ExifTags.Base.ExifImageWidth not in details
            assert exif.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"


def test_no_exif_in_no_exif_out():
    picture = read_picture(Image.new("L", (6, 4)))
    assert not picture.metadata.exif
    assert "exif" not in write_like(np.zeros((4, 6, 3), np.uint8), picture).info


def test_broken_exif_does_not_stop_the_picture(caplog):
    image = Image.fromarray(STORED)
    image.info["exif"] = b"Exif\0\0not a TIFF header"
    picture = read_picture(image)
    assert not picture.metadata.exif
    assert "EXIF ignored" in caplog.text


def test_exif_too_long_for_jpeg_is_left_out_with_a_warning(tmp_path, caplog):
    block = exif_block(1, make="x" * 70_000)
    save_image(Image.new("RGB", (6, 4)), tmp_path / "x.jpg", exif=block)
    assert "do not fit in a JPEG" in caplog.text
    assert not read_picture(tmp_path / "x.jpg").metadata.exif


# --- XMP and resolution ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dpi", "kept"),
    [
        ((300, 200), (300.0, 200.0)),
        ((0, 0), None),
        ((float("nan"), 300), None),
        ((1e9, 300), None),
        ("300", None),
        (300, None),
        (None, None),
    ],
)
def test_only_a_sane_resolution_is_kept(dpi, kept):
    image = Image.new("L", (6, 4))
    assert metadata.read_dpi(image) is None
    image.info["dpi"] = dpi
    assert metadata.read_dpi(image) == kept
    assert metadata.read_dpi(image, 6) == (kept and kept[::-1])


@pytest.mark.parametrize(
    ("packet", "kept"),
    [
        (b'<x tiff:Orientation="6"/>', b'<x tiff:Orientation="1"/>'),
        (b"<tiff:Orientation>8</tiff:Orientation>", b"<tiff:Orientation>1</tiff:Orientation>"),
        ("<x:xmpmeta/>", b"<x:xmpmeta/>"),
        (bytes(40), b""),
        (b"", b""),
    ],
)
def test_xmp_says_that_the_picture_is_upright(packet, kept):
    image = Image.new("L", (6, 4))
    assert read_picture(image).metadata.xmp == b""
    image.info["xmp"] = packet
    assert read_picture(image).metadata.xmp == kept


# --- ICC -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_adobe_rgb_becomes_srgb(tmp_path, suffix):
    colour = np.array([150, 110, 90])
    to_srgb = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])  # linear, D65
    expected = 255 * encode_srgb(to_srgb @ (colour / 255) ** (563 / 256))
    assert np.abs(expected - colour).max() > 10
    image = Image.new("RGB", (16, 16), tuple(colour.tolist()))
    image.save(tmp_path / f"x{suffix}", icc_profile=adobe_rgb(), quality=100)
    picture = read_picture(tmp_path / f"x{suffix}")
    np.testing.assert_allclose(picture.pixels.reshape(-1, 3)[0], expected, atol=2.5)


def test_srgb_is_left_exactly_as_it_is():
    pixels = np.random.default_rng(2).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    for mode, channels in (("RGB", 3), ("L", 1)):
        image = Image.fromarray(pixels).convert(mode)
        image.info["icc_profile"] = icc.srgb_profile()
        picture = read_picture(image)
        np.testing.assert_array_equal(picture.pixels, np.asarray(image).reshape(30, 40, channels))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("space", ["grey", "rgb"])
def test_grey_pictures_follow_their_profile(dtype, space):
    white = np.iinfo(dtype).max
    levels = np.linspace(0, white, 256).astype(dtype).reshape(16, 16)
    image = Image.fromarray(levels)
    grey = profile(b"GRAY", wtpt=xyz(*D50), kTRC=gamma(563 / 256))
    image.info["icc_profile"] = grey if space == "grey" else adobe_rgb()
    picture = read_picture(image)
    assert (picture.pixels.dtype, picture.pixels.shape) == (dtype, (16, 16, 1))
    expected = white * encode_srgb((levels / white) ** (563 / 256))
    tolerance = 1.1 if space == "grey" else 1.1 * white / 255
    np.testing.assert_allclose(picture.pixels[:, :, 0], expected, atol=tolerance)


def cmyk_where_only_black_counts() -> bytes:
    identity = bytes(range(256))
    grid = b"".join(bytes([0 if corner % 2 else 255, 128, 128]) for corner in range(16))
    matrix = struct.pack(">9i", *(65536 if k % 4 == 0 else 0 for k in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + grid + identity * 3
    return profile(b"CMYK", wtpt=xyz(*D50), A2B0=lut)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_follows_its_profile(tmp_path, suffix):
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    cyan.save(tmp_path / f"plain{suffix}")
    cyan.save(tmp_path / f"icc{suffix}", icc_profile=cmyk_where_only_black_counts())
    assert read_picture(tmp_path / f"plain{suffix}").pixels[0, 0, 0] < 10
    assert (read_picture(tmp_path / f"icc{suffix}").pixels >= 252).all()


@pytest.mark.parametrize(
    ("mode", "icc"),
    [
        ("RGB", b"this is no profile"),
        ("RGB", profile(b"GRAY", wtpt=xyz(*D50), kTRC=gamma(1.0))),
        ("RGB", adobe_rgb()[:300]),
        ("L", b"this is no profile"),
        ("L", cmyk_where_only_black_counts()),
        ("CMYK", adobe_rgb()),
    ],
)
def test_an_unusable_profile_is_ignored_with_a_warning(mode, icc, caplog):
    image = Image.linear_gradient("L").convert(mode)
    plain = read_picture(image).pixels
    image.info["icc_profile"] = icc
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_picture(image).pixels, plain)
    assert "profile ignored" in caplog.text
