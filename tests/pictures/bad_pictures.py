"""A corpus of picture files, good, odd and broken, and what must become of each."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from colorize_hub.pictures import icc
from tests.pictures.picture_files import RGB, WHOLE, chunk, png, png16, saved, tiff


@dataclass(frozen=True)
class Case:
    """A file and its fate.

    Attributes:
        path: of the file.
        fate: picture: it is read; error: it is refused; either: one of the two, but a picture only
            of the right size.
        like: the name of the undamaged file whose lightness a picture must have; empty for any.
        deep: a picture must have 16 bits.
        alpha: a picture must have alpha.
    """

    path: Path
    fate: Literal["picture", "error", "either"]
    like: str = ""
    deep: bool = False
    alpha: bool = False


_ALPHA = (
    *("rgba.png", "grey-alpha.png", "rgba16.png", "grey-alpha16.png", "rgba16.tif"),
    *("grey-alpha16.tif", "lossless.webp"),
)
_DEEP = ("float.tif", "white-float.tif", "bits12.tif")


def make_corpus(folder: Path) -> list[Case]:
    """Writes all files into a folder: a few hundred, each with a name of its own."""
    whole = {name: encode() for name, encode in WHOLE.items()}
    cases = []
    for name, data, case in [*_sound(whole), *_damaged(whole), *_odd(whole), *_bombs()]:
        (folder / name).write_bytes(data)
        cases.append(Case(folder / name, **case))
    return cases


Named = Iterator[tuple[str, bytes, dict]]


def _sound(whole: dict[str, bytes]) -> Named:
    for name, data in whole.items():
        yield (
            name,
            data,
            {
                "fate": "picture",
                "like": name,
                "deep": "16" in name or name in _DEEP,
                "alpha": name in _ALPHA,
            },
        )


def _damaged(whole: dict[str, bytes]) -> Named:
    """Cut off, with flipped bits, empty."""
    flips = np.random.default_rng(0)
    for name, data in whole.items():
        stem, suffix = name.split(".")
        for percent in (10, 60, 98):
            cut = data[: max(1, len(data) * percent // 100)]
            yield f"{stem}-cut{percent}.{suffix}", cut, {"fate": "either", "like": name}
        for number in range(2):
            flipped = bytearray(data)
            for place in flips.integers(0, len(data), 4):
                flipped[place] ^= 1 << int(flips.integers(8))
            yield f"{stem}-flip{number}.{suffix}", bytes(flipped), {"fate": "either"}
    for name in ("rgb.jpg", "grey.jpg", "progressive.jpg", "cmyk.jpg"):  # without the end marker
        yield f"no-end-{name}", whole[name][:-2], {"fate": "picture", "like": name}
        yield f"no-pixels-{name}", whole[name][:-60], {"fate": "error"}
    for suffix in ("jpg", "png", "tif", "webp", "avif", "bmp", "gif", "jp2", "heic", "jxl"):
        yield f"empty.{suffix}", b"", {"fate": "error"}
        yield f"text.{suffix}", b"This is a letter, not a picture.\n" * 40, {"fate": "error"}
        yield f"zeros.{suffix}", bytes(5000), {"fate": "error"}


def _odd(whole: dict[str, bytes]) -> Named:
    """Files with nothing wrong in their pixels."""
    names = ("rgb.jpg", "rgb.png", "rgb.tif", "lossy.webp", "rgb.avif", "rgb.bmp", "grey.gif")
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        suffix = other.split(".")[1]
        yield (
            f"really-{name.replace('.', '-')}.{suffix}",
            whole[name],
            {"fate": "picture", "like": name},
        )
        yield f"no-suffix-{name.replace('.', '-')}", whole[name], {"fate": "picture", "like": name}
    for kind, suffix in (
        ("JPEG", "jpg"),
        ("PNG", "png"),
        ("TIFF", "tif"),
        ("BMP", "bmp"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("JPEG2000", "jp2"),
    ):
        yield f"one.{suffix}", saved(Image.new("RGB", (1, 1)), kind), {"fate": "error"}
        if kind != "WEBP":
            for size in ((1, 20_000), (20_000, 1)):
                data = saved(Image.linear_gradient("L").resize(size), kind)
                yield f"line-{size[0]}.{suffix}", data, {"fate": "picture"}
    raw = {"dng": b"II*\0\x08\0\0\0", "raf": b"FUJIFILMCCD-RAW 0201", "cr3": b"\0\0\0\x18ftypcrx "}
    for suffix, start in raw.items():
        yield f"raw.{suffix}", start + bytes(400), {"fate": "error"}
    yield "linear.pfm", b"Pf\n4 4\n-1.0\n" + bytes(64), {"fate": "error"}
    for label, values in {"nan": np.nan, "negative": -1.0, "huge": 1e9}.items():
        yield f"float-{label}.tif", tiff(np.full((9, 9), values, np.float32)), {"fate": "error"}
    yield "complex.tif", tiff(np.ones((9, 9), np.complex64)), {"fate": "error"}
    yield (
        "many-samples.tif",
        tiff(np.ones((9, 9, 40), np.uint8), photometric="minisblack", planarconfig="contig"),
        {"fate": "error"},
    )
    yield from _odd_metadata(whole)


def _odd_metadata(whole: dict[str, bytes]) -> Named:
    kinds = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "avif": "AVIF"}
    image = Image.fromarray(RGB)
    for suffix, kind in kinds.items():
        sound = {"fate": "picture", "like": f"plain.{suffix}"}
        fine = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
        yield f"plain.{suffix}", saved(image, kind, **fine), sound
        if kind not in ("TIFF", "AVIF"):  # whose encoders refuse it
            blocks = {
                "none": b"Exif\0\0",
                "text": b"Exif\0\0no TIFF",
                "cut": b"Exif\0\0MM\0*\0\0\0\x08\0\x09",
            }
            for label, block in blocks.items():
                yield f"exif-{label}.{suffix}", saved(image, kind, exif=block, **fine), sound
        srgb = icc.srgb_profile()
        for label, profile in {
            "text": b"no profile",
            "cut": srgb[:200],
            "zeros": srgb[:128] + bytes(400),
        }.items():
            yield f"icc-{label}.{suffix}", saved(image, kind, icc_profile=profile, **fine), sound
        for value in (0, 9, 65535):
            exif = Image.Exif()
            exif[0x0112] = value
            yield (
                f"turned-{value}.{suffix}",
                saved(image, kind, exif=exif.tobytes(), **fine),
                sound,
            )
    levels = RGB.astype(np.uint16) * 257
    for suffix, save in (("png", png16), ("tif", tiff)):
        for label, profile in (("text", b"no profile"), ("cut", icc.srgb_profile()[:300])):
            case = {"fate": "picture", "like": f"plain.{suffix}", "deep": True}
            yield f"icc16-{label}.{suffix}", save(levels, profile), case


def _bombs() -> Named:
    """Little files that ask for much memory."""
    error = {"fate": "error"}
    yield "bomb-header.png", png(50_000, 50_000, 8, 2, bytes(100)), error
    rows = bytes(12_000 * (1 + 12_000 // 4))
    yield "bomb-black.png", png(12_000, 12_000, 2, 0, rows), error
    yield "bomb-wide.png", png(2**31 - 1, 1, 1, 0, bytes(100)), error
    yield (
        "bomb-text.png",
        png(4, 4, 8, 0, bytes(20), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8)))),
        error,
    )
    yield (
        "bomb-profile.png",
        png(4, 4, 8, 0, bytes(20), chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8)))),
        {"fate": "either"},
    )
    yield (
        "bomb-screen.gif",
        b"GIF89a"
        + struct.pack("<2H", 65535, 65535)
        + b"\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
        error,
    )
    jpeg = bytearray(saved(Image.new("L", (64, 64)), "JPEG"))
    place = jpeg.index(b"\xff\xc0")
    jpeg[place + 5 : place + 9] = struct.pack(">2H", 65500, 65500)
    yield "bomb-frame.jpg", bytes(jpeg), error
    tags = [
        (256, 4, 1, 10**6),
        (257, 4, 1, 10**6),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 200),
        (279, 4, 1, 10),
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    yield (
        "bomb-size.tif",
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(300),
        error,
    )
    many = struct.pack("<HHII", 273, 4, 2**31, 8)
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags[:5]) + many
    yield "bomb-strips.tif", b"II*\0\x08\0\0\0" + struct.pack("<H", 6) + entries + bytes(300), error
    yield (
        "bomb-size.bmp",
        b"BM"
        + struct.pack("<3I3I2H6I", 100, 0, 54, 40, 60_000, 60_000, 1, 24, *bytes(6))
        + bytes(50),
        error,
    )
    loop = (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", 5)
        + b"".join(
            struct.pack("<HHII", *tag) for tag in [(256, 4, 1, 8), (257, 4, 1, 8), *tags[2:5]]
        )
        + struct.pack("<I", 8)
    )
    yield "loop.tif", loop, error
