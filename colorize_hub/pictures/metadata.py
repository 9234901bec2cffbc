"""What travels beside a picture's pixels: EXIF with its orientation, and ICC colour profiles."""

from __future__ import annotations

import functools
import io
import logging
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps

logger = logging.getLogger(__name__)

EXIF_GROUPS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_EXIF_KEYS = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")
# How the old file stored its pixels (a TIFF keeps this beside the real EXIF), its thumbnail, its
# colour space and its size: all untrue of the new picture.
_STALE_TAGS = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 280, 281, 284, 317, 318, 319}
    | {320, 322, 323, 324, 325, 330, 338, 339, 340, 341, 347, 512, 513, 514, 529, 530, 531, 532}
    | {700, 34377, 34675, 40961, 40962, 40963, 40965}
)
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:=["']|>))\d+""")
_FIXED_DATE = struct.pack(">6H", 2000, 2, 1, 0, 0, 0)


def read_exif(image: Image.Image) -> tuple[int, bytes | None]:
    """Reads the orientation (1..8) and the EXIF block that stays true once it has been applied.

    Broken EXIF is dropped with a logged warning; an orientation found before the break is kept.
    """
    orientation = 1
    try:
        source = image.getexif()
        orientation = source.get(ExifTags.Base.Orientation, 1)
        kept = Image.Exif()
        for tag, value in source.items():
            if tag not in _STALE_TAGS:
                kept[tag] = value
        for group in EXIF_GROUPS:
            if group in source:
                entries = source.get_ifd(group).items()
                kept[group] = {tag: value for tag, value in entries if tag not in _STALE_TAGS}
        if ExifTags.Base.Orientation in kept:
            kept[ExifTags.Base.Orientation] = 1
        return orientation, kept.tobytes() if len(kept) else None
    except Exception as error:  # PIL raises almost anything on damaged EXIF
        logger.warning("EXIF ignored, it is damaged (%s)", error)
        return orientation, None


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Returns a copy turned and mirrored as an EXIF orientation of 1..8 asks."""
    turned = image.copy()
    for key in _EXIF_KEYS:  # exif_transpose would rewrite these, and fails where they are damaged
        turned.info.pop(key, None)
    turned.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(turned, in_place=True)
    return turned


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) pixels turned and mirrored as an EXIF orientation of 1..8 asks; others stay."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def read_xmp(info: dict[Any, Any]) -> bytes | None:
    """The XMP packet of a PIL image's ``info``, saying that the picture is upright."""
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or not packet.strip(b"\0 \r\n\t"):
        return None
    return _XMP_ORIENTATION.sub(rb"\g<1>1", packet)


def read_dpi(info: dict[Any, Any], orientation: int = 1) -> tuple[float, float] | None:
    """Pixels an inch, across and down the upright picture, if a PIL image's ``info`` tells."""
    try:
        across, down = (float(value) for value in info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) and 1 <= value < 65536 for value in (across, down)):
        return None
    return (down, across) if orientation in (5, 6, 7, 8) else (across, down)


@functools.cache
def srgb_profile() -> bytes:
    """The sRGB ICC profile to embed, the same bytes in every run."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + _FIXED_DATE + profile[36:]


def srgb_converter(mode: str, icc: bytes) -> Callable[[Image.Image], Image.Image]:
    """What converts RGB or CMYK images from their embedded profile to sRGB; it changes none.

    A profile that is broken or made for another kind of picture is ignored with a logged warning.
    """
    try:
        transform = _transform(_profile(icc), srgb_profile(), mode, "RGB")
        if mode != "RGB" or not _is_identity(transform):
            return transform.apply
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        logger.warning("Colour profile ignored for this %s picture (%s)", mode, error)
    return _as_it_is


def grey_to_srgb(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    """Converts uint8 or uint16 grey of any shape from its embedded profile to the sRGB curve.

    Also takes an RGB profile, which stays behind when a colour photograph is turned grey. One that
    is broken or made for another kind of picture is ignored with a logged warning.
    """
    try:
        profile = _profile(icc)
        if icc[16:20] == b"RGB ":  # the colour space field of the ICC header
            return _table_from_rgb(profile, pixels.dtype)[pixels]
        ramp = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype).reshape(-1, 256)
        mode = "L" if pixels.dtype == np.uint8 else "I;16"
        transform = _transform(profile, _grey_profile(), mode, mode)
        return np.asarray(transform.apply(Image.fromarray(ramp))).ravel()[pixels]
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        logger.warning("Colour profile ignored for this grey picture (%s)", error)
        return pixels


def _as_it_is(image: Image.Image) -> Image.Image:
    return image


def _profile(icc: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))


def _transform(
    profile: ImageCms.ImageCmsProfile, target: bytes, mode: str, target_mode: str
) -> ImageCms.ImageCmsTransform:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if target_mode != "RGB":  # lcms shortens curves to tables that are one level off in the shadows
        flags |= ImageCms.Flags.NOOPTIMIZE
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.buildTransform(profile, _profile(target), mode, target_mode, intent, flags)


def _table_from_rgb(profile: ImageCms.ImageCmsProfile, dtype: np.dtype) -> np.ndarray:
    """What an RGB profile makes of each grey level, for a uint8 or uint16 picture."""
    levels = np.arange(256, dtype=np.uint8)
    ramp = Image.fromarray(levels[None]).convert("RGB")
    transform = _transform(profile, srgb_profile(), "RGB", "RGB")
    table = np.asarray(transform.apply(ramp).getchannel("G")).ravel()
    if dtype == np.uint8:
        return table
    return np.rint(np.interp(np.arange(65536) / 257, levels, table * 257.0)).astype(np.uint16)


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether an RGB transform moves no colour by more than one level: most profiles are sRGB."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    moved = np.asarray(transform.apply(Image.fromarray(probe)))
    return bool((np.abs(moved.astype(int) - probe) <= 1).all())


@functools.cache
def _grey_profile() -> bytes:
    """A minimal ICC profile of grey with the sRGB curve, which PIL cannot make."""
    fixed = [round(value * 65536) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)]
    curve = struct.pack(">4sIHH5i", b"para", 0, 3, 0, *fixed)
    white = struct.pack(">4sI3i", b"XYZ ", 0, 0xF6D6, 0x10000, 0xD32D)  # D50
    table = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(white), b"kTRC", 176, len(curve))
    body = table + white + curve
    header = struct.pack(
        ">II I4s4s4s 12s4s 28x 3i 48x",
        *(128 + len(body), 0, 0x04200000, b"mntr", b"GRAY", b"XYZ ", _FIXED_DATE, b"acsp"),
        *(0xF6D6, 0x10000, 0xD32D),
    )
    return header + body
