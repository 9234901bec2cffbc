"""colorize_hub.pictures.saving: every format that can be written, whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from colorize_hub.pictures import icc
from colorize_hub.pictures.picture import PictureError, read_picture
from colorize_hub.pictures.saving import save_image, writable_suffix
from tests.scenes import difference, scene

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:title>Mill</dc:title></x:xmpmeta>'


def photo(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(PIXELS).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("name", ["out.png", "out.tif", "out.TIFF"])
def test_lossless_formats(tmp_path, name, mode):
    image = photo(mode)
    save_image(image, str(tmp_path / name))
    with Image.open(tmp_path / name) as saved:
        assert saved.info["icc_profile"]
        assert saved.mode == mode
        assert saved.tobytes() == image.tobytes()


@pytest.mark.parametrize("name", ["out.jpg", "out.JPEG", "out.webp"])
def test_lossy_formats(tmp_path, name):
    image = photo().resize((64, 48), Image.Resampling.BICUBIC)
    save_image(image, tmp_path / name)
    with Image.open(tmp_path / name) as saved:
        assert saved.info["icc_profile"]
        error = np.abs(np.asarray(saved).astype(int) - np.asarray(image))
    assert error.mean() < 4


def test_refused_saves(tmp_path):
    with pytest.raises(PictureError, match=r"ending in \.png, .* got '\.xyz'"):
        save_image(photo(), tmp_path / "out.xyz")
    with pytest.raises(PictureError, match="got 'no suffix'"):
        save_image(photo(), tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"create the folder .*gone first"):
        save_image(photo(), tmp_path / "gone" / "out.png")
    with pytest.raises(PictureError, match="RGB or RGBA image, got CMYK"):
        save_image(photo("CMYK"), tmp_path / "out.jpg")
    with pytest.raises(PictureError, match="WEBP ends at 16383"):
        save_image(Image.new("RGB", (17_000, 1)), tmp_path / "out.webp")
    with pytest.raises(PictureError, match=r"JPEG has no transparency .* \.png"):
        save_image(Image.new("RGBA", (4, 4), (9, 9, 9, 254)), tmp_path / "out.jpg")
    save_image(Image.new("RGBA", (4, 4), (9, 9, 9, 255)), tmp_path / "opaque.jpg")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        save_image(photo(), tmp_path / "folder.png")
    assert sorted(os.listdir(tmp_path)) == ["folder.png", "opaque.jpg"]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    closed = photo()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        save_image(closed, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.png"]
    save_image(photo(), path)
    assert read_picture(path).pixels.tobytes() == PIXELS.tobytes()
    assert Path(path).stat().st_mode & 0o044  # not the private mode of a temporary file


@pytest.mark.parametrize("name", ["out.bmp", "out.dib", "out.jp2", "out.j2k"])
def test_other_lossless_formats(tmp_path, name):
    save_image(photo(), tmp_path / name)
    np.testing.assert_array_equal(read_picture(tmp_path / name).pixels, PIXELS)


@pytest.mark.parametrize("suffix", [".jpg", ".avif", ".webp"])
def test_lossy_formats_lose_nothing_that_is_seen(tmp_path, suffix):
    pixels = (scene(80, 120)[..., None] * 0.8 + [50, 30, 0]).astype(np.uint8)
    save_image(Image.fromarray(pixels), tmp_path / f"out{suffix}")
    apart = difference(read_picture(tmp_path / f"out{suffix}").pixels, pixels)
    assert apart.mean() < 3  # of 255; the scene is noisy


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_metadata_is_written(tmp_path, suffix):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Linhof"
    image = photo().resize((64, 48))
    image.info |= {"exif": exif.tobytes(), "xmp": XMP, "dpi": (300.0, 200.0)}
    save_image(image, tmp_path / f"out{suffix}")
    picture = read_picture(tmp_path / f"out{suffix}")
    assert picture.metadata.xmp == XMP
    with Image.open(tmp_path / f"out{suffix}") as saved:
        saved.load()
        assert saved.info["icc_profile"] == icc.srgb_profile()
        assert saved.getexif()[ExifTags.Base.Make] == "Linhof"
    if suffix in (".jpg", ".png", ".tif"):  # the others have no place for it but EXIF
        assert picture.metadata.dpi == pytest.approx((300, 200), abs=0.02)


def test_xmp_too_long_for_jpeg_is_left_out_with_a_warning(tmp_path, caplog):
    image = photo()
    image.info["xmp"] = b"<x>" + bytes(70_000)
    save_image(image, tmp_path / "x.jpg")
    assert "XMP do not fit in a JPEG" in caplog.text
    assert read_picture(tmp_path / "x.jpg").metadata.xmp == b""


def test_which_suffixes_can_be_written():
    kept = ("a.JPG", "a.jpeg", "b.c.png", "a.tiff", "a.webp", "a.avif", "a.bmp", "a.jp2")
    assert [writable_suffix(name) for name in kept] == [Path(name).suffix for name in kept]
    assert {writable_suffix(name) for name in ("a.gif", "a.tga", "a", "a.xyz")} == {".png"}
