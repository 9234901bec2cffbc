"""One picture to look at: rows of grey, ours and truth, several photographs across."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TILE = 192
ACROSS = 8
_GAP = 4
_LABEL_HEIGHT = 16
_PAPER, _INK = (255, 255, 255), (60, 60, 60)


def contact_sheet(
    rows: Mapping[str, Sequence[np.ndarray]], *, tile: int = TILE, across: int = ACROSS
) -> Image.Image:
    """Lay pictures out in labelled rows, so that a column shows one photograph in every version.

    Where there are more photographs than fit across, further bands of the same rows follow.

    Args:
        rows: Label -> pictures, each (H, W, 3) or (H, W) uint8; as many in every row.
        tile: Side in pixels of the square each picture is scaled to.
        across: Photographs side by side.

    Returns:
        An RGB picture on white.

    Raises:
        ValueError: There is no picture, or the rows differ in length.
    """
    lengths = {label: len(pictures) for label, pictures in rows.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(
            f"contact_sheet expects rows of one length, 1 or more, got {lengths}; "
            "give every row the same photographs in the same order."
        )
    count = next(iter(lengths.values()))
    columns = min(across, count)
    row_height = _LABEL_HEIGHT + tile + _GAP
    bands = -(-count // columns)
    size = (_GAP + columns * (tile + _GAP), _GAP + bands * len(rows) * row_height)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=_LABEL_HEIGHT - 5)
    for row, (label, pictures) in enumerate(rows.items()):
        for index, picture in enumerate(pictures):
            band, column = divmod(index, columns)
            top = _GAP + (band * len(rows) + row) * row_height
            left = _GAP + column * (tile + _GAP)
            if column == 0:
                draw.text((left, top), label, fill=_INK, font=font)
            scaled = (
                Image.fromarray(picture)
                .convert("RGB")
                .resize((tile, tile), Image.Resampling.LANCZOS)
            )
            sheet.paste(scaled, (left, top + _LABEL_HEIGHT))
    return sheet
