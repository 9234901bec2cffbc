"""colorize_hub.pictures.jpeg_end: no end marker is no fault, a part that is missing is one."""

import io

import numpy as np
import pytest
from PIL import Image

from colorize_hub.batch.files import colorize_file
from colorize_hub.pictures.picture import PictureError, read_picture
from tests.pictures.picture_files import saved
from tests.scenes import scene

KINDS = [
    {},
    {"progressive": True},
    {"optimize": True, "subsampling": "4:2:0"},
    {"restart_marker_rows": 1},
    {"progressive": True, "subsampling": "4:2:0", "quality": 100},
]


def jpeg(mode="RGB", **options):
    grey = Image.fromarray(scene(60, 90))
    return saved(grey.convert(mode), "JPEG", **{"quality": 90} | options)


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", KINDS, ids=str)
def test_a_jpeg_without_its_end_marker_is_read_whole(tmp_path, mode, options, lost, caplog):
    data = jpeg(mode, **options)
    (tmp_path / "whole.jpg").write_bytes(data)
    (tmp_path / "x.jpg").write_bytes(data[:-lost])
    picture = read_picture(tmp_path / "x.jpg")
    np.testing.assert_array_equal(picture.pixels, read_picture(tmp_path / "whole.jpg").pixels)
    assert "x.jpg lacks its end marker, but every pixel is there" in caplog.text


@pytest.mark.parametrize("lost", [12, 40, 400])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", KINDS, ids=str)
def test_a_jpeg_that_lacks_pixels_is_refused(tmp_path, mode, options, lost):
    (tmp_path / "x.jpg").write_bytes(jpeg(mode, **options)[:-lost])
    with pytest.raises(PictureError, match=r"damaged or incomplete .*truncated"):
        read_picture(tmp_path / "x.jpg")


def test_a_progressive_jpeg_that_ends_between_two_scans_is_refused(tmp_path):
    data = jpeg("RGB", progressive=True)
    markers = [i for i in range(len(data)) if data[i : i + 2] in (b"\xff\xda", b"\xff\xc4")]
    between = [i for i in markers if i > data.index(b"\xff\xda")]
    assert len(between) > 4
    for end in between:
        (tmp_path / "x.jpg").write_bytes(data[:end])
        with pytest.raises(PictureError, match="damaged or incomplete"):
            read_picture(tmp_path / "x.jpg")


def test_metadata_is_there_and_the_file_is_coloured(tmp_path, tiny_colorizer):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Linhof"
    (tmp_path / "x.jpg").write_bytes(jpeg("L", exif=exif, comment=b"on the back")[:-2])
    colorize_file(tiny_colorizer, tmp_path / "x.jpg", tmp_path / "out.jpg")
    with Image.open(io.BytesIO((tmp_path / "out.jpg").read_bytes())) as image:
        assert image.size == (60, 90)
        assert image.getexif()[0x010F] == "Linhof"
        assert image.info["comment"] == b"on the back"
