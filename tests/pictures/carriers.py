"""Small pictures that carry EXIF with text that is not ASCII, XMP, IPTC and comments, by hand."""

import struct

from PIL import Image

from tests.pictures.picture_files import saved
from tests.scenes import scene

CAPTION, AUTHOR, LENS = "Großmutter".encode(), "José".encode(), "Größe 9".encode()
MAKER_NOTE = bytes([1, 2, 3, 4, 5, 6, 7, 255])
IPTC = b"\x1c\x02\x78" + struct.pack(">H", len(CAPTION)) + CAPTION
COMMENT = "Auf der Rückseite".encode()
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description xmp:Rating="5">'
    "<dc:title>Mühle</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()
DPI = (300.0, 200.0)


def exif_block(order="<", resolution=True):
    """EXIF as a camera or scanner writes it, its text UTF-8."""
    main = {270: (2, CAPTION + b"\0"), 315: (2, AUTHOR + b"\0"), 34665: (4, bytes(4))}
    if resolution:
        across, down = (struct.pack(order + "2I", int(value), 1) for value in DPI)
        main |= {282: (5, across), 283: (5, down), 296: (3, struct.pack(order + "H", 2))}
    settings = {0xA434: (2, LENS + b"\0"), 37500: (7, MAKER_NOTE)}
    place = 8 + len(directory(main, 8, order))
    main[34665] = (4, struct.pack(order + "I", place))
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return b"Exif\0\0" + start + directory(main, 8, order) + directory(settings, place, order)


def directory(entries, place, order):
    sizes = {2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    table, behind = struct.pack(order + "H", len(entries)), b""
    place += 2 + 12 * len(entries) + 4
    for tag, (kind, data) in sorted(entries.items()):
        held = data.ljust(4, b"\0")
        if len(data) > 4:
            held = struct.pack(order + "I", place + len(behind))
            behind += data + bytes(len(data) % 2)
        table += struct.pack(order + "HHI", tag, kind, len(data) // sizes[kind]) + held
    return table + bytes(4) + behind


def segments(iptc=IPTC, comments=(COMMENT,)):
    """What a JPEG keeps in APP13 and COM."""
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
    content = b"Photoshop 3.0\0" + resource
    written = b"\xff\xed" + struct.pack(">H", 2 + len(content)) + content
    for comment in comments:
        written += b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment
    return written


def carrying_jpeg(order="<"):
    image = Image.fromarray(scene(40, 60))
    told = {"exif": exif_block(order), "xmp": XMP, "dpi": DPI, "extra": segments()}
    return saved(image, "JPEG", quality=95, **told)
