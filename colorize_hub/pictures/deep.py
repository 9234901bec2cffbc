"""Files of 16 bits a channel, where Pillow has 8: decode colour, encode PNG and TIFF.

Pillow decodes 16-bit colour but keeps the high byte of each value. Told the other byte order, it
keeps the low byte: a file decoded twice gives all 16 bits, in any compression and tiling.
"""

from __future__ import annotations

import struct
import sys
import zlib
from typing import IO, NamedTuple

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin

from colorize_hub.pictures import metadata, modes, opening
from colorize_hub.pictures.opening import PictureError

_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_BLOCK_BYTES = 1 << 22
_INCHES_A_METRE = 1 / 0.0254
_PREMULTIPLIED = "RGBa;16"


class Beside(NamedTuple):
    """What is stored beside the pixels; empty or None is left out.

    Attributes:
        icc: ICC profile.
        exif: EXIF block, with the header of 6 bytes or without.
        xmp: XMP packet.
        dpi: pixels an inch, across and down.
    """

    icc: bytes
    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None


def is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Whether an image, its header read, is 16-bit colour, or grey and alpha, in PNG or TIFF."""
    deep = image.format in ("PNG", "TIFF") and ";16" in _raw_mode(image)
    return deep and image.mode in ("RGB", "RGBA")


def load_deep(image: ImageFile.ImageFile, file: IO[bytes], name: str) -> np.ndarray:
    """Decodes an image that `is_deep_colour`, upright only as far as Pillow turns it.

    Args:
        image: header read from ``file``, pixels not; they are decoded in place.
        file: of the image; read a second time.
        name: of the picture, for messages.

    Returns:
        (H, W, C) uint16: grey and alpha, RGB, or RGBA.

    Raises:
        PictureError: the channels lie in separate planes, which Pillow mixes up.
    """
    if getattr(image, "_planar_configuration", 1) != 1:
        raise PictureError(
            f"{name} holds 16-bit colour in separate planes: save it with interleaved channels."
        )
    raw = _raw_mode(image)
    if raw.startswith("LA"):  # its 4 bytes a pixel pass for RGBA
        _decode_as(image, "RGBA")
        levels = np.asarray(image).view(">u2").astype(np.uint16)
        return levels
    file.seek(0)
    low = opening.open_header(file, name)
    straight = raw.replace("RGBa", "RGBA")
    _decode_as(image, straight)
    _decode_as(low, straight[:-1] + _OTHER_ORDER[straight[-1]])
    levels = np.empty((image.height, image.width, len(image.getbands())), np.uint16)
    for rows in modes.strips(*image.size):
        box = (0, rows.start, image.width, rows.stop)
        np.left_shift(np.asarray(image.crop(box)), 8, out=levels[rows], dtype=np.uint16)
        levels[rows] |= np.asarray(low.crop(box))
    return _unmultiplied(levels) if raw.startswith(_PREMULTIPLIED) else levels


def save_png(file: IO[bytes], levels: np.ndarray, beside: Beside) -> None:
    """Writes (H, W, 3 or 4) uint16 RGB or RGBA as a PNG of 16 bits (PNG, third edition)."""
    height, width, channels = levels.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    kind = 2 if channels == 3 else 6
    _chunk(file, b"IHDR", struct.pack(">2I5B", width, height, 16, kind, 0, 0, 0))
    _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(beside.icc))
    if beside.dpi:
        metres = [round(value * _INCHES_A_METRE) for value in beside.dpi]
        _chunk(file, b"pHYs", struct.pack(">2IB", *metres, 1))
    if beside.exif:
        _chunk(file, b"eXIf", beside.exif.removeprefix(b"Exif\0\0"))
    if beside.xmp:
        _chunk(file, b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + beside.xmp)
    packer = zlib.compressobj(1)
    above = np.zeros((1, width * channels * 2), np.uint8)
    for rows in modes.strips(width, height):
        raw = levels[rows].astype(">u2").reshape(-1, width * channels).view(np.uint8)
        lines = np.full((len(raw), 1 + raw.shape[1]), 2, np.uint8)  # filter 2: less the line above
        np.subtract(raw, np.concatenate((above, raw[:-1])), out=lines[:, 1:])
        above = raw[-1:]
        if packed := packer.compress(lines.tobytes()):
            _chunk(file, b"IDAT", packed)
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def save_tiff(file: IO[bytes], levels: np.ndarray, beside: Beside) -> None:
    """Writes (H, W, 3 or 4) uint16 RGB or RGBA as an uncompressed TIFF (TIFF 6.0).

    Raises:
        PictureError: more than the 4 GiB that a TIFF can hold.
    """
    height, width, channels = levels.shape
    if levels.nbytes > 0xF0000000:
        raise PictureError(f"{width} x {height} pixels of 16 bits are too many for a TIFF.")
    tags = TiffImagePlugin.ImageFileDirectory_v2(ifh=b"II*\0\0\0\0\0")
    if beside.exif:
        exif = Image.Exif()
        exif.load(beside.exif)
        for tag, value in exif.items():
            tags[tag] = value
        for group in metadata.EXIF_GROUPS:
            if group in exif:
                tags[group] = exif.get_ifd(group)
    strips = modes.strips(width, height)
    sizes = [(rows.stop - rows.start) * width * channels * 2 for rows in strips]
    tags[256], tags[257], tags[258] = width, height, (16,) * channels
    tags[259], tags[262], tags[277], tags[284] = 1, 2, channels, 1
    tags[273] = tuple(int(offset) for offset in np.cumsum([0, *sizes[:-1]]))
    tags[278], tags[279] = strips[0].stop, tuple(sizes)
    tags[339] = (1,) * channels
    if channels == 4:
        tags[338] = 2  # alpha that is not multiplied into the colours
    if beside.dpi:
        tags[282], tags[283], tags[296] = *beside.dpi, 2
    if beside.xmp:
        tags.tagtype[700] = 1
        tags[700] = beside.xmp
    tags.tagtype[34675] = 7
    tags[34675] = beside.icc
    for tag in (273, 279):
        tags.tagtype[tag] = 4
    tags.save(file)
    for rows in strips:
        file.write(levels[rows].astype("<u2").tobytes())


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How the decoder lays out the file's bytes, "RGB;16B" for instance; empty if unknown."""
    if not image.tile:
        return ""
    args = image.tile[0].args
    first = args[0] if isinstance(args, tuple) else args
    return first if isinstance(first, str) else ""


def _decode_as(image: ImageFile.ImageFile, raw_mode: str) -> None:
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]
    image.load()


def _unmultiplied(levels: np.ndarray) -> np.ndarray:
    """RGBA whose colours were multiplied by alpha, straight again."""
    alpha = np.maximum(levels[..., 3:], 1).astype(np.float32)
    straight = np.minimum(levels[..., :3] / alpha * 65535, 65535)
    return np.dstack([np.rint(straight).astype(np.uint16), levels[..., 3]])


def _chunk(file: IO[bytes], kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
