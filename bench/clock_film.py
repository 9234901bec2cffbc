"""A film for a fake camera in which every frame says its own number."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

FRAMES = 512  # then it begins again
BITS = 9
BLOCK = 40  # pixels a side of the squares that spell the number, at WIDTH
WIDTH, HEIGHT = 640, 480

# In the page: the number that a picture (canvas or video) of the film shows.
READ_NUMBER = """
  (picture) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [16, 12];
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0, 16, 12);
    const row = context.getImageData(0, 11, BITS, 1).data;
    let number = 0;
    for (let bit = 0; bit < BITS; bit++) if (row[4 * bit + 1] > 128) number += 2 ** bit;
    return number;
  }
""".replace("BITS", str(BITS))


def write_clock_film(path: Path, picture: Path) -> None:
    """Write FRAMES frames of MJPEG: the picture, grey, drifting, and the number along the bottom.

    Args:
        path: file to write.
        picture: any, at least 700 x 500 or enlarged to it.
    """
    with Image.open(picture) as image:
        wide = np.asarray(image.convert("L").resize((WIDTH + 80, HEIGHT)))
    with path.open("wb") as film:
        for number in range(FRAMES):
            left = round(40 + 40 * np.sin(2 * np.pi * number / FRAMES * 4))
            frame = wide[:, left : left + WIDTH].copy()
            for bit in range(BITS):
                columns = slice(bit * BLOCK, (bit + 1) * BLOCK)
                frame[HEIGHT - BLOCK :, columns] = 235 if number >> bit & 1 else 20
            buffer = io.BytesIO()
            Image.fromarray(frame).convert("RGB").save(buffer, "JPEG", quality=85)
            film.write(buffer.getvalue())
