"""files: a picture file becomes a picture file, with all that it had but its grey."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from colorize_hub.batch.files import colorize_file, target_name, write_picture
from colorize_hub.pictures.picture import PictureError, read_picture
from tests.pictures.test_png import filtered_png
from tests.pictures.test_toning import SEPIA, toned
from tests.scenes import difference, lightness_of, scene

XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6" xmp:Rating="5"/></x:xmpmeta>'


def lightness(path):
    return lightness_of(read_picture(path).pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".bmp", ".jp2"])
def test_a_picture_stays_in_its_format(tmp_path, tiny_colorizer, suffix):
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    Image.fromarray(scene(60, 90)).convert("RGB").save(source)
    before = source.read_bytes()
    colorize_file(tiny_colorizer, source, target)
    assert source.read_bytes() == before
    with Image.open(source) as grey, Image.open(target) as coloured:
        assert (coloured.format, coloured.size, coloured.mode) == (grey.format, grey.size, "RGB")
    assert np.ptp(read_picture(target).pixels.astype(int), axis=2).mean() > 5
    lossless = suffix in (".png", ".tif", ".bmp", ".jp2")
    assert (lightness(target) - lightness(source)).abs().mean() < (0.1 if lossless else 1)


def test_metadata_travels(tmp_path, tiny_colorizer):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "Linhof"
    image = Image.fromarray(scene(60, 90))
    image.save(tmp_path / "in.jpg", exif=exif, xmp=XMP, dpi=(300, 200), quality=95)
    for name in ("out.jpg", "out.png", "out.tif"):
        colorize_file(tiny_colorizer, tmp_path / "in.jpg", tmp_path / name)
        picture = read_picture(tmp_path / name)
        assert (picture.width, picture.height) == (60, 90)  # upright
        assert picture.metadata.dpi == pytest.approx((200, 300), abs=0.02)
        assert picture.metadata.xmp == XMP.replace(b'"6"', b'"1"')
        with Image.open(tmp_path / name) as saved:
            kept = saved.getexif()
            assert kept[ExifTags.Base.Make] == "Linhof"
            assert kept.get(ExifTags.Base.Orientation, 1) == 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_stay_sixteen_bits(tmp_path, tiny_colorizer, suffix, channels):
    grey = scene(60, 90, dtype=np.uint16)
    alpha = np.tile(np.linspace(9000, 65535, 90).astype(np.uint16), (60, 1))
    layers = {1: [grey], 2: [grey, alpha], 3: [grey] * 3, 4: [grey, grey, grey, alpha]}[channels]
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    if suffix == ".png" and channels > 1:
        source.write_bytes(filtered_png(np.dstack(layers)))
    elif channels == 1:
        Image.fromarray(grey).save(source)
    else:
        extra = {"extrasamples": ["unassalpha"]} if channels != 3 else {}
        kind = "minisblack" if channels == 2 else "rgb"
        tifffile.imwrite(
            source, np.dstack(layers), photometric=kind, planarconfig="contig", **extra
        )
    colorize_file(tiny_colorizer, source, target)
    picture = read_picture(target)
    assert picture.pixels.dtype == np.uint16
    if channels in (2, 4):
        np.testing.assert_array_equal(picture.alpha, alpha)
    apart = (lightness(target) - lightness(source)).abs()
    assert apart.max() < 0.003  # L* of half a level is 0.0005 in the shadows


def test_what_has_no_room_for_16_bits_says_so(tmp_path, tiny_colorizer, caplog):
    Image.fromarray(scene(40, 60, dtype=np.uint16)).save(tmp_path / "in.png")
    colorize_file(tiny_colorizer, tmp_path / "in.png", tmp_path / "out.jpg")
    assert "out.jpg is written with 8 bits" in caplog.text
    assert read_picture(tmp_path / "out.jpg").pixels.dtype == np.uint8


def test_a_sepia_print_is_coloured_as_the_neutral_one_unless_its_tint_is_kept(
    tmp_path, tiny_colorizer
):
    sepia = toned(scene(120, 180), SEPIA)
    neutral = lightness_of(sepia)
    Image.fromarray(sepia).save(tmp_path / "sepia.png")
    colorize_file(tiny_colorizer, tmp_path / "sepia.png", tmp_path / "plain.png")
    colorize_file(tiny_colorizer, tmp_path / "sepia.png", tmp_path / "kept.png", keep_toning=True)
    plain, kept = (read_picture(tmp_path / name).pixels for name in ("plain.png", "kept.png"))
    grey = np.rint(255 * grey_of(neutral)).astype(np.uint8)
    expected = tiny_colorizer.colorize(grey)
    assert difference(plain, expected).mean() < 1
    warmer = (kept[..., 0].astype(int) - kept[..., 2]) - (plain[..., 0].astype(int) - plain[..., 2])
    assert warmer.mean() > 10
    for pixels in (plain, kept):
        assert (lightness_of(pixels) - neutral).abs().mean() < 0.15


def grey_of(lightness_):
    from colorize_hub.colour.lab import lightness_to_grey

    return lightness_to_grey(lightness_)[0].numpy()


def test_names():
    names = {"a.jpg": "a.jpg", "b/a.TIFF": "b/a.TIFF", "a.gif": "a.gif.png", "scan": "scan.png"}
    assert {name: target_name(name) for name in names} == {k: Path(v) for k, v in names.items()}


def test_refusals_come_before_any_work_and_the_source_is_safe(tmp_path, tiny_colorizer):
    source = tmp_path / "in.jpg"
    Image.fromarray(scene(40, 60)).save(source)
    before = source.read_bytes()
    with pytest.raises(FileExistsError, match="is the picture itself"):
        colorize_file(tiny_colorizer, source, tmp_path / "." / "in.jpg")
    with pytest.raises(PictureError, match="expected a name ending in"):
        colorize_file(tiny_colorizer, source, tmp_path / "out.gif")
    with pytest.raises(FileNotFoundError, match="no picture file at"):
        colorize_file(tiny_colorizer, tmp_path / "gone.jpg", tmp_path / "out.jpg")
    with pytest.raises(ValueError, match="vividness"):
        colorize_file(tiny_colorizer, source, tmp_path / "out.jpg", vividness=7)
    picture = read_picture(source)
    with pytest.raises(PictureError, match="colours of shape"):
        write_picture(np.zeros((3, 3, 3), np.uint8), picture, tmp_path / "out.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jpg"]
    assert source.read_bytes() == before
