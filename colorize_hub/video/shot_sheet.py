"""A contact sheet of a film: a frame of each shot, with its number and time code."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from colorize_hub.video.cuts import FilmIndex, spread, time_code
from colorize_hub.video.seeking import read_frame

MOST_SHOTS = 240  # on a sheet
_ACROSS, _SIDE, _GAP = 6, 240, 12  # pictures in a row; pixels
_WORDS = 44  # pixels below a picture
_PAPER, _INK, _SOFT = "#ffffff", "#1c1b1a", "#625f5a"


def shot_sheet(index: FilmIndex, most: int = MOST_SHOTS) -> Image.Image:
    """Draw the middle frame of each shot, six in a row; of too many, some at even distances.

    Args:
        index: of the film.
        most: pictures.

    Raises: as `read_frame`.
    """
    chosen = list(spread(index.shots, most))
    height = max(1, round(_SIDE * index.clip.height / (index.clip.width * index.clip.aspect)))
    across, rows = min(_ACROSS, len(chosen)), -(-len(chosen) // _ACROSS)
    size = _GAP + across * (_SIDE + _GAP), _GAP + rows * (height + _WORDS + _GAP)
    sheet = Image.new("RGB", size, _PAPER)
    draw, large, small = ImageDraw.Draw(sheet), *map(ImageFont.load_default, (16, 13))
    for place, (number, shot) in enumerate(chosen):
        row, column = divmod(place, _ACROSS)
        x, y = _GAP + column * (_SIDE + _GAP), _GAP + row * (height + _WORDS + _GAP)
        frame = read_frame(index, shot.first + shot.frames // 2)
        picture = Image.fromarray(frame.pixels).convert("RGB")
        sheet.paste(picture.resize((_SIDE, height), Image.Resampling.LANCZOS), (x, y))
        draw.text((x, y + height + 4), f"{number}   {time_code(shot.start)}", _INK, large)
        frames = f"frame {shot.first}, {shot.frames} frames"
        draw.text((x, y + height + 23), frames, _SOFT, small)
    return sheet
