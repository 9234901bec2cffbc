"""colorize_hub.pictures.jpeg: bands encoded apart are one picture, the same to every decoder."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from colorize_hub.pictures import exif as stored
from colorize_hub.pictures import jpeg
from colorize_hub.pictures.jpeg import BAND, write_jpeg
from colorize_hub.pictures.metadata import Metadata
from colorize_hub.pictures.picture import PictureError
from colorize_hub.pictures.saving import save_image, save_levels

OPTIONS = {"quality": 95, "subsampling": "4:4:4"}


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def decoded(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(jpeg, "_LARGE", 1)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("height", [1, BAND, BAND + 1, 2 * BAND - 9, 2 * BAND, 5 * BAND + 100])
@pytest.mark.parametrize("width", [1, 50])
def test_bands_decode_to_the_pixels_of_the_whole(height, width):
    pixels, whole, banded = noise(height, width), io.BytesIO(), io.BytesIO()
    Image.fromarray(pixels).save(whole, "JPEG", **OPTIONS)
    write_jpeg(banded, lambda rows: Image.fromarray(pixels[rows]), (height, width), OPTIONS, {})
    image = decoded(banded.getvalue())
    assert image.size == (width, height)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(decoded(whole.getvalue())))


@pytest.mark.usefixtures("small_is_large")
def test_images_and_arrays_give_one_file_and_their_metadata_stands_once(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Linhof"
    xmp, dpi = b"<x:xmpmeta>" + bytes(60_000), (300.0, 200.0)
    image = Image.fromarray(noise(2 * BAND + 5, 30))
    image.info |= {"exif": exif.tobytes(), "xmp": xmp, "dpi": dpi}
    save_image(image, tmp_path / "image.jpg")
    with Image.open(tmp_path / "image.jpg") as saved:
        assert saved.getexif()[ExifTags.Base.Make] == "Linhof"
        assert saved.info["dpi"] == (300, 200)
    held = Metadata(stored.parse(exif.tobytes()), xmp, dpi)
    save_levels(np.asarray(image), tmp_path / "a.jpg", held)
    data = (tmp_path / "a.jpg").read_bytes()
    assert data == (tmp_path / "image.jpg").read_bytes()
    assert data.count(b"Linhof") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "image.jpg"]


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(PictureError, match="JPEG ends at 65500"):
        save_levels(np.zeros((65_501, 1, 3), np.uint8), tmp_path / "a.jpg", Metadata())
    assert not list(tmp_path.iterdir())
