"""XMP packets, without what they claim that is no longer true once a picture is in colour."""

import re

# Orientation, layout and size of the old file's pixels, its profile and colour mode, digests of
# EXIF that was since changed, the develop settings that made it grey, its grey thumbnail, and
# pictures and packets that lay behind it in the file.
_UNTRUE = (
    rb"tiff:(?:BitsPerSample|SamplesPerPixel|PhotometricInterpretation|Compression"
    rb"|PlanarConfiguration|ImageWidth|ImageLength|YCbCr\w+|WhitePoint|PrimaryChromaticities"
    rb"|ReferenceBlackWhite|TransferFunction|XResolution|YResolution|ResolutionUnit|NativeDigest)"
    rb"|exif:(?:ColorSpace|PixelXDimension|PixelYDimension|ComponentsConfiguration"
    rb"|CompressedBitsPerPixel|Gamma|NativeDigest)"
    rb"|dc:format|photoshop:(?:ColorMode|ICCProfile|LegacyIPTCDigest)"
    rb"|crs:(?:ConvertToGrayscale|Treatment|GrayMixer\w+)"
    rb"|xmp:Thumbnails|xmpNote:HasExtendedXMP|hdrgm:\w+|GCamera:Micro\w+|GCamera:MotionPhoto\w*"
    rb"|(?:GContainer|Container):Directory"
)
_ATTRIBUTE = re.compile(rb"\s+(?:" + _UNTRUE + rb")\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_ELEMENT = re.compile(rb"[ \t]*<(" + _UNTRUE + rb")(?:[\s/][^>]*)?>\r?\n?")
_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>))\d+""")
_EXTENDED = b"xmpNote:HasExtendedXMP"


def still_true(packet: bytes | str | None) -> bytes:
    """Return a packet without the claims that the result makes untrue; empty where there is none.

    Size, bits, samples, compression, colour mode, profile, resolution (files tell it elsewhere),
    digests and thumbnails go, and the orientation becomes upright. Captions, authors, ratings and
    history stay as they are.
    """
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or not packet.strip(b"\0 \r\n\t"):
        return b""
    packet = _ORIENTATION.sub(rb"\g<1>1", _ATTRIBUTE.sub(b"", packet))
    return _without_elements(packet)


def has_extension(packet: bytes | str | None) -> bool:
    """Tell whether a JPEG's packet says that a second one, which is not read, goes on with it."""
    packet = packet.encode() if isinstance(packet, str) else packet
    return isinstance(packet, bytes) and _EXTENDED in packet


def _without_elements(packet: bytes) -> bytes:
    """Cut out elements of an untrue name with what they hold, in one pass."""
    kept, place, unclosed = [], 0, set[bytes]()
    while found := _ELEMENT.search(packet, place):
        name, end = found[1], found.end()
        if not found[0].rstrip().endswith(b"/>") and name not in unclosed:
            close = packet.find(b"</" + name, end)
            end = packet.find(b">", close) + 1 if close >= 0 else 0
        if name in unclosed or end == 0:
            unclosed.add(name)
            kept.append(packet[place : found.end()])
            place = found.end()
            continue
        kept.append(packet[place : found.start()])
        place = end
    return b"".join([*kept, packet[place:]])
