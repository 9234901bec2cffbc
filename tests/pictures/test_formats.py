"""formats: one list says which files are pictures, which are written, and what to do of others."""

import pytest
from PIL import Image

from colorize_hub.pictures import formats
from colorize_hub.pictures.picture import PictureError, read_picture
from colorize_hub.pictures.saving import save_image


def saved(path, format_name, mode="RGB"):
    formats.register(format_name)
    Image.linear_gradient("L").convert(mode).save(path, format_name)
    return path


@pytest.mark.parametrize("one", formats.FORMATS, ids=lambda one: one.endings[0])
def test_every_format_of_the_list_is_read_and_written_as_it_says(tmp_path, one):
    source = saved(tmp_path / f"in{one.endings[0]}", one.name)
    picture = read_picture(source)
    assert (picture.width, picture.height) == (256, 256)
    for ending in one.endings:
        name = f"x{ending.upper()}"
        assert formats.is_read(name)
        assert formats.unread(name) is None
        assert (formats.written_format(name) == one.name) == one.written
    target = tmp_path / f"out{formats.suffix_of(one.name)}"
    save_image(Image.linear_gradient("L").convert("RGB"), target)
    with Image.open(target) as written:
        assert written.format == (one.name if target.suffix in one.endings else "PNG")


def test_no_ending_stands_twice():
    endings = [ending for one in formats.FORMATS for ending in one.endings]
    assert len(set(endings)) == len(endings)
    assert set(formats.read_endings()) == set(endings)  # with the extra that the tests need
    assert not any(formats.unread(f"x{ending}") for ending in endings)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.dng", b"II*\0\x08\0\0\0" + bytes(90), "camera raw: develop it first"),
        ("x.tif", b"II*\0\x10\0\0\0CR\x02\0" + bytes(90), "camera raw: develop it first"),
        ("x.CR3", b"\0\0\0\x18ftypcrx " + bytes(90), "camera raw: develop it first"),
        ("x.jpg", b"FUJIFILMCCD-RAW 0201" + bytes(90), "camera raw: develop it first"),
        ("x.pfm", b"Pf\n2 2\n-1.0\n" + bytes(16), "linear light: .* 16-bit TIFF"),
        ("x.psd", b"8BPS\0\x01" + bytes(6), "layers or lines: export it"),
    ],
)
def test_what_is_known_and_not_read_says_what_to_do(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PictureError, match=rf"{name} is not read, it is .*{said}"):
        read_picture(tmp_path / name)
    if name != "x.tif" and name != "x.jpg":
        assert formats.unread(name) is not None
        assert not formats.is_read(name)


@pytest.mark.parametrize(("name", "spoken"), [("x.heic", "HEIC"), ("x.jxl", "JPEG XL")])
def test_without_the_extra_the_message_names_it(tmp_path, name, spoken, monkeypatch):
    source = saved(tmp_path / name, {"HEIC": "HEIF", "JPEG XL": "JXL"}[spoken])
    (tmp_path / "renamed.jpg").write_bytes(source.read_bytes())
    monkeypatch.setattr(formats, "_is_installed", lambda package: False)
    monkeypatch.setattr(Image, "ID", [kind for kind in Image.ID if kind not in ("HEIF", "JXL")])
    assert not formats.is_read(name)
    assert formats.unread(name) == formats.Unread(
        spoken, "pip install 'colorize-hub[formats]' reads it"
    )
    assert formats.suffix_of({"HEIC": "HEIF", "JPEG XL": "JXL"}[spoken]) == ".png"
    for path in (source, tmp_path / "renamed.jpg"):
        with pytest.raises(PictureError, match=rf"{spoken}: pip install 'colorize-hub\[formats\]'"):
            read_picture(path)
    with pytest.raises(PictureError, match=r"Cannot save .*colorize-hub"):
        save_image(Image.new("RGB", (4, 4)), tmp_path / f"out{source.suffix}")
