"""From a file to a Pillow image whose header is read, and what stops a bad one there."""

import contextlib
import logging
import struct
from collections.abc import Iterator
from typing import IO

from PIL import Image, ImageFile

from colorize_hub.pictures.formats import (
    LINEAR,
    RAW,
    Unread,
    register,
    unread,
    without_extra,
)

MAX_PIXELS = 200_000_000
_MOST_UNSUSPECTED = 1 << 24  # pixels; below, any file may unfold as far as it likes
_MOST_PIXELS_A_BYTE = 200  # a PNG or TIFF of one colour has more, a scan or photograph never has

logger = logging.getLogger(__name__)

# PIL hands EPS and WMF to other programs (Ghostscript, the Windows drawing layer).
_VECTOR_FORMATS = frozenset({"EPS", "WMF"})
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Fujifilm, Olympus, Panasonic and Sigma; the raw files of others begin as a TIFF does.
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb")
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_JXL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")


class PictureError(ValueError):
    """A picture that cannot be read, used or saved; the message says why and what to do."""


def open_header(file: IO[bytes], name: str) -> ImageFile.ImageFile:
    """Identify a picture and read its header only.

    Like ``PIL.Image.open``, which cannot be used: its own size limit is lower, warns on the way
    there, and is a setting of the whole process.

    Raises:
        PictureError: no format recognises the file, or one that is not read here.
    """
    file.seek(0)
    prefix = file.read(16)
    for register_formats in (Image.preinit, Image.init, lambda: _register_plugin(prefix, name)):
        register_formats()
        for format_name in Image.ID:
            read_header, accepts = Image.OPEN[format_name]
            verdict = accepts(prefix) if accepts else True
            if not verdict or isinstance(verdict, str) or format_name in _VECTOR_FORMATS:
                continue
            file.seek(0)
            try:
                return read_header(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    if kind := unread(name):
        raise refusal(name, kind)
    raise PictureError(
        f"{name} is not a picture that can be read: expected PNG, JPEG, WebP, TIFF, GIF, BMP or"
        " another pixel format, with an undamaged header."
    )


def check_kind(file: IO[bytes], name: str) -> bool:
    """Raise PictureError for what would be taken for a picture: the preview in a raw file.

    Returns:
        Whether the file is a TIFF.
    """
    file.seek(0)
    prefix, kind = file.read(16), unread(name)
    if prefix.startswith(_RAW_STARTS) or prefix[4:12] == b"ftypcrx ":
        raise refusal(name, RAW)
    if prefix[:2] == b"II" and prefix[8:10] == b"CR":
        raise refusal(name, RAW)
    if kind is RAW and prefix.startswith(_TIFF):
        raise refusal(name, RAW)
    if prefix[:3] in (b"Pf\n", b"PF\n"):
        raise refusal(name, LINEAR)
    return prefix.startswith(_TIFF)


def refusal(name: str, kind: Unread) -> PictureError:
    """Return the error for a picture of a kind that is not read."""
    return PictureError(f"{name} is not read, it is {kind.kind}: {kind.remedy}.")


def _register_plugin(prefix: bytes, name: str) -> None:
    """Let Pillow read HEIC or JPEG XL, where the file is one and the extra is installed."""
    if prefix[4:8] == b"ftyp" and prefix[8:12] in _HEIF_BRANDS:
        format_name = "HEIF"
    elif prefix.startswith(_JXL_STARTS):
        format_name = "JXL"
    else:
        return
    if not register(format_name):
        raise refusal(name, without_extra(format_name))


@contextlib.contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn whatever PIL raises on a damaged picture into a PictureError that names it."""
    try:
        yield
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(
            f"{name} needs more memory than there is: make it smaller first."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(
            f"{name} declares more than {MAX_PIXELS:,} pixels: make it smaller first."
        ) from error
    except Exception as error:  # PIL's decoders raise almost anything on damaged data
        reason = " ".join(str(error).split())
        raise PictureError(
            f"{name} is damaged or incomplete ({reason}): copy, download or export it again."
        ) from error


def check_size(name: str, width: int, height: int) -> None:
    """Raise PictureError unless there are 2 to MAX_PIXELS pixels."""
    if width * height == 0:
        raise PictureError(f"{name} has no pixels: its size is {width} x {height}.")
    if width * height == 1:
        raise PictureError(f"{name} is a single pixel: there is nothing to colour.")
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{name} is {width} x {height} = {width * height:,} pixels, more than the limit of"
            f" {MAX_PIXELS:,}: make it smaller first."
        )


def check_not_a_bomb(name: str, width: int, height: int, size: int) -> None:
    """Raise PictureError where a file of ``size`` bytes says that it is an enormous picture."""
    pixels = width * height
    if pixels > max(_MOST_UNSUSPECTED, size * _MOST_PIXELS_A_BYTE):
        raise PictureError(
            f"{name} is {size:,} bytes that claim to be {width} x {height} = {pixels:,} pixels: it"
            " is empty or a decompression bomb, and was not opened."
        )


def warn_of_pages(image: ImageFile.ImageFile, name: str) -> None:
    """Say so if there are more frames than the one that is read; for an image not yet decoded."""
    with contextlib.suppress(Exception):  # damage further on is no matter
        frames = getattr(image, "n_frames", 1)
        if image.format != "MPO" and frames > 1:
            logger.warning("%s has %d pages or frames; the first is read", name, frames)
    if image.format != "HEIF":  # which begins at the one that it calls its main picture
        image.seek(0)
