"""The edge between picture files, PIL images or numpy arrays and plain sRGB pixels.

Everything inside the library sees one thing, a `Picture`: upright, sRGB, 8 or 16 bits, alpha set
aside. `read_picture` makes it, `write_like` turns colours back into what the caller brought.
"""

import io
import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

import numpy as np
from PIL import ExifTags, Image

from colorize_hub.pictures import (
    containers,
    deep,
    icc,
    jpeg_end,
    metadata,
    modes,
    opening,
    tiff,
)
from colorize_hub.pictures.metadata import Metadata
from colorize_hub.pictures.opening import MAX_PIXELS, PictureError
from colorize_hub.pictures.saving import check_savable, save_image

__all__ = [
    "MAX_PIXELS",
    "Picture",
    "PictureError",
    "as_image",
    "check_colors",
    "check_savable",
    "read_picture",
    "save_image",
    "write_like",
]

logger = logging.getLogger(__name__)

ImageLike = str | os.PathLike[str] | Image.Image | np.ndarray

# Decoding a PIL image and parsing its EXIF both write to the image object, which threads may share.
_pil_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """One upright picture in sRGB.

    Attributes:
        pixels: (H, W, 1) grey or (H, W, 3) colour, uint8 or uint16 over the full range of the type,
            sRGB-encoded. For an array input it may share the caller's memory: never write to it.
        alpha: (H, W) opacity of the same type, or None.
        kind: what the caller brought.
        float_array: the caller's array held floats in 0..1.
        metadata: what it carries besides, as far as it stays true.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    kind: Literal["file", "pil", "array"]
    float_array: bool = False
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def height(self) -> int:
        """Rows of the upright picture."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns of the upright picture."""
        return self.pixels.shape[1]


def read_picture(image: ImageLike) -> Picture:
    """Read a picture file, PIL image or array; the caller's object stays as it was.

    Files and PIL images: any PIL mode. EXIF orientation is applied, and an embedded colour profile
    is converted to sRGB (one that is broken or made for another kind of picture is ignored with a
    logged warning). Grey stays one channel. 16-bit grey keeps its 16 bits, as does 16-bit colour of
    a PNG or TIFF file, of which PIL images have 8. A TIFF may have any number of bits and samples,
    whole numbers or floats, interleaved or in planes. Floats become 16 bits: white is 1, or 255 or
    65535 where they go that far, with a logged warning. Of an animated or multi-page file the first
    frame is read, with a logged warning, of such a PIL image the current one.

    Arrays: (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB, (H, W, 4) RGBA, taken
    to be sRGB-encoded; uint8, uint16, or float32 / float64 in 0..1, which are stored as uint16.

    Raises:
        PictureError: not a picture, damaged, more than MAX_PIXELS or than its bytes can hold (both
            checked before decoding), more than there is memory for, fewer than two pixels, or an
            unusable type, shape, dtype or range.
        FileNotFoundError: the path does not lead to a file.
        IsADirectoryError: the path is a folder.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if isinstance(image, Image.Image):
        return _from_image(image)
    if isinstance(image, str | os.PathLike):
        return _from_file(Path(image))
    raise PictureError(
        f"Expected a file path, a PIL image or a numpy array, got {type(image).__name__}. Open"
        " bytes and streams with PIL.Image.open; turn tensors into (H, W, 3) numpy arrays."
    )


def write_like(rgb: np.ndarray, picture: Picture) -> Image.Image | np.ndarray:
    """Turn colours into the kind of thing ``picture`` was read from, its alpha put back.

    Args:
        rgb: (H, W, 3), uint8 or uint16 over the full range of the type, sRGB-encoded.
        picture: what `read_picture` made of the input; same height and width.

    Returns:
        For an array: (H, W, 3), or (H, W, 4) where the input had alpha, in the input's dtype
        (float32 in 0..1 for both float types). It may share memory with ``rgb``. For a file or PIL
        image: an 8-bit RGB or RGBA image with the sRGB profile, the EXIF, XMP and resolution in its
        ``info``.

    Raises:
        PictureError: ``rgb`` has another shape or dtype.
    """
    check_colors(rgb, picture)
    if picture.kind == "array":
        colours = modes.to_depth(rgb, picture.pixels.dtype)
        if picture.alpha is not None:
            colours = np.dstack([colours, picture.alpha])
        return colours / np.float32(65535) if picture.float_array else colours
    return as_image(rgb, picture)


def check_colors(rgb: np.ndarray, picture: Picture) -> None:
    """Raise PictureError unless ``rgb`` is (H, W, 3), uint8 or uint16, of the picture's size."""
    expected = (picture.height, picture.width, 3)
    if rgb.shape != expected or rgb.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            f"Expected uint8 or uint16 colours of shape {expected}, got {rgb.dtype} {rgb.shape}."
        )


def as_image(rgb: np.ndarray, picture: Picture) -> Image.Image:
    """Return an 8-bit RGB or RGBA image of colours, with the metadata of ``picture``.

    Args:
        rgb: as for `write_like`.
        picture: as for `write_like`.
    """
    image = Image.fromarray(np.ascontiguousarray(modes.to_depth(rgb, np.dtype(np.uint8))))
    if picture.alpha is not None:
        image.putalpha(Image.fromarray(modes.to_depth(picture.alpha, np.dtype(np.uint8))))
    image.info |= {"icc_profile": icc.srgb_profile(), **metadata.as_info(picture.metadata)}
    return image


def _from_file(path: Path) -> Picture:
    if path.is_dir():
        raise IsADirectoryError(f"Expected a picture file, but {path} is a folder.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no picture file at {path}; check the path.")
    size = path.stat().st_size
    if size == 0:
        raise PictureError(f"{path} is empty (0 bytes): copy or download it again.")
    name = str(path)
    with path.open("rb") as file, opening.decoding(name):
        page = tiff.find_page(file, name) if opening.check_kind(file, name) else None
        if page is None:
            return _from_other(file, size, name)
        opening.check_size(name, *page.size)
        opening.check_not_a_bomb(name, *page.size, size)
        return _from_tiff(file, page, name)


def _from_tiff(file: IO[bytes], page: tiff.Page, name: str) -> Picture:
    held = metadata.read_tiff_metadata(page.stored)
    if page.for_pillow:
        image = opening.open_header(file, name)
        image.seek(page.index)
        image.load()
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)  # 1 where Pillow turned it
        upright = metadata.upright(image, orientation) if orientation != 1 else image
        pixels, alpha = modes.to_pixels(upright, image.info.get("icc_profile"), name)
        return Picture(pixels, alpha, "file", metadata=held)
    samples = tiff.read_samples(file, page.index, name)
    levels = metadata.turned(samples.pixels, page.stored.orientation)
    alpha = samples.alpha
    return Picture(
        pixels=modes.to_srgb(levels, samples.profile),
        alpha=None if alpha is None else metadata.turned(alpha, page.stored.orientation),
        kind="file",
        metadata=held,
    )


def _from_other(file: IO[bytes], size: int, name: str) -> Picture:
    """Read a file of any format but TIFF, of ``size`` bytes."""
    image = opening.open_header(file, name)
    opening.check_size(name, image.width, image.height)
    opening.check_not_a_bomb(name, image.width, image.height, size)
    opening.warn_of_pages(image, name)
    profile = containers.profile_of(image, file)
    containers.complete(image, file, name)
    levels = deep.read_deep(image, file, name)
    image = _decoded(image, file, name)
    orientation, held = metadata.read_metadata(image)
    if levels is not None:
        levels = metadata.turned(levels, orientation)
        alpha = levels[:, :, -1].copy() if levels.shape[2] in (2, 4) else None
        colours = levels if alpha is None else np.ascontiguousarray(levels[:, :, :-1])
        return Picture(modes.to_srgb(colours, profile), alpha, "file", metadata=held)
    upright = metadata.upright(image, orientation) if orientation != 1 else image
    pixels, alpha = modes.to_pixels(upright, profile, name)
    return Picture(pixels, alpha, "file", metadata=held)


def _decoded(image: Image.Image, file: IO[bytes], name: str) -> Image.Image:
    """Decode an image; a JPEG that lacks only its end marker gives a logged warning."""
    try:
        image.load()
        return image
    except OSError:
        file.seek(0)
        whole = jpeg_end.completed(file.read()) if image.format in ("JPEG", "MPO") else None
        if whole is None:
            raise
    logger.warning("%s lacks its end marker, but every pixel is there", name)
    image = Image.open(io.BytesIO(whole), formats=("JPEG",))
    image.load()
    return image


def _from_image(image: Image.Image) -> Picture:
    name = "the PIL image"
    with _pil_lock, opening.decoding(name):
        opening.check_size(name, image.width, image.height)
        profile = containers.profile_of(image, getattr(image, "fp", None))
        image.load()
        orientation, held = metadata.read_metadata(image)
    with opening.decoding(name):
        upright = metadata.upright(image, orientation) if orientation != 1 else image
        pixels, alpha = modes.to_pixels(upright, profile, name)
        return Picture(tiff.corrected(image, pixels), alpha, "pil", metadata=held)


def _from_array(array: np.ndarray) -> Picture:
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise PictureError(
            f"Expected an array of shape (H, W) or (H, W, 1 to 4), got {array.shape}: pass one"
            " picture at a time, channels last."
        )
    opening.check_size("the array", array.shape[1], array.shape[0])
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
        kind="array",
        float_array=is_float,
    )
