"""Downloads of the worker carry what the photo's file carried, or a note names what they do not."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize_hub.pictures.picture import read_picture
from colorize_hub.pictures.saving import save_levels
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.worker_site import Worker, file_of, served
from tests.pictures.carriers import AUTHOR, CAPTION, COMMENT, DPI, IPTC, LENS, XMP, carrying_jpeg
from tests.pictures.test_metadata import adobe_rgb

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def worker(chromium, worker_site):
    with served(worker_site) as place, chromium.new_context() as context:
        context.set_default_timeout(TIMEOUT_MS)
        worker = Worker(context.new_page(), place[0])
        worker.start()
        yield worker


@pytest.fixture
def download(worker):
    """Gives the download of a file, and what was noted of it."""

    def download(content, name):
        before = len(worker.notes())
        found = worker.ask("colorize_with_hints", content, "", file=name)
        return found, worker.notes()[before:]

    return download


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    path = tmp_path_factory.mktemp("held") / "in.jpg"
    path.write_bytes(carrying_jpeg())
    return read_picture(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
def test_what_a_file_carries_is_in_the_download(download, held, tmp_path, suffix):
    path = tmp_path / f"in{suffix}"
    save_levels(np.dstack([held.pixels[..., 0]] * 3), path, held.metadata)
    found, notes = download(path.read_bytes(), path.name)
    assert notes == []
    assert found.mode == "RGB"
    for text in (CAPTION, AUTHOR, LENS):
        assert text in found.info["exif"]
    assert found.info["XML:com.adobe.xmp"].encode() == XMP
    if suffix in (".jpg", ".png"):
        assert found.info["dpi"] == pytest.approx(DPI, abs=0.02)
        assert found.text["Comment"] == COMMENT.decode()
    if suffix == ".jpg":
        lines = found.text["Raw profile type iptc"].split("\n")
        assert lines[1:3] == ["iptc", f"{12 + len(IPTC) + len(IPTC) % 2:8}"]
        assert IPTC in bytes.fromhex("".join(lines[3:]))


def _with_mpf(content):
    block = b"MPF\0" + bytes(20)
    return content[:2] + b"\xff\xe2" + (2 + len(block)).to_bytes(2, "big") + block + content[2:]


GREY = Image.linear_gradient("L").resize((80, 60))
DEEP = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("deep.png", file_of(DEEP), "This picture has 16 bits a channel; the download has 8"),
        ("wide.jpg", file_of(GREY.convert("RGB"), "JPEG", icc_profile=adobe_rgb()), "is in sRGB"),
        ("two.jpg", _with_mpf(file_of(GREY, "JPEG")), "Left out of the download: further pictures"),
        ("old.gif", file_of(GREY, "GIF"), "all that the file says besides its pixels"),
    ],
)
def test_what_is_not_kept_is_named_in_one_note(download, name, content, words):
    found, notes = download(content, name)
    assert found.size == GREY.size
    assert len(notes) == 1
    assert words in notes[0]


def test_a_profile_of_srgb_is_no_news(download):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert download(file_of(GREY.convert("RGB"), "JPEG", icc_profile=profile), "a.jpg")[1] == []


def test_a_damaged_block_is_named_and_the_pixels_come(download):
    content = bytearray(file_of(GREY, "JPEG"))
    content[2:2] = b"\xff\xe1\x00\x0cExif\0\0II*\0"  # a directory that begins nowhere
    found, notes = download(bytes(content), "a.jpg")
    assert found.size == GREY.size
    assert "damaged parts" in notes[0]
    assert "exif" not in found.info


def test_a_tiff_that_a_browser_cannot_read_says_where_its_bits_are_kept(download):
    with pytest.raises(
        Exception, match=r"Save it as PNG; the library \(colorize-hub photo\) reads"
    ):
        download(file_of(DEEP, "TIFF"), "scan.tif")
