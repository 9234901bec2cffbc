"""Keyframes: finished colour pictures of single frames, which give their colours to their shots.

A keyframe speaks by some hundred places of it, each with the colour it has there. They are carried
through the shot as hints are; where they lie, and over all that the network takes for the same
thing, the colours are the keyframe's. Between two keyframes the places of the one fall silent, one
after the other, as those of the other begin to speak.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.tracking import small_grey
from colorize_hub.pictures.formats import is_read
from colorize_hub.pictures.opening import PictureError
from colorize_hub.pictures.picture import read_picture
from colorize_hub.pictures.toning import has_color
from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.hints import FilmMoment
from colorize_hub.video.opening import VideoError
from colorize_hub.video.seeking import read_frame
from colorize_hub.video.tracking import TrackedHint, frame_number, track_shot

PLACES = 96  # of a keyframe, about
_SMALL = 192  # pixels of the long side of the copy that they are taken from
_BY_NUMBER = re.compile(r"(?:frame-)?(\d{1,9})", re.ASCII)
_BY_TIME = re.compile(r"(\d+)-(\d\d)-(\d\d(?:\.\d{1,9})?)", re.ASCII)
_SAME_SHAPE = 0.02  # how far two aspect ratios may be apart
_SAME_FRAME = 0.5  # correlation of lightness with the frame that it is said to be
_GOLDEN = 0.6180339887  # multiples of it, modulo 1, fill 0..1 evenly


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A frame of a film in its final colours.

    Attributes:
        path: the picture.
        moment: of the film.
        pixels: (H, W, 3) uint8 sRGB, of any size and the film's shape.
    """

    path: Path
    moment: FilmMoment
    pixels: np.ndarray


def read_keyframes(folder: str | os.PathLike[str]) -> list[Keyframe]:
    """Read the keyframes in a folder.

    The name of each picture says which frame it is: its number, frame-000012.png or 12.png, or its
    time code, 00-01-02.500.png. Files that are no pictures, and hidden ones, are passed over.

    Raises:
        VideoError: there is none, a name says no frame, or a picture cannot be read or is grey.
        FileNotFoundError, NotADirectoryError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder of keyframes {folder}; check the name.")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name the folder that holds the keyframes.")
    paths = [path for path in sorted(folder.iterdir()) if is_read(path) and path.name[0] != "."]
    if not paths:
        raise VideoError(
            f"{folder} holds no keyframe; expected pictures such as frame-000012.png or"
            " 00-01-02.500.png."
        )
    return [Keyframe(path, _moment(path), _pixels(path)) for path in paths]


def track_keyframes(index: FilmIndex, keyframes: Sequence[Keyframe]) -> list[TrackedHint]:
    """Carry the colours of keyframes through their shots.

    Args:
        index: of the film, see `find_shots`.
        keyframes: of the film.

    Returns:
        Hints at places of the keyframes, in no order that counts.

    Raises:
        VideoError: a keyframe lies past the film's end, or does not show the frame it is named for.
        ModuleNotFoundError: OpenCV is missing.
    """
    frames = [frame_number(index, one.moment) for one in keyframes]
    shots = {index.shot_of(frame).first: index.shot_of(frame) for frame in frames}
    found: list[TrackedHint] = []
    for first, shot in sorted(shots.items()):
        own = sorted(
            (frame, order)
            for order, frame in enumerate(frames)
            if first <= frame < first + shot.frames
        )
        marks: list[tuple[int, Hint]] = []
        for frame, order in own:
            _check_shows(index, frame, keyframes[order])
            marks += [(frame, hint) for hint in places_of(keyframes[order].pixels, index)]
        numbers = sorted({frame for frame, _ in own})
        for rank, one in enumerate(track_shot(index, first, marks, look=False)):
            found.append(_silenced(one, numbers, (rank * _GOLDEN) % 1))
    return found


def places_of(pixels: np.ndarray, index: FilmIndex) -> list[Hint]:
    """Return hints all over a keyframe, in pixels of the film.

    One in each square of a grid: at the pixel, of a small copy, that is nearest in colour to the
    middle one of the square, so that it stands for most of it.
    """
    small = Image.fromarray(pixels)
    small.thumbnail((_SMALL, _SMALL), Image.Resampling.BOX)
    rgb = np.asarray(small)
    ab = np.moveaxis(rgb_to_lab(np.moveaxis(rgb, -1, 0).astype(np.float32) / 255)[1:], 0, -1)
    rows, columns = rgb.shape[:2]
    side = max(1, round((rows * columns / PLACES) ** 0.5))
    width, height = index.clip.shown
    across, down = width / columns, height / rows
    hints = []
    for top in range(0, rows - side // 2, side):
        for left in range(0, columns - side // 2, side):
            cell = ab[top : top + side, left : left + side]
            apart = np.abs(cell - np.median(cell, (0, 1))).sum(-1)
            y, x = np.unravel_index(int(apart.argmin()), apart.shape)
            red, green, blue = rgb[top + y, left + x].tolist()
            place = (left + float(x) + 0.5) * across, (top + float(y) + 0.5) * down
            hints.append(Hint(*place, (red, green, blue)))
    return hints


def _silenced(one: TrackedHint, keyframes: Sequence[int], rank: float) -> TrackedHint:
    """Silent where another keyframe is nearer by a share that its rank, 0..1, asks for."""
    number = keyframes.index(one.frame)
    frame = np.arange(one.first, one.first + len(one.seen))
    share = np.ones(len(frame))
    if number > 0:
        before = keyframes[number - 1]
        share = np.where(frame < one.frame, (frame - before) / (one.frame - before), share)
    if number + 1 < len(keyframes):
        after = keyframes[number + 1]
        share = np.where(frame > one.frame, (after - frame) / (after - one.frame), share)
    seen = one.seen & (share > rank)
    return TrackedHint(one.hint, one.frame, one.first, one.places, seen)


def _moment(path: Path) -> FilmMoment:
    if found := _BY_NUMBER.fullmatch(path.stem):
        return FilmMoment(frame=int(found[1]))
    try:
        if _BY_TIME.fullmatch(path.stem):
            return FilmMoment(time=path.stem.replace("-", ":"))
    except VideoError:  # such as 75 seconds
        pass
    raise VideoError(
        f"{path} does not say which frame it is; name it as frame-000012{path.suffix} or"
        f" 00-01-02.500{path.suffix}."
    )


def _pixels(path: Path) -> np.ndarray:
    try:
        pixels = read_picture(path).pixels
    except PictureError as error:
        raise VideoError(f"The keyframe {path} cannot be read: {error}") from error
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    if pixels.shape[2] != 3 or not has_color(pixels):
        raise VideoError(f"The keyframe {path} has no colour; give a finished picture in colour.")
    return pixels


def _check_shows(index: FilmIndex, frame: int, keyframe: Keyframe) -> None:
    """Refuse a picture of something else.

    Raises:
        VideoError: it is one.
    """
    clip, (height, width) = index.clip, keyframe.pixels.shape[:2]
    shapes = clip.shown, (clip.width, clip.height)  # of the desk, and as other programs save it
    if all(abs(width * down / (height * across) - 1) > _SAME_SHAPE for across, down in shapes):
        raise VideoError(
            f"The keyframe {keyframe.path} has {width} x {height} pixels, which is another shape"
            f" than the film's {clip.shown[0]} x {clip.shown[1]}; give the whole frame."
        )
    grey = small_grey(Image.fromarray(read_frame(index, frame).pixels))
    size = grey.shape[1], grey.shape[0]
    own = np.asarray(
        Image.fromarray(keyframe.pixels).convert("L").resize(size, Image.Resampling.BOX)
    )
    one, other = (np.float64(picture) - picture.mean() for picture in (grey, own))
    power = float(np.sqrt((one**2).sum() * (other**2).sum()))
    if power and float((one * other).sum()) < _SAME_FRAME * power:
        raise VideoError(
            f"The keyframe {keyframe.path} does not show frame {frame} of {clip.path.name}; see"
            " whether its name says the right frame."
        )
