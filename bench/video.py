"""A film to a film in colour: the whole, and what each part of the work takes by itself."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import av
import numpy as np

from bench.clock import Row, Work
from bench.measures import make_photograph
from colorize_hub import Colorizer
from colorize_hub.hints.hint import Hint
from colorize_hub.video.films import LOOK_AHEAD, colorize_video
from colorize_hub.video.hints import FilmHint, FilmHints, FilmMoment
from colorize_hub.video.reader import ClipFacts, ClipFrame, probe, read_frames
from colorize_hub.video.writer import SegmentWriter

HEIGHT, WIDTH, RATE = 480, 640, 25
MOST = 40  # frames that are kept at once to time the parts


def film_rows(colorizer: Colorizer, folder: Path, frames: int) -> Iterator[Row]:
    """Time a frame of a 640 x 480 film, decoding and encoding included, and each part's share.

    By themselves the parts run one after the other, in the whole side by side: on several cores the
    shares may add up to more than 1.
    """
    clip = probe(make_film(folder / "film.mp4", frames))
    whole = _seconds(lambda: colorize_video(colorizer, clip.path, folder / "new.mp4"), frames)
    hints = _hints(frames // 2)
    hinted = _seconds(
        lambda: colorize_video(colorizer, clip.path, folder / "hinted.mp4", hints), frames
    )
    few = probe(make_film(folder / "few.mp4", min(frames, MOST)))
    parts = {
        what: _seconds(work, min(frames, MOST)) for what, work in _parts(colorizer, few, folder)
    }
    steadying = parts["steady colour"] - parts.pop("frame by frame")
    parts["steady colour"] = max(0.0, steadying)
    row = f"{WIDTH} x {HEIGHT} film to film, a frame"
    yield Row(row, whole, "its parts one after the other", sum(parts.values()))
    yield Row("with three hints that follow, a frame", hinted, "without hints", whole)
    beside = f"a frame of the whole ({1 / whole:.1f} fps)"
    yield from (Row(f"of that, {what}", time, beside, whole) for what, time in parts.items())


def make_film(path: Path, frames: int) -> Path:
    """Return a grey film with grain: the eye moves slowly over a photograph."""
    photograph = np.asarray(make_photograph(1))
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        for i in (frame % 300 for frame in range(frames)):
            window = photograph[i : i + HEIGHT, i : i + WIDTH]
            film.mux(stream.encode(av.VideoFrame.from_ndarray(window.copy(), format="gray")))
        film.mux(stream.encode(None))
    return path


def _hints(frame: int) -> FilmHints:
    places = ((160, 120), (320, 240), (480, 360))
    moment = FilmMoment(frame=frame)
    return FilmHints(tuple(FilmHint(moment, Hint(x, y, (150, 60, 50))) for x, y in places))


def _parts(colorizer: Colorizer, clip: ClipFacts, folder: Path) -> Iterator[tuple[str, Work]]:
    grey = list(read_frames(clip))
    pictures = [frame.pixels for frame in grey]
    canvases = [colorizer.canvas(picture) for picture in pictures]
    colours = [canvas.predict() for canvas in canvases]
    coloured = [canvas.paint(ab) for canvas, ab in zip(canvases, colours, strict=True)]
    yield "decoding", lambda: list(read_frames(clip))
    yield "network", lambda: [colorizer.canvas(picture).predict() for picture in pictures]
    yield (
        "composing",
        lambda: [c.paint(ab) for c, ab in zip(canvases, colours, strict=True)],
    )
    yield "encoding", lambda: _encode(clip, folder / "segments", grey, coloured)
    yield "frame by frame", lambda: list(colorizer.colorize_frames(pictures, smoothing=0))
    yield (
        "steady colour",
        lambda: list(colorizer.colorize_frames(pictures, look_ahead=LOOK_AHEAD)),
    )


def _encode(clip: ClipFacts, folder: Path, frames: list[ClipFrame], coloured: list) -> None:
    folder.mkdir(exist_ok=True)
    writer = SegmentWriter(folder, clip)
    for frame, pixels in zip(frames, coloured, strict=True):
        writer.write(pixels, frame.time, frame.duration)
    writer.close()


def _seconds(work: Work, frames: int) -> float:
    """Return the time of a frame."""
    start = perf_counter()
    work()
    return (perf_counter() - start) / frames
