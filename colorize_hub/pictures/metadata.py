"""What a picture carries with its pixels: EXIF, XMP, resolution, IPTC, comments and texts."""

import logging
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from colorize_hub.pictures import exif, xmp
from colorize_hub.pictures.exif import Exif

logger = logging.getLogger(__name__)

IPTC_RESOURCE = 0x0404  # of Photoshop's, where JPEG and TIFF keep IPTC
_EXIF_KEYS = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")
_NOT_TEXTS = ("XML:com.adobe.xmp", "Raw profile type exif")
_ENCODERS = b"Created by"  # OpenJPEG's own comment

Dpi = tuple[float, float]


@dataclass(frozen=True)
class Metadata:
    """What stays true of the upright picture in colour.

    Attributes:
        exif: EXIF, without orientation, resolution and what decoding made untrue.
        xmp: XMP packet.
        dpi: pixels an inch, across and down.
        iptc: IPTC-IIM records: caption, author, place.
        comments: of a JPEG, GIF or JPEG 2000 file, as bytes.
        texts: keyword and text, as PNG has them.
    """

    exif: Exif = field(default_factory=Exif)
    xmp: bytes = b""
    dpi: Dpi | None = None
    iptc: bytes = b""
    comments: tuple[bytes, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()

    def exif_with_resolution(self) -> bytes:
        """Return the EXIF block, telling the resolution as well."""
        told = self.exif.with_resolution(self.dpi) if self.dpi else self.exif
        return told.to_bytes()


def read_metadata(image: Image.Image) -> tuple[int, Metadata]:
    """Read what a decoded PIL image carries.

    Broken EXIF is dropped with a logged warning; an orientation found before the break is kept.

    Returns:
        The orientation (1..8), and what stays true once it has been applied.
    """
    info, orientation, held = image.info, 1, Exif()
    try:
        source = image.getexif()
        orientation = source.get(ExifTags.Base.Orientation, 1)
        held = _as_stored(info.get("exif"), source)
    except Exception as error:  # PIL raises almost anything on damaged EXIF
        logger.warning("EXIF ignored, it is damaged (%s)", error)
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if xmp.has_extension(packet):
        logger.warning("The second part of a long XMP is not read; it is left out")
    return orientation, Metadata(
        held.still_true(),
        xmp.still_true(packet),
        read_dpi(image, orientation) or _sane(held.dpi, orientation),
        _iptc(image),
        _comments(image),
        _texts(image) if image.format == "PNG" else (),
    )


def read_tiff_metadata(stored: Exif) -> Metadata:
    """Return what a TIFF's directory carries."""
    packet = stored.main.get(exif.XMP)
    iptc = stored.main.get(exif.IPTC)
    photoshop = stored.main.get(exif.PHOTOSHOP)
    return Metadata(
        stored.still_true(),
        xmp.still_true(packet and packet.data),
        _sane(stored.dpi, stored.orientation),
        iptc.data if iptc else _iptc_among(photoshop.data) if photoshop else b"",
    )


def of_info(info: dict[Any, Any]) -> Metadata:
    """Return what `as_info` put into a PIL image, or a person did."""
    try:
        held = exif.parse(info.get("exif") or b"")
    except ValueError:
        held = Exif()
    packet = info.get("xmp") or b""
    return Metadata(
        held,
        packet.encode() if isinstance(packet, str) else packet,
        info.get("dpi"),
        _resource(info),
        _bytes_of(info.get("comment")),
        tuple(info.get("texts", ())),
    )


def as_info(held: Metadata) -> dict[str, Any]:
    """Return what a PIL image's ``info`` holds of it, under the names that Pillow's savers know."""
    told = {
        "exif": held.exif_with_resolution(),
        "xmp": held.xmp,
        "dpi": held.dpi,
        "comment": b"\n".join(held.comments),
        "photoshop": {IPTC_RESOURCE: held.iptc} if held.iptc else {},
        "texts": held.texts,
    }
    return {key: value for key, value in told.items() if value}


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a copy turned and mirrored as an EXIF orientation of 1..8 asks."""
    turned = image.copy()
    for key in _EXIF_KEYS:  # exif_transpose would rewrite these, and fails where they are damaged
        turned.info.pop(key, None)
    turned.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(turned, in_place=True)
    return turned


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W) or (H, W, C) pixels turned and mirrored as an orientation of 1..8 asks."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def read_dpi(image: Image.Image, orientation: int = 1) -> Dpi | None:
    """Return pixels an inch, across and down the upright picture, if a PIL image tells."""
    tags = getattr(image, "tag_v2", None)
    if tags is not None and not (282 in tags and 283 in tags):
        return None  # where Pillow says 1
    if image.format in ("JPEG", "MPO") and image.info.get("jfif_unit") not in (1, 2):
        return None  # where Pillow says 72, or makes one of two numbers in EXIF
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return _sane((across, down), orientation)


def _sane(dpi: Dpi | None, orientation: int) -> Dpi | None:
    if dpi is None or not all(math.isfinite(value) and 1 <= value < 65536 for value in dpi):
        return None
    across, down = dpi
    return (down, across) if orientation in (5, 6, 7, 8) else dpi


def _as_stored(block: object, source: Image.Exif) -> Exif:
    """Return the EXIF block itself, unless somebody changed what Pillow read from it."""
    if isinstance(block, bytes):
        fresh = Image.Exif()
        fresh.load(block)
        known = {**source} | {ExifTags.Base.Orientation: 1}
        if {**fresh} | {ExifTags.Base.Orientation: 1} == known:
            return exif.parse(block)
    return exif.of_pillow(source)


def _iptc(image: Image.Image) -> bytes:
    tags = getattr(image, "tag_v2", None)
    held = tags.get(exif.IPTC) if tags is not None else None
    return held if isinstance(held, bytes) else _resource(image.info)


def _resource(info: dict[Any, Any]) -> bytes:
    resources = info.get("photoshop")
    held = resources.get(IPTC_RESOURCE) if isinstance(resources, dict) else None
    return held if isinstance(held, bytes) else b""


def _iptc_among(resources: bytes) -> bytes:
    """Return the IPTC records among Photoshop's resources, empty if there are none."""
    place = 0
    while resources[place : place + 4] == b"8BIM":
        number = int.from_bytes(resources[place + 4 : place + 6], "big")
        start = place + 7 + resources[place + 6]  # past a name, often empty
        start += start % 2
        size = int.from_bytes(resources[start : start + 4], "big")
        if number == IPTC_RESOURCE:
            return resources[start + 4 : start + 4 + size]
        place = start + 4 + size + size % 2
    return b""


def _comments(image: Image.Image) -> tuple[bytes, ...]:
    segments = getattr(image, "applist", None)
    if segments is not None:
        return tuple(content for kind, content in segments if kind == "COM" and content)
    return _bytes_of(image.info.get("comment"))


def _bytes_of(comment: object) -> tuple[bytes, ...]:
    if isinstance(comment, str):
        comment = comment.encode()
    if isinstance(comment, bytes) and comment and not comment.startswith(_ENCODERS):
        return (comment,)
    return ()


def _texts(image: Image.Image) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key, text)
        for key, text in image.info.items()
        if isinstance(key, str) and isinstance(text, str) and key not in _NOT_TEXTS
    )
