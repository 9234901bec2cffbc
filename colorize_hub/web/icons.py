"""The icons of the installed page, drawn: half grey, half in colour, as docs/favicon.svg."""

import io

from PIL import Image, ImageDraw

SIDES = (192, 512)
_GREY, _COLOUR, _WHITE = "#8a8a8a", "#d95f2b", "#ffffff"
_FINER = 4  # drawn so many times larger, for smooth edges


def icon(side: int) -> bytes:
    """Return a PNG file of `side` x `side` pixels; its middle 80 % holds all that matters."""
    large = side * _FINER
    image = Image.new("RGB", (large, large), _GREY)
    draw = ImageDraw.Draw(image)
    draw.rectangle((large // 2, 0, large, large), fill=_COLOUR)
    draw.circle((large / 2, large / 2), large * 7 / 32, fill=_WHITE)
    file = io.BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()
