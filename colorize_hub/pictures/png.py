"""PNG (third edition): 16 bits a channel, and the colours that it names without a profile."""

import struct
import zlib
from typing import IO, Any

import imagecodecs
import numpy as np

from colorize_hub.pictures import icc
from colorize_hub.pictures.boxes import Declared
from colorize_hub.pictures.exif import HEADER
from colorize_hub.pictures.metadata import Metadata

XMP_KEYWORD = "XML:com.adobe.xmp"
_HEADER_BYTES = 8 + 4 + 4 + 13 + 4  # signature and IHDR
_MOST_CHUNKS = 1000
_INCHES_A_METRE = 1 / 0.0254
_LATIN_1 = "latin-1"


def is_deep_color(file: IO[bytes]) -> bool:
    """Tell whether a PNG has 16 bits of colour, or of grey and alpha, of which Pillow reads 8."""
    file.seek(24)
    depth, kind = file.read(2)
    return depth == 16 and kind in (2, 4, 6)


def read_deep(file: IO[bytes]) -> np.ndarray:
    """Decode a PNG of 16 bits to (H, W, C) uint16: grey and alpha, RGB, or RGBA."""
    file.seek(0)
    return imagecodecs.png_decode(file.read())


def write_deep(file: IO[bytes], levels: np.ndarray, held: Metadata) -> None:
    """Write (H, W, 3 or 4) uint16 RGB or RGBA as a PNG of 16 bits, with the sRGB profile."""
    data = imagecodecs.png_encode(levels, level=1, filter=0x20)  # filter: up
    file.write(data[:_HEADER_BYTES])
    for kind, content in _chunks_of(held):
        file.write(struct.pack(">I", len(content)) + kind + content)
        file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))
    file.write(memoryview(data)[_HEADER_BYTES:])


def mend_transparency(file: IO[bytes], info: dict[Any, Any]) -> None:
    """Scale the transparent grey of 2 or 4 bits in ``info`` as Pillow scales the pixels."""
    file.seek(24)
    depth, kind = file.read(2)
    if kind == 0 and depth in (2, 4) and isinstance(info.get("transparency"), int):
        info["transparency"] *= 255 // (2**depth - 1)


def profile_of_chunks(info: dict[Any, Any]) -> bytes | None:
    """Return the profile of the colours by iCCP, sRGB, or gAMA and cHRM, as Pillow read them."""
    if info.get("icc_profile") or "srgb" in info or "gamma" not in info:
        return info.get("icc_profile")
    return icc.profile_of_gamma(info["gamma"], info.get("chromaticity"))


def read_cicp(file: IO[bytes]) -> Declared | None:
    """Read the numbers that name a PNG's colours, which count more than its other chunks."""
    place = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            return None
        if head[4:] == b"cICP":
            return Declared(*file.read(2).ljust(2, b"\1"))
        place += 12 + int.from_bytes(head[:4], "big")
    return None


def _chunks_of(held: Metadata) -> list[tuple[bytes, bytes]]:
    chunks = [(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc.srgb_profile()))]
    if held.dpi:
        metres = [round(value * _INCHES_A_METRE) for value in held.dpi]
        chunks.append((b"pHYs", struct.pack(">2IB", *metres, 1)))
    if block := held.exif_with_resolution():
        chunks.append((b"eXIf", block.removeprefix(HEADER)))
    if held.xmp:
        chunks.append((b"iTXt", XMP_KEYWORD.encode() + bytes(5) + held.xmp))
    for keyword, text in held.texts:
        key = keyword.encode(_LATIN_1, "replace")
        chunks.append((b"iTXt", key + bytes(5) + text.encode()))
    return chunks
