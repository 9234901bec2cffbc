"""Films whose cuts are known: pieces of clips, and windows over stills, joined in four ways."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from colorize_hub.video.reader import probe, read_frames
from train.judging.films import moving_still
from train.judging.pictures import to_grey

HEIGHT, WIDTH = 192, 256
KINDS = ("cut", "fade through black", "dissolve", "cut to a flash")
_PIECE = (36, 60)  # frames of a shot
_LONG = (8, 16)  # frames of a fade out or in, and of a dissolve
_FLICKER, _GRAIN = 0.05, 6.0  # of old films: share of the light; levels
_SHAKE = 2  # pixels


@dataclass(frozen=True)
class Join:
    """Where one shot becomes another.

    Attributes:
        kind: one of KINDS.
        first: number of the first frame that is not of the old shot alone.
        last: number of the first frame that is of the new shot alone; equal for a cut.
    """

    kind: str
    first: int
    last: int


@dataclass(frozen=True)
class JoinedFilm:
    """A grey film.

    Attributes:
        frames: (HEIGHT, WIDTH) uint8 each.
        joins: in order.
    """

    frames: list[np.ndarray]
    joins: list[Join]


def read_pieces(folder: Path, most: int = 1500) -> list[list[np.ndarray]]:
    """Return the frames of each clip in a folder, grey and small."""
    pieces = []
    for path in sorted(folder.iterdir()):
        with closing(read_frames(probe(path))) as frames:
            pieces.append([_small(frame.pixels) for frame in islice(frames, most)])
    return pieces


def pans(pictures: list[np.ndarray], seed: int, frames: int = 60) -> list[list[np.ndarray]]:
    """Return what a camera sees that pans and zooms over stills, (H, W, 3) uint8 each."""
    films = (moving_still(picture, seed + i, frames) for i, picture in enumerate(pictures))
    return [[_small(frame) for frame in film.frames] for film in films]


def join_pieces(sources: list[list[np.ndarray]], joins: int, worn: bool, seed: int) -> JoinedFilm:
    """Join pieces of the sources, the kinds of joins in turn.

    Args:
        sources: frames of each, two or more; pieces of one never follow each other.
        joins: how many.
        worn: the light flickers, the picture shakes and has grain; a frame of each shot flashes.
        seed: chooses.
    """
    random = np.random.default_rng(seed)
    at = int(random.integers(len(sources)))
    frames, found = _piece(sources[at], random), []
    for number in range(joins):
        at = (at + int(random.integers(1, len(sources)))) % len(sources)
        kind = KINDS[number % len(KINDS)]
        frames, first, last = _joined(frames, _piece(sources[at], random), kind, random)
        found.append(Join(kind, first, last))
    if worn:
        frames = list(_worn(frames, found, random))
    return JoinedFilm([one.round().clip(0, 255).astype(np.uint8) for one in frames], found)


def _piece(source: list[np.ndarray], random: Generator) -> list[np.ndarray]:
    length = min(len(source), int(random.integers(*_PIECE)))
    start = int(random.integers(len(source) - length + 1))
    return [one.astype(float) for one in source[start : start + length]]


def _joined(
    old: list[np.ndarray], new: list[np.ndarray], kind: str, random: Generator
) -> tuple[list[np.ndarray], int, int]:
    long = min(int(random.integers(*_LONG)), len(old) // 2, len(new) // 2)
    if kind == "fade through black":
        falling = [old[i - long] * (1 - (i + 1) / long) for i in range(long)]
        rising = [new[i] * ((i + 1) / long) for i in range(long)]
        first = len(old) - long
        return [*old[:-long], *falling, *rising, *new[long:]], first, first + 2 * long
    if kind == "dissolve":
        shares = [(i + 1) / (long + 1) for i in range(long)]
        mixed = [old[i - long] * (1 - s) + new[i] * s for i, s in enumerate(shares)]
        first = len(old) - long
        return [*old[:-long], *mixed, *new[long:]], first, first + long
    if kind == "cut to a flash":
        new = [new[0] * 0.3 + 178, *new[1:]]
    return [*old, *new], len(old), len(old)


def _worn(frames: list[np.ndarray], joins: list[Join], random: Generator) -> Iterator[np.ndarray]:
    middles = {(one.last + other.first) // 2 for one, other in pairwise(joins)}
    for number, frame in enumerate(frames):
        light = 1 + random.uniform(-_FLICKER, _FLICKER) + 0.8 * (number in middles)
        moved = np.roll(frame, random.integers(-_SHAKE, _SHAKE + 1, 2), (0, 1))
        yield moved * light + random.normal(0, _GRAIN, frame.shape)


def _small(pixels: np.ndarray) -> np.ndarray:
    grey = pixels if pixels.ndim == 2 else to_grey(pixels)
    return np.asarray(Image.fromarray(grey).resize((WIDTH, HEIGHT), Image.Resampling.BOX))
