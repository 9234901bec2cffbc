"""TIFF: any bits, sample format and layout into 8 or 16 bits, and colours into a TIFF.

tifffile and imagecodecs decode what Pillow reads wrongly or not at all: more than 8 bits, floats,
white as zero beyond 8 bits, extra samples, newer compressions.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image

from colorize_hub.pictures import exif, icc
from colorize_hub.pictures.formats import RAW
from colorize_hub.pictures.metadata import Metadata
from colorize_hub.pictures.opening import PictureError, refusal
from colorize_hub.pictures.samples import lab_levels, to_levels, unmultiplied

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

logger = logging.getLogger(__name__)
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it finds, the error says

_MOST_SAMPLES, _MOST_PAGES = 16, 1000
_PIECE = 1 << 20
# Photometric interpretations.
_WHITE_IS_ZERO, _RGB, _PALETTE, _YCBCR, _LAB, _ICC_LAB = 0, 2, 3, 6, 8, 9
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3}  # samples of each kind, less extra ones
_OF_PILLOW = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000})  # compressions
_SENSOR = frozenset({32803, 34892})  # a colour filter array, and linear raw light
_BITS, _PHOTOMETRIC, _DNG_VERSION = 258, 262, 50706
_REDUCED_OR_MASK = 0b101  # bits of NewSubfileType
_ASSOCIATED, _UNASSOCIATED = 1, 2
_UNSIGNED = 1  # sample format


@dataclass(frozen=True, eq=False)
class Samples:
    """What a TIFF holds, upright only after its orientation is applied.

    Attributes:
        pixels: (H, W, 1) grey, (H, W, 3) RGB or (H, W, 4) CMYK, uint8 or uint16 over the full
            range of the type.
        alpha: (H, W) opacity of the same type, or None.
        profile: its ICC profile, or None.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    profile: bytes | None


@dataclass(frozen=True)
class Page:
    """The picture among a TIFF's pages.

    Attributes:
        index: which page, from 0.
        size: width and height.
        for_pillow: Pillow reads it right.
        stored: its directory.
    """

    index: int
    size: tuple[int, int]
    for_pillow: bool
    stored: exif.Exif


def find_page(file: IO[bytes], name: str) -> Page | None:
    """Return the first page of a TIFF that is no reduced copy; None if it cannot be told.

    More pages of full size are named in a logged warning; those of a pyramid, thumbnails and masks
    are not.

    Raises:
        PictureError: it is a camera raw file.
    """
    import tifffile

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as tif:
            pages = _pages_of(tif)
    except (tifffile.TiffFileError, ValueError, IndexError, KeyError, struct.error, OSError):
        return None
    if not pages:
        return None
    if _DNG_VERSION in pages[0].tags or pages[0].photometric in _SENSOR:
        raise refusal(name, RAW)
    whole = [i for i, page in enumerate(pages) if not page.subfiletype & _REDUCED_OR_MASK]
    if len(whole) > 1:
        logger.warning("%s has %d pages or frames; the first is read", name, len(whole))
    index = whole[0] if whole else 0
    page = pages[index]
    return Page(
        index,
        (page.imagewidth, page.imagelength),
        _is_for_pillow(page),
        exif.read_directories(file, page.offset),
    )


def read_samples(file: IO[bytes], index: int, name: str) -> Samples:
    """Decode a page to levels of 8 bits, or of 16 where it holds more.

    Grey with white as zero becomes black as zero. Extra samples but alpha are left aside. Of
    floats, white is 1, or 255 or 65535 where they go that far, which a logged warning says.

    Raises:
        PictureError: its colours are of a kind that cannot be read, or it is incomplete.
    """
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as tif:
        page = tif.pages[index].aspage()
        _check_readable(tif, page, name)
        values = page.asarray(squeeze=False)[:, 0]  # (planes, H, W, samples of a plane)
        values = np.moveaxis(values, 0, -1).reshape(*values.shape[1:3], -1)
        profile, colormap = page.iccprofile, page.colormap
        kind, bits = page.photometric, page.bitspersample
        extras, colours = page.extrasamples, _COLOURS[page.photometric]
    if kind == _RGB and not extras and values.shape[2] == 4:
        extras = (_UNASSOCIATED,)  # left out by many writers
    opacity = [i for i, extra in enumerate(extras) if extra in (_ASSOCIATED, _UNASSOCIATED)]
    alpha = None
    if opacity and colours + opacity[0] < values.shape[2]:
        alpha = to_levels(values[:, :, colours + opacity[0]], bits, name)
    if kind in (_LAB, _ICC_LAB):
        pixels, profile = lab_levels(values[:, :, :3], bits, kind == _ICC_LAB), None
    elif kind == _PALETTE:
        pixels = np.moveaxis(np.asarray(colormap)[:, values[:, :, 0]], 0, -1)
    else:
        pixels = to_levels(values[:, :, :colours], bits, name)
    if kind == _WHITE_IS_ZERO:
        np.subtract(np.iinfo(pixels.dtype).max, pixels, out=pixels)
    if alpha is not None and alpha.dtype != pixels.dtype:
        alpha = alpha.astype(np.uint16) * np.uint16(257)
    if alpha is not None and extras[opacity[0]] == _ASSOCIATED:
        pixels = unmultiplied(pixels, alpha)
    return Samples(np.ascontiguousarray(pixels), alpha, profile)


def corrected(image: Image.Image, levels: np.ndarray) -> np.ndarray:
    """Mend the levels of a TIFF that Pillow decoded, where it passes over what they mean.

    Args:
        image: of Pillow, of any format.
        levels: (H, W, 1 or 3), uint8 or uint16, that were made of it.

    Returns:
        Grey of more than 8 bits, black as zero and over the full range; other levels as they are.
    """
    tags = getattr(image, "tag_v2", None)
    if tags is None or levels.dtype != np.uint16:
        return levels
    bits = min(tags.get(_BITS, (16,)))
    if 8 < bits < 16:
        levels = to_levels(levels, bits, "the PIL image")
    return 65535 - levels if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else levels


def write_tiff(path: Path, levels: np.ndarray, held: Metadata) -> None:
    """Write (H, W, 3 or 4) uint8 or uint16 RGB or RGBA, uncompressed, with the sRGB profile."""
    import tifffile

    big = levels.nbytes > 0xF0000000  # a TIFF ends at 4 GiB
    tags = [
        (tag, entry.kind, entry.count, entry.data, True)
        for tag, entry in held.exif.main.items()
        if tag != exif.ORIENTATION
    ]
    if held.xmp:
        tags.append((exif.XMP, 1, len(held.xmp), held.xmp, True))
    if held.iptc:
        tags.append((exif.IPTC, 7, len(held.iptc), held.iptc, True))
    pointers = {exif.GROUPS[0]: "ExifTag", exif.GROUPS[1]: "GPSTag"}  # by number they are refused
    somewhere = 16 if big else 8  # the first directory, until the group's place is known
    tags += [(pointers[group], 4, 1, somewhere, True) for group in held.exif.groups]
    tifffile.imwrite(
        path,
        levels,
        bigtiff=big,
        byteorder=held.exif.order,
        photometric="rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] if levels.shape[2] == 4 else None,
        rowsperstrip=max(1, _PIECE // levels[0].nbytes),
        iccprofile=icc.srgb_profile(),
        resolution=held.dpi,
        resolutionunit="inch" if held.dpi else None,
        metadata=None,
        software=False,
        extratags=tags,
    )
    if held.dpi is None:
        with path.open("r+b") as file:
            exif.forget_resolution(file)
    for group in held.exif.groups:
        with path.open("ab") as file:
            place = file.tell()
            file.write(held.exif.group_bytes(group, place))
        with tifffile.TiffFile(path, mode="r+") as tif:
            tif.pages[0].aspage().tags[int(group)].overwrite(place)


def _pages_of(tif: TiffFile) -> list[TiffPage]:
    """List the pages of a TIFF, up to a thousand; a chain that leads back ends there."""
    pages: list[TiffPage] = []
    while len(pages) < _MOST_PAGES:
        try:
            page = tif.pages[len(pages)].aspage()
        except IndexError:
            break
        if any(page.offset == other.offset for other in pages):
            break
        pages.append(page)
    return pages


def _is_for_pillow(page: TiffPage) -> bool:
    """Tell whether Pillow reads a page right: 8 bits or fewer of the usual kinds, nothing extra."""
    kind, bits = page.photometric, page.bitspersample
    if page.compression not in _OF_PILLOW or page.sampleformat != _UNSIGNED or page.extrasamples:
        return False
    if page.samplesperpixel != _COLOURS.get(kind) or kind in (_LAB, _ICC_LAB):
        return False
    return bits == 8 or (bits in (1, 2, 4) and page.samplesperpixel == 1)


def _check_readable(tif: TiffFile, page: TiffPage, name: str) -> None:
    kind = page.photometric
    known = kind in _COLOURS and page.samplesperpixel >= _COLOURS[kind] and page.imagedepth == 1
    if kind == _YCBCR and page.compression not in (6, 7):
        known = False
    if not known or page.samplesperpixel > _MOST_SAMPLES or page.dtype is None:
        raise PictureError(
            f"{name} is a TIFF of a kind that cannot be read, of {page.samplesperpixel} samples of"
            f" {page.bitspersample} bits and photometric interpretation {int(kind)}: save it as RGB"
            " or grey of 8 or 16 bits."
        )
    if page.dtype.kind not in "buif":
        raise PictureError(f"{name} holds {page.dtype} values: save it with 16-bit whole numbers.")
    ends = (at + count for at, count in zip(page.dataoffsets, page.databytecounts, strict=False))
    if not page.dataoffsets or max(ends) > tif.filehandle.size:
        raise PictureError(
            f"{name} is damaged or incomplete (its pixels end before the picture does): copy,"
            " download or export it again."
        )
