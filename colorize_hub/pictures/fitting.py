"""What of a picture's metadata a format has room for; the rest is named in one warning."""

import logging
from dataclasses import replace
from pathlib import Path

from colorize_hub.pictures import exif
from colorize_hub.pictures.metadata import Metadata

logger = logging.getLogger(__name__)

_ALL = frozenset({"exif", "xmp", "dpi", "iptc", "comments"})
_IN_EXIF = frozenset({"exif", "xmp", "dpi"})  # WebP and the like tell the resolution in EXIF
_ROOM = {
    "JPEG": _ALL,
    "TIFF": _ALL - {"comments"},
    "PNG": _IN_EXIF | {"texts"},
    "WEBP": _IN_EXIF,
    "AVIF": _IN_EXIF,
    "HEIF": _IN_EXIF,
    "JXL": _IN_EXIF,
    "JPEG2000": _ALL,
    "BMP": frozenset({"dpi"}),
}
BARE = (".j2k", ".j2c", ".jpc")  # a JPEG 2000 codestream without the boxes around it
_SPOKEN = {
    "exif": "EXIF",
    "xmp": "XMP",
    "dpi": "resolution",
    "iptc": "IPTC caption",
    "comments": "comment",
    "texts": "texts",
}
# Bytes that a segment of a JPEG holds, less the name that begins it.
_JPEG_MOST = {"exif": 65_533, "xmp": 65_504, "iptc": 65_500, "comments": 65_533}


def fitted(held: Metadata, format_name: str, path: Path) -> Metadata:
    """Return what of ``held`` goes into a file; of all that does not, a logged warning tells.

    A comment becomes a text in PNG, and the description in EXIF where there is none and the format
    has no comments.
    """
    room = frozenset({"comments"}) if path.suffix.lower() in BARE else _ROOM[format_name]
    if held.comments and "comments" not in room:
        held = _with_comment_elsewhere(held, room)
    lost = [name for name in _SPOKEN if getattr(held, name) and name not in room]
    if lost:
        named = ", ".join(_named(held, name) for name in lost)
        logger.warning("%s has no place for what the picture carried: %s; left out", path, named)
    if format_name == "JPEG":
        lost += _too_long(held, path)
    return replace(held, **{name: getattr(Metadata(), name) for name in lost})


def _named(held: Metadata, name: str) -> str:
    keywords = ", ".join(keyword for keyword, _ in held.texts)
    return f"texts ({keywords})" if name == "texts" else _SPOKEN[name]


def _with_comment_elsewhere(held: Metadata, room: frozenset[str]) -> Metadata:
    text = b"\n".join(held.comments)
    if "texts" in room:
        return replace(held, texts=(*held.texts, ("Comment", _decoded(text))), comments=())
    if "exif" in room and exif.DESCRIPTION not in held.exif.main:
        return replace(held, exif=held.exif.with_text(exif.DESCRIPTION, text), comments=())
    return held


def _too_long(held: Metadata, path: Path) -> list[str]:
    """Return what does not fit into a segment of a JPEG."""
    sizes = {
        "exif": len(held.exif_with_resolution()),
        "xmp": len(held.xmp),
        "iptc": len(held.iptc),
        "comments": max(map(len, held.comments), default=0),
    }
    lost = [name for name, size in sizes.items() if size > _JPEG_MOST[name]]
    for name in lost:
        spoken = _SPOKEN[name]
        logger.warning(
            "%s: %d bytes of %s do not fit in a JPEG; left out", path, sizes[name], spoken
        )
    return lost


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
