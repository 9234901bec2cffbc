"""A picture file in colour, as a file: in its own format, with its own bits and metadata."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from colorize_hub.pictures.modes import to_depth
from colorize_hub.pictures.picture import Picture, check_colors, read_picture
from colorize_hub.pictures.saving import check_savable, save_levels, writable_suffix
from colorize_hub.pictures.toning import find_toning

if TYPE_CHECKING:
    from colorize_hub.inference.colorizer import Colorizer

__all__ = ["colorize_file", "target_name", "write_picture"]


def colorize_file(
    colorizer: Colorizer,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    vividness: float | None = None,
    size: int | None = None,
    keep_toning: bool = False,
) -> None:
    """Colour a picture file into another file.

    The suffix of ``target`` picks the format, the picture its bits: 16-bit PNG and TIFF stay so.
    EXIF, XMP, IPTC, comments, resolution and alpha are kept as far as the format has a place for
    them, and named in a logged warning otherwise; the picture is upright and tagged as sRGB.

    Args:
        colorizer: of `load`.
        source: never changed.
        target: a file that exists there is replaced, once the new one is complete.
        vividness: 0..1; None takes the model's.
        size: working short side in pixels; None takes the model's.
        keep_toning: lay the colours over the tint of a toned print, sepia for instance. Otherwise
            the print is coloured as a neutral one of the same lightness would be.

    Raises:
        PictureError: the picture cannot be read, or cannot be saved as ``target``.
        FileExistsError: ``target`` is the source.
        FileNotFoundError: there is no source, or no folder for the target.
        IsADirectoryError: one of them is a folder.
        ValueError: vividness or size out of range.
    """
    target = Path(target)
    check_savable(target)
    if target.exists() and target.samefile(source):
        raise FileExistsError(f"{target} is the picture itself; name another file to write.")
    picture = read_picture(source)
    coloured = colorizer.colorize(picture.pixels, vividness=vividness, size=size)
    if keep_toning and (toning := find_toning(picture.pixels)):
        coloured = toning.lay_under(coloured, picture.pixels)
    picture = replace(picture, pixels=coloured)  # sets the grey ones free
    write_picture(coloured, picture, target)


def target_name(source: str | os.PathLike[str]) -> Path:
    """Return the name of a file that holds ``source`` in colour: its own, or a.gif.png for a.gif.

    A .png is added where the format has no room for colours, or cannot be written.
    """
    source, suffix = Path(source), writable_suffix(source)
    return source if source.suffix == suffix else source.with_name(source.name + suffix)


def write_picture(rgb: np.ndarray, picture: Picture, target: str | os.PathLike[str]) -> None:
    """Save colours with the metadata and alpha of the picture that they were made for.

    Args:
        rgb: (H, W, 3) sRGB, uint8 or uint16; uint16 stays 16 bits in .png and .tif.
        picture: of `read_picture`; same height and width.
        target: as for `save_levels`.

    Raises:
        PictureError: as for `save_levels`, or ``rgb`` has another shape or dtype.
    """
    check_colors(rgb, picture)
    alpha = picture.alpha
    if alpha is not None:
        rgb = np.dstack([rgb, to_depth(alpha, rgb.dtype)])
    save_levels(rgb, target, picture.metadata)
