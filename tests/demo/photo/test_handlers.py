"""What the page and its API call: handlers called directly, as plain functions."""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from colorize_hub import Hint
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.photo.desk import Desk
from colorize_hub.demo.photo.handlers import Handlers
from colorize_hub.demo.photo.pictures import PREVIEW_SIDE
from colorize_hub.pictures.picture import read_picture
from tests.scenes import lightness_of


@pytest.fixture
def handlers(tiny_colorizer, tmp_path):
    return Handlers(Desk(tmp_path / "cache"), ModelShelf(tiny_colorizer))


def grey(height, width):
    rows, columns = np.mgrid[:height, :width]
    return (128 + 60 * np.sin(columns / 7) + 50 * np.sin(rows / 11)).astype(np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "aunt.png"
    Image.fromarray(grey(60, 90)).save(path)
    return str(path)


@pytest.fixture
def file(photo):
    return {"path": photo}


def pixels(picture):
    """Levels of a picture file, or of a data URL."""
    if str(picture).startswith("data:"):
        picture = io.BytesIO(base64.b64decode(picture.partition(",")[2]))
    return np.asarray(Image.open(picture).convert("RGB")).astype(int)


def test_photo_opens_as_before_and_after(handlers, file, tiny_colorizer):
    opened = handlers.open_photo(file)
    assert (opened["width"], opened["height"]) == (90, 60)
    assert opened["vividness"] == tiny_colorizer.config.vividness
    before, after = pixels(opened["before"]), pixels(opened["after"])
    assert abs(before - pixels(file["path"])).mean() < 2
    assert after.shape == before.shape
    assert np.ptp(after, axis=2).mean() > 5


def test_hints_and_vividness_change_the_picture_by_the_decoder_only(handlers, file):
    first = handlers.open_photo(file)["after"]
    sheet = handlers.desk.sheet(file["path"], handlers.models.get(""))
    hinted = handlers.render(file, '[{"x": 30, "y": 20, "rgb": [220, 20, 20], "radius": 9}]')
    assert (pixels(hinted["after"]) != pixels(first)).any()
    muted = handlers.render(file, '{"vividness": 0}')
    assert np.ptp(pixels(muted["after"]), axis=2).mean() < np.ptp(pixels(first), axis=2).mean()
    assert handlers.render(file)["after"] == first
    assert handlers.desk.sheet(file["path"], sheet.model) is sheet


def test_suggestions_are_colours_with_shares(handlers, file):
    found = handlers.suggest_colours(file, 89.9, 59.9)
    assert 1 <= len(found) <= 5
    shares = [one["share"] for one in found]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= part <= 255 for one in found for part in one["rgb"])
    with pytest.raises(gr.Error, match=r"\(90, 0\) lies outside the photo of 90 x 60"):
        handlers.suggest_colours(file, 90, 0)


def test_unsure_places_are_in_the_photo(handlers, file):
    found = handlers.unsure(file)
    assert found["map"].startswith("data:image/png")
    assert all(0 <= one["x"] < 90 and 0 <= one["y"] < 60 for one in found["places"])


def test_variations_are_four_takes_that_can_be_had_again(handlers, file):
    found = handlers.variations(file, seed=8)
    assert [one["take"] for one in found] == [8, 9, 10, 11]
    assert handlers.variations(file, seed=8) == found
    assert len({one["picture"] for one in found}) > 1
    chosen = handlers.render(file, json.dumps({"take": found[2]["take"]}))
    assert chosen["after"] == found[2]["picture"]  # so small a photo is shown whole


def test_reference_lends_its_palette(handlers, file, tmp_path):
    reference = str(tmp_path / "poppies.png")
    red = np.dstack([grey(50, 50), grey(50, 50) // 3, grey(50, 50) // 3])
    Image.fromarray(red.astype(np.uint8)).save(reference)
    lent = handlers.borrow_palette(file, {"path": reference})
    plain = pixels(handlers.render(file)["after"])
    reddened = pixels(handlers.render(file, json.dumps(lent))["after"])
    assert (reddened[..., 0] - reddened[..., 2]).mean() > (
        plain[..., 0] - plain[..., 2]
    ).mean() + 10


def test_saved_hints_fit_the_photo_they_were_made_for(handlers, file):
    document = '{"size": [90, 60], "marks": [{"x": 3, "y": 4, "rgb": [1, 2, 3]}]}'
    read = handlers.read_hints(document, 90, 60)
    assert [list(at) for at in read["marks"][0]["points"]] == [[3, 4]]
    with pytest.raises(gr.Error, match="belong to a picture of 90 x 60"):
        handlers.read_hints(document, 60, 90)


def test_wrong_model_says_so_and_the_own_one_goes_on(handlers, file, tmp_path):
    first = handlers.render(file)
    for call in (
        lambda: handlers.use_model(str(tmp_path / "gone")),
        lambda: handlers.render(file, "", "no such/thing at all"),
    ):
        with pytest.raises(gr.Error):
            call()
    assert handlers.render(file) == first
    assert handlers.use_model(" ")["model"] == ""


def test_photos_come_from_the_given_folders_only(tiny_colorizer, file, photo, tmp_path):
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "link.png").symlink_to(photo)
    (uploads / "own.png").write_bytes(Path(photo).read_bytes())
    strict = Handlers(Desk(tmp_path / "cache"), ModelShelf(tiny_colorizer), (uploads,))
    own = {"path": str(uploads / "own.png")}
    strict.open_photo(own)
    for path in (photo, f"{uploads}/../aunt.png", f"{uploads}/link.png", f"{tmp_path}/gone.png"):
        with pytest.raises(gr.Error, match="is no longer kept here"):
            strict.open_photo({"path": path})
        with pytest.raises(gr.Error, match="is no longer kept here"):
            strict.borrow_palette(own, {"path": path})


def test_full_size_keeps_size_alpha_and_metadata(handlers, tiny_colorizer, tmp_path):
    source = np.dstack([np.repeat(grey(41, 53)[..., None], 3, 2), grey(41, 53)[:, ::-1]])
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Zeiss"
    path = str(tmp_path / "negative.webp")
    Image.fromarray(source).save(path, lossless=True, exact=True, exif=exif)
    hints = '[{"x": 20, "y": 30, "rgb": [220, 20, 20]}]'
    made = handlers.colorize_with_hints({"path": path}, hints, 0.7)
    assert Path(made).name == "negative-color.png"
    with Image.open(made) as image:
        assert image.mode == "RGBA"
        assert image.getexif().get(0x0112, 1) == 1
        assert image.getexif()[0x010F] == "Zeiss"
        expected = tiny_colorizer.colorize(path, [Hint(20, 30, (220, 20, 20))], vividness=0.7)
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("size", [(PREVIEW_SIDE * 2, 40), (3, PREVIEW_SIDE + 1)])
def test_preview_of_a_large_photo_is_small(handlers, tmp_path, size):
    path = str(tmp_path / "large.png")
    Image.new("L", size, 90).save(path)
    opened = handlers.open_photo({"path": path})
    assert max(pixels(opened["before"]).shape) == max(pixels(opened["after"]).shape) == PREVIEW_SIDE
    assert (opened["width"], opened["height"]) == size
    handlers.render(
        {"path": path}, json.dumps([{"x": size[0] - 0.01, "y": size[1] - 0.01, "rgb": [9, 9, 9]}])
    )


def test_sixteen_bits_and_transparency_have_a_preview(handlers, tmp_path):
    deep = str(tmp_path / "deep.tif")
    Image.fromarray(grey(20, 30).astype(np.uint16) * 257).save(deep)
    assert (
        abs(pixels(handlers.open_photo({"path": deep})["before"])[..., 0] - grey(20, 30)).mean() < 2
    )
    made = read_picture(handlers.colorize({"path": deep}, None)).pixels
    levels = lightness_of(grey(20, 30)[..., None].astype(np.uint16) * 257)
    assert made.dtype == np.uint16
    assert (lightness_of(made) - levels).abs().max() < 0.003
    clear = str(tmp_path / "clear.png")
    Image.new("LA", (30, 20), (0, 0)).save(clear)
    opened = handlers.open_photo({"path": clear})
    assert pixels(opened["before"]).min() == pixels(opened["after"]).min() == 255


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bad_files(folder):
    """Name of each bad file, and words of the message it must give."""
    good = folder / "good.jpg"
    Image.fromarray(grey(80, 80)).save(good)
    (folder / "text.jpg").write_text("This is not a picture.")
    (folder / "half.jpg").write_bytes(good.read_bytes()[:-400])
    (folder / "empty.png").touch()
    Image.new("L", (1, 1)).save(folder / "dot.png")
    header = struct.pack(">2I5B", 60_000, 60_000, 8, 0, 0, 0, 0)
    (folder / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")
    )
    return {
        "text.jpg": "not a picture",
        "half.jpg": "damaged or incomplete",
        "empty.png": "empty",
        "dot.png": "single pixel",
        "huge.png": "more than the limit",
        "gone.png": "no longer kept",
    }


@pytest.mark.parametrize(
    "name", ["text.jpg", "half.jpg", "empty.png", "dot.png", "huge.png", "gone.png"]
)
def test_bad_file_gives_our_message(handlers, file, tmp_path, name):
    words = bad_files(tmp_path)[name]
    bad = {"path": str(tmp_path / name)}
    first = handlers.open_photo(file)
    for call in (
        handlers.open_photo,
        handlers.colorize,
        lambda it: handlers.borrow_palette(file, it),
    ):
        with pytest.raises(gr.Error, match=f"^.{name}.*{words}") as error:
            call(bad)
        assert str(tmp_path) not in str(error.value)
    assert handlers.open_photo(file) == first


def test_messages_are_escaped(handlers, tmp_path):
    path = tmp_path / "<b>&.png"
    path.write_text("This is not a picture.")
    with pytest.raises(gr.Error, match=r"&lt;b&gt;&amp;\.png"):
        handlers.open_photo({"path": str(path)})


def test_no_photo_and_impossible_wishes_say_so(handlers, file):
    for call, words in {
        lambda: handlers.open_photo(None): "Drop a photo",
        lambda: handlers.colorize(file, 7): "vividness",
        lambda: handlers.render(file, "{"): "not JSON",
        lambda: handlers.render(file, '[{"x": 900, "y": 2, "rgb": [1, 2, 3]}]'): "outside",
    }.items():
        with pytest.raises(gr.Error, match=words):
            call()
