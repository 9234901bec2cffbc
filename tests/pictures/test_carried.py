"""What a picture carries arrives byte for byte, or one warning names it; through every format."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize_hub.batch.files import colorize_file
from colorize_hub.pictures import formats
from colorize_hub.pictures.picture import read_picture
from tests.pictures.carriers import (
    AUTHOR,
    CAPTION,
    COMMENT,
    DPI,
    IPTC,
    LENS,
    MAKER_NOTE,
    XMP,
    carrying_jpeg,
    exif_block,
)
from tests.scenes import scene

WITH_EXIF = [".jpg", ".png", ".tif", ".webp", ".avif", ".jp2", ".heic", ".jxl"]
LOST = {
    ".jpg": "",
    ".tif": "comment",  # its description is the caption
    ".png": "IPTC caption",
    ".webp": "IPTC caption, comment",
    ".avif": "IPTC caption, comment",
    ".heic": "IPTC caption, comment",
    ".jxl": "IPTC caption, comment",
    ".jp2": "",
    ".j2k": "EXIF, XMP, resolution, IPTC caption",
    ".bmp": "EXIF, XMP, IPTC caption, comment",
}


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if "no place" in record.message]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", LOST)
def test_everything_is_kept_or_named_in_one_warning(
    tmp_path, tiny_colorizer, suffix, order, caplog
):
    (tmp_path / "in.jpg").write_bytes(carrying_jpeg(order))
    target = tmp_path / f"out{suffix}"
    colorize_file(tiny_colorizer, tmp_path / "in.jpg", target)
    expected = f"{target} has no place for what the picture carried: {LOST[suffix]}; left out"
    assert warnings_of(caplog) == ([expected] if LOST[suffix] else [])
    held, written = read_picture(target).metadata, target.read_bytes()
    if suffix in WITH_EXIF:
        for text in (CAPTION, AUTHOR, LENS, MAKER_NOTE):
            assert text in written
        assert held.xmp == XMP
    if "resolution" not in LOST[suffix]:
        assert held.dpi == pytest.approx(DPI, abs=0.02)
    assert held.iptc == (b"" if "IPTC" in LOST[suffix] else IPTC)
    if suffix == ".png":
        assert held.texts == (("Comment", COMMENT.decode()),)
    else:
        assert held.comments == (() if "comment" in LOST[suffix] else (COMMENT,))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", WITH_EXIF)
def test_text_in_exif_is_the_same_bytes_to_other_readers(tmp_path, tiny_colorizer, suffix, order):
    (tmp_path / "in.jpg").write_bytes(carrying_jpeg(order))
    target = tmp_path / f"out{suffix}"
    colorize_file(tiny_colorizer, tmp_path / "in.jpg", target)
    if suffix == ".tif":
        with tifffile.TiffFile(target) as tif:
            tags = tif.pages[0].tags
            assert tags[270].value.encode() in (CAPTION, CAPTION.decode().encode())
            assert tags[34665].value["LensModel"] == LENS.decode()
            assert tags[34665].value["MakerNote"] == MAKER_NOTE
            assert bytes(tags[33723].value) == IPTC
        return
    if suffix == ".jp2":  # Pillow passes over its boxes
        block = target.read_bytes().partition(b"JpgTiffExif->JP2")[2]
    else:
        with Image.open(target) as image:
            block = image.info["exif"]
    exif = Image.Exif()
    exif.load(block)
    assert exif[270].encode("latin-1") == CAPTION  # in which Pillow decodes all text
    assert exif[315].encode("latin-1") == AUTHOR
    assert exif.get_ifd(34665)[0xA434].encode("latin-1") == LENS
    assert exif.get_ifd(34665)[37500] == MAKER_NOTE


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".heic"])
@pytest.mark.parametrize("target", [".jpg", ".tif", ".webp"])
def test_exif_of_every_format_arrives_in_others(tmp_path, tiny_colorizer, suffix, target):
    formats.register("HEIF")
    image = Image.fromarray(scene(40, 60)).convert("RGB")
    image.save(tmp_path / f"in{suffix}", exif=exif_block())
    colorize_file(tiny_colorizer, tmp_path / f"in{suffix}", tmp_path / f"out{target}")
    written = (tmp_path / f"out{target}").read_bytes()
    for text in (CAPTION, AUTHOR, LENS, MAKER_NOTE):
        assert text in written
    assert read_picture(tmp_path / f"out{target}").metadata.dpi == DPI


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", [7, 4])  # IPTC is bytes, or bytes that claim to be long numbers
def test_what_a_tiff_carries(tmp_path, tiny_colorizer, order, dtype, kind):
    iptc = IPTC + bytes(-len(IPTC) % 4)
    tags = [
        (315, 2, len(AUTHOR) + 1, AUTHOR + b"\0", True),
        (700, 1, len(XMP), XMP, True),
        (33723, kind, len(iptc) // (4 if kind == 4 else 1), iptc, True),
    ]
    tifffile.imwrite(
        tmp_path / "in.tif",
        scene(40, 60, dtype=dtype),
        photometric="minisblack",
        description=CAPTION,
        metadata=None,
        byteorder=order,
        extratags=tags,
    )
    for suffix in (".tif", ".jpg"):
        colorize_file(tiny_colorizer, tmp_path / "in.tif", tmp_path / f"out{suffix}")
        held = read_picture(tmp_path / f"out{suffix}").metadata
        assert held.exif.main[270].data.rstrip(b"\0") == CAPTION
        assert held.exif.main[315].data.rstrip(b"\0") == AUTHOR
        assert (held.xmp, held.iptc) == (XMP, iptc)
        assert held.dpi is None  # for none was told


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png", ".jp2"])
def test_a_tiff_without_resolution_leaves_without(tmp_path, tiny_colorizer, suffix, dtype):
    Image.fromarray(scene(40, 60, dtype=dtype)).save(tmp_path / "in.tif")
    with tifffile.TiffFile(tmp_path / "in.tif") as tif:
        assert {282, 283, 296}.isdisjoint(tif.pages[0].tags.keys())
    target = tmp_path / f"out{suffix}"
    colorize_file(tiny_colorizer, tmp_path / "in.tif", target)
    with Image.open(target) as image:
        assert image.info.get("dpi", (1, 1)) == (1, 1)
    assert read_picture(target).metadata.dpi is None
    if suffix == ".tif":
        with tifffile.TiffFile(target) as tif:
            assert {282, 283, 296}.isdisjoint(tif.pages[0].tags.keys())
            np.testing.assert_array_equal(tif.asarray(), read_picture(target).pixels)


@pytest.mark.parametrize(("unit", "inches"), [("inch", 1), ("centimeter", 2.54)])
def test_the_resolution_of_a_tiff_is_told_by_others_too(tmp_path, tiny_colorizer, unit, inches):
    told = {"resolution": (120, 80), "resolutionunit": unit}
    tifffile.imwrite(tmp_path / "in.tif", scene(40, 60), metadata=None, **told)
    colorize_file(tiny_colorizer, tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as tif:
        assert tif.pages[0].resolution == pytest.approx((120 * inches, 80 * inches))
        assert tif.pages[0].resolutionunit == 2
    tifffile.imwrite(
        tmp_path / "in.tif", scene(40, 60), metadata=None, **told | {"resolutionunit": "none"}
    )
    assert read_picture(tmp_path / "in.tif").metadata.dpi is None  # a shape of pixels


def test_iptc_among_photoshops_resources_of_a_tiff(tmp_path):
    resources = b"8BIM" + struct.pack(">H", 0x03ED) + b"\0\0" + struct.pack(">I", 3) + b"abc\0"
    resources += (
        b"8BIM" + struct.pack(">H", 0x0404) + b"\x03two" + struct.pack(">I", len(IPTC)) + IPTC
    )
    tag = (34377, 7, len(resources), resources, True)
    tifffile.imwrite(tmp_path / "x.tif", scene(40, 60), metadata=None, extratags=[tag])
    assert read_picture(tmp_path / "x.tif").metadata.iptc == IPTC


def test_texts_of_a_png_stay_in_png_and_are_named_elsewhere(tmp_path, tiny_colorizer, caplog):
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Author", "José")
    texts.add_itxt("Description", "Großmutter 祖母")
    for dtype in (np.uint8, np.uint16):
        image = Image.fromarray(scene(40, 60, dtype=dtype))
        image.save(tmp_path / "in.png", pnginfo=texts)
        colorize_file(tiny_colorizer, tmp_path / "in.png", tmp_path / "out.png")
        with Image.open(tmp_path / "out.png") as made:
            assert made.info["Author"] == "José"
            assert made.info["Description"] == "Großmutter 祖母"
        assert not warnings_of(caplog)
    colorize_file(tiny_colorizer, tmp_path / "in.png", tmp_path / "out.jpg")
    assert "texts (Author, Description); left out" in warnings_of(caplog)[0]


def test_several_comments_and_a_pil_image(tmp_path, tiny_colorizer):
    data = carrying_jpeg().replace(b"\xff\xfe", b"\xff\xfe\0\x05one\xff\xfe", 1)
    (tmp_path / "in.jpg").write_bytes(data)
    colorize_file(tiny_colorizer, tmp_path / "in.jpg", tmp_path / "out.jpg")
    assert read_picture(tmp_path / "out.jpg").metadata.comments == (b"one", COMMENT)
    with Image.open(io.BytesIO(data)) as image:
        coloured = tiny_colorizer.colorize(image)
    for text in (CAPTION, AUTHOR, LENS, MAKER_NOTE):
        assert text in coloured.info["exif"]
    coloured.save(tmp_path / "pil.jpg", exif=coloured.info["exif"])  # as Pillow's users do
    assert CAPTION in (tmp_path / "pil.jpg").read_bytes()
    assert COMMENT in (tmp_path / "pil.jpg").read_bytes()
    assert coloured.info["dpi"] == DPI


def test_exif_that_was_changed_by_hand_counts(tiny_colorizer):
    with Image.open(io.BytesIO(carrying_jpeg())) as image:
        image.getexif()[315] = "Jos\xc3\xa9 M."  # in the latin-1 of Pillow's values
        block = tiny_colorizer.colorize(image).info["exif"]
    assert AUTHOR + b" M." in block
    assert CAPTION in block


def test_a_note_of_the_old_shape_is_no_caption(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", scene(40, 60))  # {"shape": [40, 60]}
    assert 270 not in read_picture(tmp_path / "x.tif").metadata.exif.main
