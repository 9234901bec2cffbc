"""Quick looks at a shot: a coloured picture of a frame, and a small film made in seconds."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from colorize_hub.demo.film.tracks import MarkTracks, hints_on
from colorize_hub.demo.film.work import FilmWork
from colorize_hub.demo.photo.pictures import jpeg, shrink
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.inference.frame import Frame
from colorize_hub.video.cuts import FilmIndex, Shot
from colorize_hub.video.pixels import stretched
from colorize_hub.video.reader import ClipFrame
from colorize_hub.video.seeking import read_frame, read_from
from colorize_hub.video.writer import SegmentWriter

_PICTURE_SIDE = 240  # pixels, of a picture in the strip
_PREVIEW_SIDE = 480  # pixels, of the film
_WORKING = 160  # pixels of the short side at which colours are found
_MOST_SECONDS = 10  # around the frame that is looked at
_MOST_FRAMES = 48
_WORKERS = 2


def shot_picture(
    colorizer: Colorizer, index: FilmIndex, tracks: MarkTracks, work: FilmWork, frame: int
) -> bytes:
    """Return a frame in colour with its marks, small, a JPEG file.

    Raises:
        ValueError: there is no such frame, or a mark lies outside.
    """
    shot = index.shot_of(frame)
    small = shrink(stretched(read_frame(index, frame).pixels, index.clip.shown), _PICTURE_SIDE)
    found = tracks.of(index, work.on(shot.first, shot.frames), shot)
    hints = hints_on(found, frame - shot.first, small.width / index.clip.shown[0])
    canvas = colorizer.canvas(small, min(_WORKING, *small.size))
    return jpeg(Image.fromarray(np.asarray(canvas.render(hints, work.vividness))))


def preview_film(
    colorizer: Colorizer,
    index: FilmIndex,
    tracks: MarkTracks,
    work: FilmWork,
    frame: int,
    folder: Path,
) -> Path:
    """Make a small film of the shot around a frame: 10 seconds and 48 frames of it at most.

    Of a longer stretch every second frame is left out, or more of them; the others keep their
    times. Asked again for the same it returns the film that it has.

    Args:
        colorizer: the model.
        index: of the film.
        tracks: of all films.
        work: the marks, vividness and steadiness.
        frame: in the shot.
        folder: where previews lie.

    Raises: as `read_from`; ValueError for a mark outside.
    """
    shot = _around(index, frame)
    of_shot = work.on((whole := index.shot_of(frame)).first, whole.frames)
    asked = (index.clip.path, shot, of_shot, work.vividness, work.smoothing, id(colorizer))
    key = hashlib.sha256(repr(asked).encode()).hexdigest()
    target = folder / key / f"{index.clip.path.stem}-preview.mp4"
    if target.exists():
        return target
    found = tracks.of(index, of_shot, whole)
    step = -(-shot.frames // _MOST_FRAMES)
    chosen = list(_chosen(index, shot, step))
    scale = chosen[0].pixels.shape[1] / index.clip.shown[0]
    frames = (
        Frame(
            one.pixels,
            hints_on(found, shot.first - whole.first + step * place, scale),
            work.vividness,
            min(_WORKING, *one.pixels.shape[:2]),
            carried=True,
        )
        for place, one in enumerate(chosen)
    )
    painted = colorizer.colorize_frames(frames, work.smoothing, look_ahead=4, workers=_WORKERS)
    _write(index, chosen, painted, target)
    return target


def _around(index: FilmIndex, frame: int) -> Shot:
    """Return the part of a shot that is previewed."""
    shot = index.shot_of(frame)
    most = max(1, int(_MOST_SECONDS * index.clip.rate))
    first = min(
        max(shot.first, frame - most // 2), max(shot.first, shot.first + shot.frames - most)
    )
    frames = min(most, shot.first + shot.frames - first)
    return Shot(first, frames, index.seconds(first), index.seconds(first + frames))


def _chosen(index: FilmIndex, shot: Shot, step: int) -> Iterator[ClipFrame]:
    """Yield every so many frames, small and of even sides, each lasting until the next."""
    with closing(read_from(index, shot.first)) as frames:
        for one in islice(frames, 0, shot.frames, step):
            image = shrink(stretched(one.pixels, index.clip.shown), _PREVIEW_SIDE)
            image = image.crop(
                (0, 0, image.width - image.width % 2, image.height - image.height % 2)
            )
            yield replace(one, pixels=np.asarray(image), duration=one.duration * step)


def _write(
    index: FilmIndex, frames: list[ClipFrame], painted: Iterator[Image.Image | np.ndarray], to: Path
) -> None:
    height, width = frames[0].pixels.shape[:2]
    to.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent.parent) as scratch:
        facts = replace(index.clip, height=height, width=width, aspect=Fraction(1))
        writer = SegmentWriter(Path(scratch), facts)
        with closing(writer):
            for frame, pixels in zip(frames, painted, strict=True):
                writer.write(np.asarray(pixels), frame.time, frame.duration)
        to.parent.mkdir(exist_ok=True)
        (made,) = Path(scratch).glob("*.mp4")
        shutil.move(made, to)
