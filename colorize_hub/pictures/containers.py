"""What a file tells that Pillow passes over: the colours that it names, EXIF and XMP in boxes."""

import logging
from typing import IO

from PIL import Image

from colorize_hub.pictures import boxes, icc, png
from colorize_hub.pictures.metadata import IPTC_RESOURCE

logger = logging.getLogger(__name__)

_BOXED = ("JPEG2000", "AVIF", "HEIF")


def complete(image: Image.Image, file: IO[bytes], name: str) -> bytes | None:
    """Add to an image's ``info`` what its file tells besides.

    Where Pillow has 8 bits of more, a logged warning says so.

    Args:
        image: opened from ``file``, not yet decoded.
        file: its place is left as it was.
        name: of the picture, for messages.

    Returns:
        The ICC profile of the image's colours; None for sRGB.
    """
    place = file.tell()
    try:
        if image.format == "PNG":
            return png.named_profile(file, image.info)
        if image.format in _BOXED and not image.mode.startswith("I"):
            _warn_of_bits(boxes.read_bits(file), name)
        if image.format == "JPEG2000":
            for key, told in boxes.read_jp2(file).items():
                if key == "iptc":
                    image.info.setdefault("photoshop", {IPTC_RESOURCE: told})
                else:
                    image.info.setdefault(key, told)
        elif image.format == "JXL" and (packet := boxes.read_xml(file)):
            image.info.setdefault("xmp", packet)
        elif image.format in _BOXED and "icc_profile" not in image.info:
            declared = boxes.read_nclx(file)
            return icc.profile_of_numbers(declared) if declared else None
        return image.info.get("icc_profile")
    finally:
        file.seek(place)


def _warn_of_bits(bits: int, name: str) -> None:
    if bits > 8:
        logger.warning(
            "%s has %d bits a channel and is read with 8; as a 16-bit PNG or TIFF it keeps them",
            name,
            bits,
        )
