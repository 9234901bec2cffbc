"""The edge between picture files, PIL images or numpy arrays and plain sRGB pixels.

Everything inside the library sees one thing, a `Picture`: upright, sRGB, 8 or 16 bits, alpha set
aside. `read_picture` makes it, `write_like` turns colours back into what the caller brought.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from colorize_hub import formats, metadata
from colorize_hub.formats import MAX_PIXELS, PictureError

__all__ = [
    "MAX_PIXELS",
    "Picture",
    "PictureError",
    "check_savable",
    "read_picture",
    "save_image",
    "write_like",
]

ImageLike = str | os.PathLike[str] | Image.Image | np.ndarray

logger = logging.getLogger(__name__)

_SAVERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_level": 1}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    ".webp": ("WEBP", {"quality": 95, "use_sharp_yuv": True, "exact": True}),
    ".tif": ("TIFF", {}),  # uncompressed: through libtiff, PIL fails on most EXIF
    ".tiff": ("TIFF", {}),
}
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
_JPEG_EXIF_BYTES = 65_533

# Decoding a PIL image and parsing its EXIF both write to the image object, which threads may share.
_pil_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """One upright picture in sRGB.

    Attributes:
        pixels: (H, W, 1) grey or (H, W, 3) colour, uint8 or uint16 over the full range of the type,
            sRGB-encoded. For an array input it may share the caller's memory: never write to it.
        alpha: (H, W) opacity of the same type, or None.
        exif: the EXIF block without what orientation and decoding made untrue, or None.
        kind: what the caller brought.
        float_array: the caller's array held floats in 0..1.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    exif: bytes | None
    kind: Literal["file", "pil", "array"]
    float_array: bool

    @property
    def height(self) -> int:
        """Rows of the upright picture."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns of the upright picture."""
        return self.pixels.shape[1]


def read_picture(image: ImageLike) -> Picture:
    """Reads a picture file, PIL image or array; the caller's object stays as it was.

    Files and PIL images: any PIL mode. EXIF orientation is applied, and an embedded colour profile
    is converted to sRGB (one that is broken or made for another kind of picture is ignored with a
    logged warning). Grey stays one channel. 16-bit grey keeps its 16 bits; PIL reads 16-bit colour
    as 8 bits. Float grey (mode F) becomes 16 bits: white is 1, 255 or 65535, the smallest that the
    picture's maximum does not exceed. Of an animated or multi-page file the first frame is read, of
    such a PIL image the current one.

    Arrays: (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB, (H, W, 4) RGBA, taken
    to be sRGB-encoded; uint8, uint16, or float32 / float64 in 0..1, which are stored as uint16.

    Raises:
        PictureError: not a picture, damaged, more than MAX_PIXELS (checked on the header, before
            decoding), fewer than two pixels, or an unusable type, shape, dtype or range.
        FileNotFoundError: the path does not lead to a file.
        IsADirectoryError: the path is a folder.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if isinstance(image, Image.Image):
        with _pil_lock, formats.decoding("the PIL image"):
            orientation, exif = _load(image, "the PIL image")
        with formats.decoding("the PIL image"):
            return _from_pil(image, orientation, exif, "pil")
    if isinstance(image, str | os.PathLike):
        return _from_file(Path(image))
    raise PictureError(
        f"Expected a file path, a PIL image or a numpy array, got {type(image).__name__}. Open"
        " bytes and streams with PIL.Image.open; turn tensors into (H, W, 3) numpy arrays."
    )


def write_like(rgb: np.ndarray, picture: Picture) -> Image.Image | np.ndarray:
    """Turns colours into the kind of thing ``picture`` was read from, its alpha put back.

    Args:
        rgb: (H, W, 3), uint8 or uint16 over the full range of the type, sRGB-encoded.
        picture: what `read_picture` made of the input; same height and width.

    Returns:
        For an array: (H, W, 3), or (H, W, 4) where the input had alpha, in the input's dtype
        (float32 in 0..1 for both float types). It may share memory with ``rgb``. For a file or PIL
        image: an 8-bit RGB or RGBA image with the sRGB profile and the EXIF in its ``info``.

    Raises:
        PictureError: ``rgb`` has another shape or dtype.
    """
    expected = (picture.height, picture.width, 3)
    if rgb.shape != expected or rgb.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            f"Expected uint8 or uint16 colours of shape {expected}, got {rgb.dtype} {rgb.shape}."
        )
    if picture.kind == "array":
        colours = _to_depth(rgb, picture.pixels.dtype)
        if picture.alpha is not None:
            colours = np.dstack([colours, picture.alpha])
        return colours / np.float32(65535) if picture.float_array else colours
    image = Image.fromarray(np.ascontiguousarray(_to_depth(rgb, np.dtype(np.uint8))))
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(_to_depth(picture.alpha, np.dtype(np.uint8))))
    image.info["icc_profile"] = metadata.srgb_profile()
    if picture.exif:
        image.info["exif"] = picture.exif
    return image


def check_savable(path: str | os.PathLike[str]) -> None:
    """Raises what `save_image` would on account of ``path`` alone, before there is an image."""
    _saver(Path(path))


def save_image(image: Image.Image, path: str | os.PathLike[str], exif: bytes | None = None) -> None:
    """Saves an 8-bit sRGB image; the file appears whole or not at all.

    The suffix picks the format: .png and .tif are lossless, .jpg is quality 95 without chroma
    subsampling, .webp quality 95. All are tagged as sRGB.

    Args:
        image: mode RGB or RGBA. JPEG takes RGBA only if it is opaque everywhere.
        path: where to; an existing file is replaced.
        exif: EXIF block to embed; None takes ``image.info["exif"]``, b"" embeds none.

    Raises:
        PictureError: unknown suffix, other mode, too large for the format, or transparency in a
            JPEG.
        FileNotFoundError: the parent folder does not exist.
        IsADirectoryError: ``path`` is a folder.
    """
    path = Path(path)
    format_name, options = _saver(path)
    image = _fit_format(image, format_name, path)
    block: bytes = image.info.get("exif", b"") if exif is None else exif
    if format_name == "JPEG" and len(block) > _JPEG_EXIF_BYTES:
        logger.warning("%s: %d bytes of EXIF do not fit in a JPEG; left out", path, len(block))
        block = b""
    if block:
        options = options | {"exif": block}
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            image.save(file, format=format_name, icc_profile=metadata.srgb_profile(), **options)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _from_file(path: Path) -> Picture:
    if path.is_dir():
        raise IsADirectoryError(f"Expected a picture file, but {path} is a folder.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no picture file at {path}; check the path.")
    if path.stat().st_size == 0:
        raise PictureError(f"{path} is empty (0 bytes): copy or download it again.")
    name = str(path)
    with path.open("rb") as file, formats.decoding(name):
        image = formats.open_header(file, name)
        orientation, exif = _load(image, name)
        return _from_pil(image, orientation, exif, "file")


def _from_array(array: np.ndarray) -> Picture:
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise PictureError(
            f"Expected an array of shape (H, W) or (H, W, 1 to 4), got {array.shape}: pass one"
            " picture at a time, channels last."
        )
    formats.check_size("the array", array.shape[1], array.shape[0])
    dtype = array.dtype.newbyteorder("=")
    if dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise PictureError(
            f"Expected an array of uint8, uint16, or float32 / float64 in 0..1, got {array.dtype}:"
            " convert it, for 0..255 with array.astype(np.uint8)."
        )
    is_float = dtype.kind == "f"
    if is_float:
        low, high = array.min(), array.max()
        if not (low >= 0 and high <= 1):  # written so that NaN fails too
            raise PictureError(
                f"Expected finite floats in 0..1, got {low:g} to {high:g}: divide by the white"
                " value, or convert to uint8, and replace NaN and infinity."
            )
        scaled = array * dtype.type(65535)
        array = np.rint(scaled, out=scaled).astype(np.uint16)
        dtype = array.dtype
    array = array if array.ndim == 3 else array[:, :, None]
    has_alpha = array.shape[2] in (2, 4)
    return Picture(
        pixels=np.require(array[:, :, :-1] if has_alpha else array, dtype, ["C", "W"]),
        alpha=np.require(array[:, :, -1], dtype, ["C", "W"]) if has_alpha else None,
        exif=None,
        kind="array",
        float_array=is_float,
    )


def _from_pil(
    image: Image.Image, orientation: int, exif: bytes | None, kind: Literal["file", "pil"]
) -> Picture:
    if orientation != 1:
        image = metadata.upright(image, orientation)
    pixels, alpha = formats.to_pixels(image)
    return Picture(pixels=pixels, alpha=alpha, exif=exif, kind=kind, float_array=False)


def _load(image: Image.Image, name: str) -> tuple[int, bytes | None]:
    """Checks the size, decodes the pixels in place and returns the orientation and EXIF block."""
    formats.check_size(name, image.width, image.height)
    image.load()
    return metadata.read_exif(image)


def _to_depth(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rescales uint8 or uint16 levels to ``dtype``, rounding to nearest."""
    if values.dtype == dtype:
        return values
    if dtype == np.uint16:
        return values.astype(np.uint16) * np.uint16(257)
    quotient, remainder = np.divmod(values, np.uint16(257))
    return (quotient + (remainder > 128)).astype(np.uint8)


def _saver(path: Path) -> tuple[str, dict[str, Any]]:
    if path.suffix.lower() not in _SAVERS:
        raise PictureError(
            f"Cannot save {path}: expected a name ending in {', '.join(_SAVERS)}, got"
            f" {path.suffix or 'no suffix'!r}."
        )
    if path.is_dir():
        raise IsADirectoryError(f"Cannot save {path}: it is a folder.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Cannot save {path}: create the folder {path.parent} first.")
    return _SAVERS[path.suffix.lower()]


def _fit_format(image: Image.Image, format_name: str, path: Path) -> Image.Image:
    if image.mode not in ("RGB", "RGBA"):
        raise PictureError(
            f"Cannot save {path}: expected an RGB or RGBA image, got {image.mode}: convert it."
        )
    longest = _LONGEST_SIDE.get(format_name, max(image.size))
    if max(image.size) > longest:
        raise PictureError(
            f"Cannot save {path}: {image.width} x {image.height} pixels, but {format_name} ends at"
            f" {longest} a side; save as .png or .tif."
        )
    if format_name != "JPEG" or image.mode == "RGB":
        return image
    if image.getchannel("A").getextrema() != (255, 255):
        raise PictureError(
            f"Cannot save {path}: JPEG has no transparency and this picture does; save as .png,"
            " .webp or .tif, or flatten it first."
        )
    return image.convert("RGB")
