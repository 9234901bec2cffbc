"""`colorize-hub photo` on the files that people bring: the right picture, or what to do."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize_hub.cli import main
from colorize_hub.engines.compose import pixels_to_lightness
from colorize_hub.loading import save
from colorize_hub.pictures import formats
from colorize_hub.pictures.picture import read_picture
from tests.pictures.carriers import CAPTION, IPTC, carrying_jpeg
from tests.pictures.picture_files import packed_tiff, saved
from tests.pictures.test_tiff import in_bits
from tests.scenes import scene

DEEP = scene(60, 90, dtype=np.uint16)
GREY = (DEEP >> 8).astype(np.uint8)


@pytest.fixture(scope="module")
def model(tiny_network, tmp_path_factory):
    return save(tiny_network, tmp_path_factory.mktemp("model"))


@pytest.fixture
def photo(model, tmp_path, monkeypatch, caplog):
    """Runs the command on a file of these bytes; gives what it wrote and what it said."""

    def run(name, data, output=None):
        (tmp_path / name).write_bytes(data)
        paths = [tmp_path / one for one in (name, output) if one]
        arguments = ["colorize-hub", "photo", *map(str, paths), "--model", str(model)]
        monkeypatch.setattr("sys.argv", arguments)
        main()
        (written,) = set(tmp_path.iterdir()) - {tmp_path / name}
        return written, caplog.text

    return run


def tiff_of(folder, values, **options):
    tifffile.imwrite(folder / "made.bin", values, metadata=None, **options)
    data = (folder / "made.bin").read_bytes()
    (folder / "made.bin").unlink()
    return data


def lightness(pixels):
    return pixels_to_lightness(pixels if pixels.ndim == 3 else pixels[:, :, None])


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (65535 - DEEP, {"photometric": "miniswhite"}),
        (65535 - DEEP, {"photometric": "miniswhite", "byteorder": ">"}),
        (1 - DEEP / np.float32(65535), {"photometric": "miniswhite"}),
        (DEEP / 65535, {"photometric": "minisblack"}),
        (np.dstack([DEEP, DEEP]), {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
        (np.dstack([DEEP, DEEP]), {"photometric": "minisblack", "extrasamples": ["unspecified"]}),
        (np.stack([DEEP] * 3), {"photometric": "rgb", "planarconfig": "separate"}),
    ],
)
def test_a_tiff_keeps_its_lightness_and_bits(photo, tmp_path, values, options):
    contig = {"planarconfig": "contig"} if values.ndim == 3 else {}
    written, _ = photo("in.tif", tiff_of(tmp_path, values, **contig | options))
    assert written.name == "in-color.tif"
    picture = read_picture(written)
    assert picture.pixels.dtype == np.uint16
    assert np.abs(lightness(picture.pixels) - lightness(DEEP)).max() < 0.01
    assert (picture.alpha is not None) == (options.get("extrasamples") == ["unassalpha"])
    assert np.ptp(picture.pixels.astype(int), axis=2).mean() > 500


def test_twelve_bits(photo):
    written, _ = photo("in.tif", packed_tiff(in_bits(DEEP, 12), 12))
    apart = lightness(read_picture(written).pixels) - lightness(DEEP)
    assert np.abs(apart).max() < 0.2  # of a step of 12 bits in the shadows


def test_a_jpeg_without_its_end(photo):
    data = saved(Image.fromarray(GREY), "JPEG", quality=95)
    written, said = photo("in.jpg", data[:-2])
    assert "lacks its end marker" in said
    assert np.abs(lightness(read_picture(written).pixels) - lightness(GREY)).mean() < 1


def test_what_it_carries(photo):
    written, _ = photo("in.jpg", carrying_jpeg(), "out.tif")
    data = written.read_bytes()
    assert CAPTION in data
    assert IPTC in data


@pytest.mark.parametrize(("format_name", "suffix"), [("HEIF", ".heic"), ("JXL", ".jxl")])
def test_heic_and_jpeg_xl_stay_what_they_are(photo, format_name, suffix):
    formats.register(format_name)
    image = Image.fromarray(GREY).convert("RGB")
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Linhof", 1
    written, _ = photo(f"in{suffix}", saved(image, format_name, quality=95, exif=exif.tobytes()))
    assert written.name == f"in-color{suffix}"
    with Image.open(written) as made:
        assert (made.format, made.size) == (format_name, (90, 60))
        assert made.getexif()[0x010F] == "Linhof"
    assert np.abs(lightness(read_picture(written).pixels) - lightness(GREY)).mean() < 1.5


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("in.dng", b"II*\0\x08\0\0\0" + bytes(50), "camera raw: develop it first"),
        ("in.pfm", b"Pf\n2 2\n-1.0\n" + struct.pack("<4f", 0, 0.1, 0.5, 1), "linear light"),
        ("in.heic", b"\0\0\0\x24ftypheic" + bytes(60), "damaged|not a picture"),
        ("in.jpg", saved(Image.fromarray(GREY), "JPEG")[:-300], "damaged or incomplete"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(photo, tmp_path, name, data, said):
    with pytest.raises(SystemExit, match=rf"^colorize-hub: .*{name} .*({said})"):
        photo(name, data)
    assert [path.name for path in tmp_path.iterdir()] == [name]
