"""What a file tells that Pillow passes over: the colours that it names, EXIF and XMP in boxes."""

import logging
from typing import IO

from PIL import Image

from colorize_hub.pictures import boxes, icc, png
from colorize_hub.pictures.metadata import IPTC_RESOURCE

logger = logging.getLogger(__name__)

_BOXED = ("JPEG2000", "AVIF", "HEIF")


def profile_of(image: Image.Image, file: IO[bytes] | None) -> bytes | None:
    """Return the ICC profile of an image's colours, as its file names them; None for sRGB.

    Args:
        image: opened from ``file``.
        file: its place is left as it was; None or closed, and what Pillow read counts.
    """
    if file is None or file.closed:
        return png.profile_of_chunks(image.info)
    place = file.tell()
    try:
        if image.format == "PNG" and (declared := png.read_cicp(file)):
            return icc.profile_of_numbers(declared)
        if image.format == "JPEG2000":
            return boxes.read_jp2(file).get("icc_profile")
        if image.format in _BOXED and "icc_profile" not in image.info:
            declared = boxes.read_nclx(file)
            return icc.profile_of_numbers(declared) if declared else None
        return png.profile_of_chunks(image.info)
    finally:
        file.seek(place)


def complete(image: Image.Image, file: IO[bytes], name: str) -> None:
    """Add to an image's ``info`` what the boxes of its file carry.

    Where Pillow has 8 bits of more, a logged warning says so.

    Args:
        image: opened from ``file``, not yet decoded.
        file: its place is left as it was.
        name: of the picture, for messages.
    """
    place = file.tell()
    if image.format in ("AVIF", "HEIF"):
        _warn_of_bits(boxes.read_bits(file), name)
    if image.format == "PNG":
        png.mend_transparency(file, image.info)
    elif image.format == "JPEG2000":
        told = boxes.read_jp2(file)
        image.info |= {key: told[key] for key in ("exif", "xmp") if key in told}
        if "iptc" in told:
            image.info["photoshop"] = {IPTC_RESOURCE: told["iptc"]}
    elif image.format == "JXL" and (packet := boxes.read_xml(file)):
        image.info.setdefault("xmp", packet)
    file.seek(place)


def _warn_of_bits(bits: int, name: str) -> None:
    if bits > 8:
        logger.warning(
            "%s has %d bits a channel and is read with 8; as a 16-bit PNG or TIFF it keeps them",
            name,
            bits,
        )
