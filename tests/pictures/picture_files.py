"""Small picture files of every format and mode, as bytes, to be used whole or damaged."""

import io
import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from colorize_hub.pictures import formats, icc
from tests.scenes import scene

HEIGHT, WIDTH = 36, 52
GREY = scene(HEIGHT, WIDTH)
RGB = np.asarray(Image.fromarray(scene(HEIGHT, WIDTH, 3)).convert("RGB"))
DEEP = scene(HEIGHT, WIDTH, dtype=np.uint16)
_ALPHA = {"planarconfig": "contig", "extrasamples": ["unassalpha"]}
ALPHA = np.tile(np.linspace(40, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))


def _pil(mode: str, kind: str, **options: object) -> Callable[[], bytes]:
    def encode() -> bytes:
        if mode in ("LA", "RGBA"):
            image = Image.fromarray(GREY if mode == "LA" else RGB)
            image.putalpha(Image.fromarray(ALPHA))
        elif mode == "I;16":
            image = Image.fromarray(GREY.astype(np.uint16) * 257)
        elif mode == "F":
            image = Image.fromarray(GREY / np.float32(255))
        else:
            image = Image.fromarray(GREY if mode in ("1", "L") else RGB).convert(mode)
        return saved(image, kind, **options)

    return encode


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _deep(save: Callable[..., bytes], channels: int) -> Callable[[], bytes]:
    def encode() -> bytes:
        levels = np.dstack([RGB, ALPHA])[:, :, :channels].astype(np.uint16) * 257 - 3 * (
            RGB[..., :1] > 9
        )
        return save(levels.astype(np.uint16), icc.srgb_profile())

    return encode


def png16(levels: np.ndarray, profile: bytes) -> bytes:
    """A PNG of (H, W, C) uint16 with a profile, which may be broken."""
    height, width, channels = levels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in levels.astype(">u2"))
    named = chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))
    return png(width, height, 16, {2: 4, 3: 2, 4: 6}[channels], rows, named)


def tiff(levels: np.ndarray, profile: bytes | None = None, **options: object) -> bytes:
    """A TIFF of any array, with a profile, which may be broken, by tifffile."""
    buffer = io.BytesIO()
    if levels.ndim == 3 and levels.shape[2] in (3, 4):
        options = {"photometric": "rgb", "planarconfig": "contig", **options}
    if levels.ndim == 3 and levels.shape[2] == 4:
        options = {"extrasamples": ["unassalpha"], **options}
    tifffile.imwrite(buffer, levels, iccprofile=profile, metadata=None, **options)
    return buffer.getvalue()


def _frames(kind: str, **options: object) -> Callable[[], bytes]:
    def encode() -> bytes:
        others = [Image.fromarray(255 - RGB), Image.fromarray(RGB[::-1])]
        first = Image.fromarray(RGB)
        return saved(first, kind, save_all=True, append_images=others, **options)

    return encode


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, kind: int, rows: bytes, *before: bytes) -> bytes:
    """A PNG of its rows, each with its filter byte, and of chunks that stand before them."""
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + data + chunk(b"IEND", b"")


def with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A PNG with one chunk more, behind its header."""
    return data[:33] + chunk(kind, content) + data[33:]


def packed_tiff(levels: np.ndarray, bits: int, order: str = "<", photometric: int = 1) -> bytes:
    """A TIFF of grey whose pixels follow each other bit by bit, each row from a whole byte."""
    spread = ((levels[..., None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
    rows = np.packbits(spread.reshape(len(levels), -1), axis=1).tobytes()
    rows += bytes(len(rows) % 2)
    height, width = levels.shape
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, len(rows))]
    data = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(rows)) + rows
    data += struct.pack(order + "H", len(tags))
    for tag, kind, value in tags:
        data += struct.pack(order + "HHI", tag, kind, 1)
        data += (
            struct.pack(order + "I", value) if kind == 4 else struct.pack(order + "HH", value, 0)
        )
    return data + bytes(4)


def _pyramid() -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as tif:
        tif.write(RGB, photometric="rgb", subifds=1)
        tif.write(RGB[::2, ::2], photometric="rgb", subfiletype=1)
        tif.write(RGB[::4, ::4], photometric="rgb", subfiletype=1)
    return buffer.getvalue()


def _plugin(kind: str, **options: object) -> Callable[[], bytes]:
    def encode() -> bytes:
        formats.register(kind)
        return saved(Image.fromarray(RGB), kind, **options)

    return encode


def _grey_alpha_16() -> bytes:
    levels = np.dstack([GREY, ALPHA]).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    return png(WIDTH, HEIGHT, 16, 4, rows)


WHOLE: dict[str, Callable[[], bytes]] = {
    "rgb.jpg": _pil("RGB", "JPEG", quality=95, subsampling="4:4:4"),
    "grey.jpg": _pil("L", "JPEG", quality=95),
    "progressive.jpg": _pil("RGB", "JPEG", quality=95, progressive=True, subsampling="4:4:4"),
    "cmyk.jpg": _pil("CMYK", "JPEG", quality=95),
    "rgb.png": _pil("RGB", "PNG"),
    "rgba.png": _pil("RGBA", "PNG"),
    "grey-alpha.png": _pil("LA", "PNG"),
    "palette.png": _pil("P", "PNG"),
    "bits.png": _pil("1", "PNG"),
    "grey16.png": _pil("I;16", "PNG"),
    "rgb16.png": _deep(png16, 3),
    "rgba16.png": _deep(png16, 4),
    "grey-alpha16.png": _grey_alpha_16,
    "rgb.tif": _pil("RGB", "TIFF"),
    "lzw.tif": _pil("RGB", "TIFF", compression="tiff_lzw"),
    "deflate.tif": _pil("L", "TIFF", compression="tiff_adobe_deflate"),
    "fax.tif": _pil("1", "TIFF", compression="group4"),
    "cmyk.tif": _pil("CMYK", "TIFF"),
    "lab.tif": _pil("LAB", "TIFF"),
    "float.tif": _pil("F", "TIFF"),
    "grey16.tif": _pil("I;16", "TIFF"),
    "rgb16.tif": _deep(tiff, 3),
    "rgba16.tif": _deep(tiff, 4),
    "pages.tif": _frames("TIFF"),
    "lossy.webp": _pil("RGB", "WEBP", quality=95),
    "lossless.webp": _pil("RGBA", "WEBP", lossless=True, exact=True),
    "animated.webp": _frames("WEBP", lossless=True),
    "rgb.avif": _pil("RGB", "AVIF", quality=95, speed=10),
    "rgb.bmp": _pil("RGB", "BMP"),
    "bits.bmp": _pil("1", "BMP"),
    "grey.gif": _pil("L", "GIF"),
    "animated.gif": _frames("GIF"),
    "animated.png": _frames("PNG"),
    "rgb.jp2": _pil("RGB", "JPEG2000"),
    "grey.j2k": _pil("L", "JPEG2000", no_jp2=True),
    "white16.tif": lambda: tiff(65535 - DEEP, photometric="miniswhite", byteorder=">"),
    "white-float.tif": lambda: tiff(1 - DEEP / 65535, photometric="miniswhite"),
    "bits12.tif": lambda: packed_tiff(DEEP >> 4, 12),
    "grey-alpha16.tif": lambda: tiff(
        np.dstack([DEEP, ALPHA.astype(np.uint16) * 257]), photometric="minisblack", **_ALPHA
    ),
    "unknown-sample.tif": lambda: tiff(
        np.dstack([GREY, ALPHA]), photometric="minisblack", **_ALPHA | {"extrasamples": [0]}
    ),
    "planes16.tif": lambda: tiff(
        np.stack([DEEP] * 3), photometric="rgb", planarconfig="separate", compression="lzw"
    ),
    "inks16.tif": lambda: tiff(np.dstack([0 * DEEP] * 3 + [~DEEP]), photometric="separated"),
    "lab16.tif": lambda: tiff(np.dstack([DEEP, 0 * DEEP, 0 * DEEP]), photometric="cielab"),
    "zstd16.tif": lambda: tiff(RGB.astype(np.uint16) * 257, compression="zstd", tile=(16, 16)),
    "jpegxl.tif": lambda: tiff(RGB, compression="jpegxl"),
    "pyramid.tif": _pyramid,
    "deep.jp2": lambda: imagecodecs.jpeg2k_encode(
        RGB.astype(np.uint16) * 257, codecformat="jp2", level=0
    ),
    "rgb16.ppm": lambda: (
        b"P6\n%d %d\n65535\n" % (WIDTH, HEIGHT) + (RGB.astype(">u2") * 257).tobytes()
    ),
    "gamma.png": lambda: with_chunk(_pil("RGB", "PNG")(), b"gAMA", struct.pack(">I", 55_556)),
    "photo.heic": _plugin("HEIF", quality=95),
    "photo.jxl": _plugin("JXL", quality=95),
    "parallax.mpo": _frames("MPO", quality=95),
}
