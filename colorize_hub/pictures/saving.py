"""Colours into files: each format's best settings, whole or not at all."""

import io
import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from colorize_hub.atomic import atomic_path
from colorize_hub.pictures import boxes, icc, metadata, png, tiff
from colorize_hub.pictures.exif import HEADER
from colorize_hub.pictures.fitting import BARE, fitted
from colorize_hub.pictures.formats import register, unread, written_format
from colorize_hub.pictures.jpeg import write_jpeg
from colorize_hub.pictures.metadata import IPTC_RESOURCE, Metadata
from colorize_hub.pictures.modes import to_depth
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
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_536}
_DEEP = ("PNG", "TIFF")
_NO_ALPHA = ("JPEG", "BMP")


def writable_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix of a file name, if colour can be written as such; ".png" if not."""
    return Path(path).suffix if written_format(path) else ".png"


def check_savable(path: str | os.PathLike[str]) -> None:
    """Raise what `save_image` would on account of ``path`` alone, before there is an image."""
    _format_of(Path(path))


def save_image(image: Image.Image, path: str | os.PathLike[str], exif: bytes | None = None) -> None:
    """Save an 8-bit sRGB image with what its ``info`` carries, as `save_levels` does.

    Args:
        image: mode RGB or RGBA.
        path: where to; an existing file is replaced.
        exif: EXIF block to embed; None takes ``image.info["exif"]``, b"" embeds none.

    Raises:
        PictureError: as for `save_levels`, or the image has another mode.
        FileNotFoundError: the parent folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    _format_of(Path(path))
    if image.mode not in ("RGB", "RGBA"):
        raise PictureError(
            f"Cannot save {path}: expected an RGB or RGBA image, got {image.mode}: convert it."
        )
    info = image.info if exif is None else image.info | {"exif": exif}
    save_levels(np.asarray(image), path, metadata.of_info(info))


def save_levels(levels: np.ndarray, path: str | os.PathLike[str], held: Metadata) -> None:
    """Save sRGB colours with their metadata; the file appears whole or not at all.

    The suffix picks the format: .png, .tif, .bmp and .jp2 are lossless, .jpg, .avif and .heic are
    quality 95 without chroma subsampling, .webp and .jxl quality 95. All are tagged as sRGB. PNG
    and TIFF hold 16 bits, others 8. What the format has no place for is left out, with a logged
    warning that names it.

    Args:
        levels: (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16. JPEG and BMP take RGBA only if it
            is opaque everywhere.
        path: where to; an existing file is replaced.
        held: what to store with them.

    Raises:
        PictureError: unknown suffix, too large for the format, or transparency in a format without.
        FileNotFoundError: the parent folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    path = Path(path)
    format_name, options = _format_of(path)
    levels = _fit_format(levels, format_name, path)
    held = fitted(held, format_name, path)
    with atomic_path(path) as partial:
        if format_name == "TIFF":
            tiff.write_tiff(partial, levels, held)
            return
        with partial.open("xb") as file:
            if format_name == "JPEG":
                embedded = _for_jpeg(held)
                write_jpeg(file, _rows_of(levels), levels.shape[:2], options, embedded)
            elif levels.dtype == np.uint16:
                png.write_deep(file, levels, held)
            elif format_name == "JPEG2000":
                file.write(_jpeg_2000(levels, held, path))
            else:
                embedded = _embedded(held, format_name)
                Image.fromarray(levels).save(file, format=format_name, **options, **embedded)


def _rows_of(levels: np.ndarray) -> Callable[[slice], Image.Image]:
    return lambda rows: Image.fromarray(levels[rows])


def _embedded(held: Metadata, format_name: str) -> dict[str, Any]:
    """Return what Pillow's saver of a format takes for the metadata."""
    dpi = {"dpi": held.dpi} if held.dpi else {}
    if format_name == "BMP":
        return dpi
    block = held.exif_with_resolution() if held.exif or format_name != "PNG" else b""
    given: dict[str, Any] = {
        "icc_profile": icc.srgb_profile(),
        **({"exif": block} if block else {}),
    }
    if format_name != "PNG":
        return given | ({"xmp": held.xmp} if held.xmp else {})
    texts = PngImagePlugin.PngInfo()
    for keyword, text in held.texts:
        texts.add_text(keyword, text)
    if held.xmp:
        texts.add_itxt(png.XMP_KEYWORD, held.xmp.decode("utf-8", "replace"))
    return given | dpi | {"pnginfo": texts}


def _for_jpeg(held: Metadata) -> dict[str, Any]:
    """Return what Pillow's saver of JPEG takes; segments that it does not know come whole."""
    segments = [b"\xff\xfe" + _sized(comment) for comment in held.comments]
    if held.iptc:
        size = len(held.iptc)
        resource = struct.pack(">4sHHI", b"8BIM", IPTC_RESOURCE, 0, size) + held.iptc
        segments.append(b"\xff\xed" + _sized(b"Photoshop 3.0\0" + resource + bytes(size % 2)))
    given: dict[str, Any] = {
        "icc_profile": icc.srgb_profile(),
        "exif": held.exif_with_resolution() if held.exif else b"",
        "xmp": held.xmp,
        "dpi": held.dpi,
        "extra": b"".join(segments),
    }
    return {key: value for key, value in given.items() if value}


def _sized(content: bytes) -> bytes:
    return struct.pack(">H", 2 + len(content)) + content


def _jpeg_2000(levels: np.ndarray, held: Metadata, path: Path) -> bytes:
    buffer, bare = io.BytesIO(), path.suffix.lower() in BARE
    comment = {"comment": b"\n".join(held.comments)} if held.comments else {}
    Image.fromarray(levels).save(buffer, "JPEG2000", no_jp2=bare, **comment)
    if bare:
        return buffer.getvalue()
    block = held.exif.to_bytes().removeprefix(HEADER)
    boxed = {"exif": block, "xmp": held.xmp, "iptc": held.iptc}
    return boxes.jp2_with(buffer.getvalue(), boxed, held.dpi)


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


def _fit_format(levels: np.ndarray, format_name: str, path: Path) -> np.ndarray:
    """Return the colours in the bits and channels that a format has."""
    height, width, channels = levels.shape
    _check_sides(path, format_name, width, height)
    if levels.dtype == np.uint16 and format_name not in _DEEP:
        logger.warning("%s is written with 8 bits; a .png or .tif would keep 16", path)
        levels = to_depth(levels, np.dtype(np.uint8))
    if channels == 4 and format_name in _NO_ALPHA:
        if levels[:, :, 3].min() < np.iinfo(levels.dtype).max:
            raise PictureError(
                f"Cannot save {path}: {format_name} has no transparency and this picture does; save"
                " as .png, .webp or .tif, or flatten it first."
            )
        levels = levels[:, :, :3]
    return np.ascontiguousarray(levels)


def _check_sides(path: Path, format_name: str, width: int, height: int) -> None:
    longest = _LONGEST_SIDE.get(format_name, max(width, height))
    if max(width, height) > longest:
        raise PictureError(
            f"Cannot save {path}: {width} x {height} pixels, but {format_name} ends at {longest} a"
            " side; save as .png or .tif."
        )
