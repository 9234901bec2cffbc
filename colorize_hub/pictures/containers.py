"""What a file tells that Pillow passes over: the colours that it names, EXIF and XMP in boxes."""

from __future__ import annotations

from typing import IO

from PIL import Image

from colorize_hub.pictures import boxes, icc, png
from colorize_hub.pictures.metadata import IPTC_RESOURCE


def complete(image: Image.Image, file: IO[bytes]) -> bytes | None:
    """Adds to an image's ``info`` what its file tells besides.

    Args:
        image: opened from ``file``, not yet decoded.
        file: its place is left as it was.

    Returns:
        The ICC profile of the image's colours; None for sRGB.
    """
    place = file.tell()
    try:
        if image.format == "PNG":
            return png.named_profile(file, image.info)
        if image.format == "JPEG2000":
            for key, told in boxes.read_jp2(file).items():
                if key == "iptc":
                    image.info.setdefault("photoshop", {IPTC_RESOURCE: told})
                else:
                    image.info.setdefault(key, told)
        elif image.format == "JXL" and (packet := boxes.read_xml(file)):
            image.info.setdefault("xmp", packet)
        elif image.format in ("AVIF", "HEIF") and "icc_profile" not in image.info:
            declared = boxes.read_nclx(file)
            return icc.profile_of_numbers(declared) if declared else None
        return image.info.get("icc_profile")
    finally:
        file.seek(place)
