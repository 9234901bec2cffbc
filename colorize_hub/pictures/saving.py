"""Colours into files: each format's best settings, what travels beside the pixels, whole or not."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from colorize_hub.atomic import atomic_path
from colorize_hub.pictures import deep, metadata
from colorize_hub.pictures.deep import Beside
from colorize_hub.pictures.formats import register, unread, written_format
from colorize_hub.pictures.jpeg import write_jpeg
from colorize_hub.pictures.opening import PictureError

logger = logging.getLogger(__name__)

_FINE = {"quality": 95, "subsampling": "4:4:4"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 1},
    "JPEG": _FINE,
    "WEBP": {"quality": 95, "use_sharp_yuv": True, "exact": True},
    "AVIF": _FINE,
    "HEIF": {"quality": 95, "chroma": 444},
    "JXL": {"quality": 95},
}
_XMP_TAG = 700
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_536}
_DEEP_SAVERS = {"PNG": deep.save_png, "TIFF": deep.save_tiff}
_NO_ALPHA = ("JPEG", "BMP")


def writable_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix of a file name, if pictures in colour can be written as such; ".png" if not."""
    return Path(path).suffix if written_format(path) else ".png"


def check_savable(path: str | os.PathLike[str]) -> None:
    """Raises what `save_image` would on account of ``path`` alone, before there is an image."""
    _format_of(Path(path))


def save_image(image: Image.Image, path: str | os.PathLike[str], exif: bytes | None = None) -> None:
    """Saves an 8-bit sRGB image; the file appears whole or not at all.

    The suffix picks the format: .png, .tif, .bmp and .jp2 are lossless, .jpg and .avif are quality
    95 without chroma subsampling, .webp quality 95. All are tagged as sRGB; XMP and resolution are
    those in ``image.info``, as far as the format has a place for them.

    Args:
        image: mode RGB or RGBA. JPEG and BMP take RGBA only if it is opaque everywhere.
        path: where to; an existing file is replaced.
        exif: EXIF block to embed; None takes ``image.info["exif"]``, b"" embeds none.

    Raises:
        PictureError: unknown suffix, other mode, too large for the format, or transparency in a
            format without.
        FileNotFoundError: the parent folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    path = Path(path)
    format_name, options = _format_of(path)
    image = _fit_format(image, format_name, path)
    beside = Beside(
        metadata.srgb_profile(),
        image.info.get("exif", b"") if exif is None else exif,
        image.info.get("xmp", b""),
        image.info.get("dpi"),
    )
    embedded = _embedded(beside, format_name, path)
    with atomic_path(path) as unfinished, unfinished.open("xb") as file:
        if format_name == "JPEG":
            size = image.height, image.width
            write_jpeg(file, partial(_rows, image), size, options, embedded)
        else:
            image.save(file, format=format_name, **options, **embedded)


def save_jpeg(levels: np.ndarray, path: str | os.PathLike[str], beside: Beside) -> None:
    """Saves 8-bit colours as `save_image` does, without a second copy of them.

    Args:
        levels: (H, W, 3) RGB, uint8, sRGB-encoded.
        path: where to, a name of which `is_jpeg`; an existing file is replaced.
        beside: what to store with them.

    Raises:
        PictureError: too large for the format.
        FileNotFoundError: the parent folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    path = Path(path)
    format_name, options = _format_of(path)
    height, width, _ = levels.shape
    _check_sides(path, format_name, width, height)
    embedded = _embedded(beside, format_name, path)
    with atomic_path(path) as unfinished, unfinished.open("xb") as file:
        write_jpeg(
            file, lambda rows: Image.fromarray(levels[rows]), (height, width), options, embedded
        )


def save_deep(levels: np.ndarray, path: str | os.PathLike[str], beside: Beside) -> None:
    """Saves 16-bit colours as such; the file appears whole or not at all.

    Args:
        levels: (H, W, 3) RGB or (H, W, 4) RGBA, uint16, sRGB-encoded.
        path: where to, a name for which `holds_deep`; an existing file is replaced.
        beside: what to store with them.

    Raises:
        PictureError: another suffix, or too large for the format.
        FileNotFoundError: the parent folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    format_name, _ = _format_of(Path(path))
    if format_name not in _DEEP_SAVERS:
        raise PictureError(f"Cannot save {path} with 16 bits: save as .png or .tif.")
    with atomic_path(Path(path)) as unfinished, unfinished.open("xb") as file:
        _DEEP_SAVERS[format_name](file, levels, beside)


def is_jpeg(path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name is a JPEG."""
    return written_format(path) == "JPEG"


def holds_deep(path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name can have 16 bits a channel."""
    return written_format(path) in _DEEP_SAVERS


def _embedded(beside: Beside, format_name: str, path: Path) -> dict[str, Any]:
    """What Pillow's saver of a format takes for the things beside the pixels."""
    dpi = {"dpi": beside.dpi} if beside.dpi else {}
    if format_name == "BMP":
        return dpi
    if format_name == "JPEG2000":
        return {}
    exif, xmp = beside.exif, beside.xmp
    if format_name == "JPEG" and len(exif) > 65_533:
        logger.warning("%s: %d bytes of EXIF do not fit in a JPEG; left out", path, len(exif))
        exif = b""
    if format_name == "JPEG" and len(xmp) > 65_504:
        logger.warning("%s: %d bytes of XMP do not fit in a JPEG; left out", path, len(xmp))
        xmp = b""
    given: dict[str, Any] = {"icc_profile": beside.icc, **({"exif": exif} if exif else {})}
    if format_name in ("JPEG", "PNG", "TIFF"):
        given |= dpi
    if xmp and format_name == "PNG":
        given["pnginfo"] = PngImagePlugin.PngInfo()
        given["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    elif xmp and format_name == "TIFF":  # where it is one tag more
        given["exif"] = Image.Exif()
        given["exif"].load(exif)
        given["exif"][_XMP_TAG] = xmp
    elif xmp:
        given["xmp"] = xmp
    return given


def _format_of(path: Path) -> tuple[str, dict[str, Any]]:
    format_name = written_format(path)
    if format_name is None:
        if kind := unread(path):
            raise PictureError(f"Cannot save {path} as {kind.kind}: {kind.remedy}.")
        raise PictureError(
            f"Cannot save {path}: expected a name ending in .png, .jpg, .tif, .webp, .avif, .bmp"
            f" or .jp2, got {path.suffix or 'no suffix'!r}."
        )
    if path.is_dir():
        raise IsADirectoryError(f"Cannot save {path}: it is a folder.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Cannot save {path}: create the folder {path.parent} first.")
    register(format_name)
    return format_name, _OPTIONS.get(format_name, {})


def _fit_format(image: Image.Image, format_name: str, path: Path) -> Image.Image:
    if image.mode not in ("RGB", "RGBA"):
        raise PictureError(
            f"Cannot save {path}: expected an RGB or RGBA image, got {image.mode}: convert it."
        )
    _check_sides(path, format_name, *image.size)
    if format_name not in _NO_ALPHA or image.mode == "RGB":
        return image
    if image.getchannel("A").getextrema() != (255, 255):
        raise PictureError(
            f"Cannot save {path}: {format_name} has no transparency and this picture does; save as"
            " .png, .webp or .tif, or flatten it first."
        )
    return image.convert("RGB")


def _check_sides(path: Path, format_name: str, width: int, height: int) -> None:
    longest = _LONGEST_SIDE.get(format_name, max(width, height))
    if max(width, height) > longest:
        raise PictureError(
            f"Cannot save {path}: {width} x {height} pixels, but {format_name} ends at {longest} a"
            " side; save as .png or .tif."
        )


def _rows(image: Image.Image, rows: slice) -> Image.Image:
    return image.crop((0, rows.start, image.width, rows.stop))
