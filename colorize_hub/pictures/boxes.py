"""The boxes that JPEG 2000, AVIF, HEIC and JPEG XL files are made of.

ISO/IEC 15444-1, annex I, and 14496-12.
"""

import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

_EXIF_UUID = b"JpgTiffExif->JP2"
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_UUIDS = {"exif": _EXIF_UUID, "xmp": _XMP_UUID, "iptc": _IPTC_UUID}
_CODESTREAM, _DEPTH_AT = b"\xff\x4f\xff\x51", 42  # of the first component, in JPEG 2000
_MOST = 1 << 26  # bytes of a box that is read
_MOST_BOXES = 1000
_INCHES_A_METRE = 1 / 0.0254


class Box(NamedTuple):
    """A box: its kind, and where what it holds begins and ends in the file."""

    kind: bytes
    start: int
    end: int


class Declared(NamedTuple):
    """The numbers by which a file names its colours (ITU-T H.273)."""

    primaries: int
    transfer: int


def boxes(file: IO[bytes], start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes in a part of a file, one after the other; ends where they make no sense."""
    if end is None:
        end = file.seek(0, 2)
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        inside = start + 8
        if size == 1:
            size, inside = int.from_bytes(file.read(8), "big"), start + 16
        stop = end if size == 0 else start + size
        if not inside <= stop <= end:
            return
        yield Box(kind, inside, stop)
        start = stop


def read_jp2(file: IO[bytes]) -> dict[str, bytes]:
    """Return what a JP2 file carries: "icc_profile", "exif", "xmp" and "iptc"."""
    told: dict[str, bytes] = {}
    for box in boxes(file):
        if box.kind == b"jp2h":
            for inner in boxes(file, box.start, box.end):
                content = _content(file, inner) if inner.kind == b"colr" else b""
                if content[:1] in (b"\2", b"\3"):  # restricted, or any ICC profile
                    told.setdefault("icc_profile", content[3:])
        elif box.kind == b"uuid":
            content = _content(file, box)
            for name, uuid in _UUIDS.items():
                if content[:16] == uuid:
                    told.setdefault(name, content[16:])
    return told


def jp2_with(data: bytes, held: dict[str, bytes], dpi: tuple[float, float] | None) -> bytes:
    """Add "exif" (without header), "xmp", "iptc" and the resolution to a JP2 file."""
    if dpi is not None:
        place = data.index(b"jp2h")
        (size,) = struct.unpack_from(">I", data, place - 4)
        resolution = _box(b"res ", _box(b"resc", _resolution(*dpi)))
        end = place - 4 + size
        head = data[: place - 4] + struct.pack(">I", size + len(resolution))
        data = head + data[place:end] + resolution + data[end:]
    return data + b"".join(_box(b"uuid", _UUIDS[name] + one) for name, one in held.items() if one)


def read_xml(file: IO[bytes]) -> bytes:
    """Return the XMP of a JPEG XL file, empty if there is none that is not compressed."""
    return next((_content(file, box) for box in boxes(file) if box.kind == b"xml "), b"")


def read_nclx(file: IO[bytes]) -> Declared | None:
    """Return the colours that an AVIF or HEIC file names, if it does."""
    for box in _properties(file):
        content = _content(file, box) if box.kind == b"colr" else b""
        if content[:4] == b"nclx" and len(content) >= 8:
            return Declared(*struct.unpack_from(">2H", content, 4))
    return None


def read_bits(file: IO[bytes]) -> int:
    """Return the most bits of a channel of a JPEG 2000, AVIF or HEIC file; 8 if it tells none."""
    told = [_content(file, box)[5:] for box in _properties(file) if box.kind == b"pixi"]
    if _seek_codestream(file):
        file.seek(_DEPTH_AT, 1)
        told.append(bytes(depth % 128 + 1 for depth in file.read(1)))
    return max(b"".join(told), default=8)


def read_codestream(file: IO[bytes]) -> bytes:
    """Return the pixels of a JPEG 2000 file, encoded, without what names their colours."""
    return file.read() if _seek_codestream(file) else b""


def _seek_codestream(file: IO[bytes]) -> bool:
    file.seek(0)
    bare = file.read(4) == _CODESTREAM
    start = 0 if bare else next((one.start for one in boxes(file) if one.kind == b"jp2c"), None)
    if start is None:
        return False
    file.seek(start)
    return True


def _properties(file: IO[bytes]) -> Iterator[Box]:
    """Yield the boxes that describe the pictures in an AVIF or HEIC file."""
    for meta in boxes(file):
        if meta.kind != b"meta":
            continue
        for properties in boxes(file, meta.start + 4, meta.end):
            if properties.kind != b"iprp":
                continue
            for container in boxes(file, properties.start, properties.end):
                if container.kind == b"ipco":
                    yield from boxes(file, container.start, container.end)


def _content(file: IO[bytes], box: Box) -> bytes:
    file.seek(box.start)
    return file.read(min(box.end - box.start, _MOST))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _resolution(across: float, down: float) -> bytes:
    """Spell pixels an inch as JP2 does, a metre, in fractions of 16 bits and powers of ten."""
    fractions, powers = [], []
    for value in (down * _INCHES_A_METRE, across * _INCHES_A_METRE):
        powers.append(2 if value > 65_535 else 0)
        part = value / 10 ** powers[-1]
        below = max(1, int(65_535 / part))
        fractions += [round(part * below), below]
    return struct.pack(">4H2b", *fractions, *powers)
