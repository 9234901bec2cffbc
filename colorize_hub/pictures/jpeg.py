"""JPEG in bands of rows: encoded several at a time, and joined at restart markers.

libjpeg encodes a picture on one core. But a JPEG may start its bits afresh after any row of blocks
(ITU-T T.81, F.1.2.3), so bands that were encoded apart, one after the other, are the bits of the
whole picture: the decoded pixels are the same, and the file is longer by a few bytes a band.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from PIL import Image

_BLOCK = 8  # rows; without chroma subsampling
_RUN = 4  # rows of blocks between two restart markers
_RUNS = 8  # in a band: restart markers are counted modulo 8, so every band begins with 0
BAND = _RUNS * _RUN * _BLOCK
_LARGE = 1 << 20  # pixels; a smaller picture is encoded as it is
_START_OF_FRAME, _START_OF_SCAN = 0xC0, 0xDA
_LAST_RESTART, _END = b"\xff\xd7", b"\xff\xd9"


def write_jpeg(
    file: IO[bytes],
    rows: Callable[[slice], Image.Image],
    size: tuple[int, int],
    options: Mapping[str, Any],
    embedded: Mapping[str, Any],
) -> None:
    """Write a baseline JPEG.

    Args:
        file: where to.
        rows: makes an RGB image of some rows; asked by several threads.
        size: (height, width) of the picture.
        options: of Pillow's encoder; chroma must not be subsampled.
        embedded: more of them, for the metadata.
    """
    height, width = size
    if height * width < _LARGE or height <= BAND:
        rows(slice(0, height)).save(file, "JPEG", **options, **embedded)
        return
    options = {**options, "restart_marker_rows": _RUN}

    def encode(band: slice) -> bytes:
        return _encoded(rows(band), {**options, **embedded} if band.start == 0 else options)

    bands = [slice(top, min(height, top + BAND)) for top in range(0, height, BAND)]
    with ThreadPoolExecutor(os.cpu_count(), "jpeg") as pool:
        for band, data in zip(bands, pool.map(encode, bands), strict=True):
            frame, scan = _places(data)
            if band.start == 0:
                file.write(data[:frame] + height.to_bytes(2, "big") + data[frame + 2 : scan])
            else:
                file.write(_LAST_RESTART)
            file.write(memoryview(data)[scan : -len(_END)])
    file.write(_END)


def _encoded(image: Image.Image, options: Mapping[str, Any]) -> bytes:
    with tempfile.TemporaryFile() as file:  # into memory, Pillow encodes for one thread at a time
        image.save(file, "JPEG", **options)
        file.seek(0)
        return file.read()


def _places(data: bytes) -> tuple[int, int]:
    """Find where the height stands in a JPEG, and where its bits begin."""
    at, frame = 2, 0
    while True:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_FRAME:
            frame = at + 5  # past marker, length and bits of a sample
        at += 2 + length
        if marker == _START_OF_SCAN:
            return frame, at
