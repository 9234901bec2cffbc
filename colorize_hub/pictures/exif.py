"""EXIF, byte for byte: what stays true of a new picture is copied as it was stored.

Pillow decodes every value and encodes it anew: text that is not ASCII becomes question marks, and
types change. Here an entry of a directory (TIFF 6.0, section 2) is its type, count and bytes.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import IO, Literal

from PIL import ExifTags, Image

HEADER = b"Exif\0\0"
ORIENTATION, DESCRIPTION, XMP, IPTC, PHOTOSHOP = 274, 270, 700, 33723, 34377
GROUPS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_RESOLUTION = (282, 283, 296)
_INCHES = {2: 1.0, 3: 2.54}  # of ResolutionUnit, per inch
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_MOST = 1 << 26  # bytes of a value; Photoshop's layers, the largest, are left out anyway
# How the old file stored its pixels (a TIFF keeps this beside the real EXIF), its thumbnail, its
# layers, its colour space and its size, and that it lay on its side: untrue of the new picture.
# XMP, IPTC, ICC and the resolution are kept, but elsewhere.
_STALE = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 280, 281, 284, 317, 318, 319}
    | {292, 293, 301, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 337, 338, 339, 340}
    | {341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532}
    | {ORIENTATION, XMP, IPTC, PHOTOSHOP, 34675, 37724, 40961, 40962, 40963, 40965}
    | set(_RESOLUTION)
)


@dataclass(frozen=True)
class Entry:
    """A value of a directory.

    Attributes:
        kind: its TIFF type.
        count: how many of that type.
        data: their bytes.
    """

    kind: int
    count: int
    data: bytes


Directory = dict[int, Entry]


@dataclass(frozen=True)
class Exif:
    """Directories as they are stored.

    Attributes:
        order: byte order of the values, as `struct` spells it.
        main: the first directory.
        groups: those of the camera's settings and of the place.
    """

    order: Literal["<", ">"] = "<"
    main: Directory = field(default_factory=dict)
    groups: dict[ExifTags.IFD, Directory] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.main or any(self.groups.values()))

    @property
    def orientation(self) -> int:
        """1..8; 1 where none is told."""
        entry = self.main.get(ORIENTATION)
        if entry is None or entry.kind != _SHORT:
            return 1
        return struct.unpack_from(f"{self.order}H", entry.data)[0]

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Pixels an inch, across and down, if all that it takes is told."""
        across, down, unit = (self._number(tag) for tag in _RESOLUTION)
        inches = _INCHES.get(2 if unit is None else int(unit))
        if across is None or down is None or inches is None:
            return None
        return across * inches, down * inches

    def still_true(self) -> Exif:
        """Return what holds for the upright picture in colour too."""
        main = {tag: entry for tag, entry in self.main.items() if tag not in _STALE}
        if main.get(DESCRIPTION, Entry(0, 0, b"")).data.startswith(b'{"shape": ['):
            del main[DESCRIPTION]  # tifffile's note of the old shape
        groups = {
            group: {tag: entry for tag, entry in entries.items() if tag not in _STALE}
            for group, entries in self.groups.items()
        }
        return Exif(self.order, main, groups)

    def with_resolution(self, dpi: tuple[float, float]) -> Exif:
        """Return the same, telling pixels an inch."""
        told = [Entry(_RATIONAL, 1, self._packed("2I", round(one * 1e4), 10_000)) for one in dpi]
        entries = [*told, Entry(_SHORT, 1, self._packed("H", 2))]
        return Exif(
            self.order, self.main | dict(zip(_RESOLUTION, entries, strict=True)), self.groups
        )

    def with_text(self, tag: int, text: bytes) -> Exif:
        """Return the same, with a text in the first directory."""
        entry = Entry(_ASCII, len(text) + 1, text + b"\0")
        return Exif(self.order, self.main | {tag: entry}, self.groups)

    def to_bytes(self) -> bytes:
        """Return the block that files hold, after `HEADER`; empty if there is nothing to tell."""
        if not self:
            return b""
        start = (b"II*\0" if self.order == "<" else b"MM\0*") + self._packed("I", 8)
        main = self.main | {group: self._pointer(0) for group in self.groups}
        place = 8 + len(self._stored(main, 8))
        parts = []
        for group, entries in self.groups.items():
            main[group] = self._pointer(place)
            parts.append(self._stored(entries, place))
            place += len(parts[-1])
        return HEADER + start + self._stored(main, 8) + b"".join(parts)

    def group_bytes(self, group: ExifTags.IFD, place: int) -> bytes:
        """Return a group's directory as it is stored at a place in a file."""
        return self._stored(self.groups[group], place)

    def _number(self, tag: int) -> float | None:
        entry = self.main.get(tag)
        if entry is None or entry.kind not in (_SHORT, _LONG, _RATIONAL):
            return None
        if entry.kind == _RATIONAL:
            above, below = struct.unpack_from(f"{self.order}2I", entry.data)
            return above / below if below else None
        return struct.unpack_from(self.order + ("H" if entry.kind == _SHORT else "I"), entry.data)[
            0
        ]

    def _packed(self, layout: str, *values: int) -> bytes:
        return struct.pack(self.order + layout, *values)

    def _pointer(self, place: int) -> Entry:
        return Entry(_LONG, 1, self._packed("I", place))

    def _stored(self, entries: Directory, place: int) -> bytes:
        """Return a directory, and behind it the values that do not fit in its entries."""
        table, behind = [self._packed("H", len(entries))], []
        place += 2 + 12 * len(entries) + 4
        for tag, entry in sorted(entries.items()):
            held = entry.data.ljust(4, b"\0")
            if len(entry.data) > 4:
                held = self._packed("I", place)
                behind.append(entry.data + bytes(len(entry.data) % 2))
                place += len(behind[-1])
            table.append(self._packed("HHI", tag, entry.kind, entry.count) + held)
        return b"".join([*table, bytes(4), *behind])


def parse(block: bytes) -> Exif:
    """Read an EXIF block, with or without `HEADER`.

    Raises:
        ValueError: it is none, or damaged.
    """
    return read_directories(io.BytesIO(block.removeprefix(HEADER)))


def of_pillow(exif: Image.Exif) -> Exif:
    """Return Pillow's EXIF, which a person may have changed, its text as it was stored."""
    plain = Image.Exif()
    plain.endian = exif.endian
    for tag, value in exif.items():
        if tag not in GROUPS:
            plain[tag] = _in_bytes(value)
    for group in GROUPS:
        if group in exif:
            plain[group] = {tag: _in_bytes(value) for tag, value in exif.get_ifd(group).items()}
    return parse(plain.tobytes()) if len(plain) else Exif()


def read_directories(file: IO[bytes], start: int = 0) -> Exif:
    """Read a directory of a TIFF or BigTIFF, and the groups that it names.

    Values that lie beyond the end of the file are left out.

    Args:
        file: of the TIFF.
        start: where the directory lies; 0 takes the first.

    Raises:
        ValueError: it is no TIFF, or its directory is damaged.
    """
    file.seek(0)
    head = file.read(16)
    order: Literal["<", ">"] = "<" if head[:2] == b"II" else ">"
    if head[:2] not in (b"II", b"MM") or len(head) < 8:
        raise ValueError("no TIFF header")
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    try:
        if start == 0:
            (start,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)
        main = _read_directory(file, order, start, big)
        groups = {}
        for group in GROUPS:
            if group in main:
                at = int.from_bytes(main.pop(group).data, "little" if order == "<" else "big")
                groups[group] = _read_directory(file, order, at, big)
    except struct.error as error:
        raise ValueError(f"a directory is cut off: {error}") from error
    return Exif(order, main, groups)


def forget_resolution(file: IO[bytes]) -> None:
    """Take the resolution out of a TIFF that was just written, where writers say 1 for none.

    Args:
        file: open for reading and writing, its first directory behind the header.
    """
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    counted, start, size = (f"{order}Q", 16, 20) if big else (f"{order}H", 8, 12)
    file.seek(start)
    (count,) = struct.unpack(counted, file.read(struct.calcsize(counted)))
    entries = [file.read(size) for _ in range(count)]
    ends = file.read(8 if big else 4)
    kept = [one for one in entries if struct.unpack_from(f"{order}H", one)[0] not in _RESOLUTION]
    file.seek(start)
    file.write(struct.pack(counted, len(kept)) + b"".join(kept) + ends)


def _read_directory(file: IO[bytes], order: str, place: int, big: bool) -> Directory:
    counted, layout, room = ("Q", "HHQ8s", 8) if big else ("H", "HHI4s", 4)
    file.seek(place)
    (count,) = struct.unpack(order + counted, file.read(struct.calcsize(order + counted)))
    size = struct.calcsize(order + layout)
    if count > 65_535:
        raise ValueError(f"a directory claims {count} entries")
    table = file.read(count * size)
    entries: Directory = {}
    for at in range(0, count * size, size):
        tag, kind, number, held = struct.unpack_from(order + layout, table, at)
        length = number * _SIZES.get(kind, 0)
        if not 0 < length <= _MOST:
            continue
        if length > room:
            file.seek(struct.unpack(f"{order}Q" if big else f"{order}I", held)[0])
            held = file.read(length)
        if len(held) >= length:
            entries[tag] = Entry(kind, number, held[:length])
    return entries


def _in_bytes(value: object) -> object:
    return value.encode("latin-1", "replace") if isinstance(value, str) else value
