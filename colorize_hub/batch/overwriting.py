"""What `--overwrite` may replace: an earlier result, never a picture of its own."""

from pathlib import Path

from colorize_hub.pictures.picture import Picture, PictureError, read_picture
from colorize_hub.pictures.toning import has_colors_of, has_lightness_of


def check_replaceable(target: Path, picture: Picture) -> None:
    """Refuse to replace a picture that is not the same one in other colours.

    So `photo *.jpg --overwrite` loses no original where just two names match. What is no picture
    may be replaced.

    Raises:
        FileExistsError: the target is another picture, or the same one in the same colours.
    """
    if not target.exists():
        return
    try:
        there = read_picture(target)
    except PictureError:
        return
    same = has_lightness_of(there.pixels, picture.pixels)
    if not same or has_colors_of(there.pixels, picture.pixels):
        raise FileExistsError(
            f"{target} is a picture of its own, not an earlier result, and was kept: move it away,"
            " or name another file to write."
        )
