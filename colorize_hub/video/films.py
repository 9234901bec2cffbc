"""Films: a file in, an MP4 in colour out, frame by frame in bounded memory."""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from colorize_hub.atomic import atomic_path
from colorize_hub.engines.allocation import keep_freed_memory
from colorize_hub.inference.frames import Frame
from colorize_hub.video.cuts import FilmIndex, find_shots
from colorize_hub.video.hints import FilmHints
from colorize_hub.video.job import begin, check_paths, part_folder
from colorize_hub.video.keyframes import Keyframe, track_keyframes
from colorize_hub.video.opening import VideoError, Warn
from colorize_hub.video.pipeline import ahead
from colorize_hub.video.reader import ClipFacts, ClipFrame, probe, read_frames
from colorize_hub.video.shots import LeftShots, by_color
from colorize_hub.video.tracking import TrackedHints, track_film
from colorize_hub.video.tracks import join
from colorize_hub.video.writer import SegmentWriter, find_segments

if TYPE_CHECKING:
    from colorize_hub.inference.colorizer import Colorizer

Progress = Callable[[int, "int | None"], object]

LOOK_AHEAD = 8
_WARM_UP = (
    32  # frames coloured anew before the place where work goes on: steady colour needs a past
)
_BATCH = 16  # frames, where batches are faster than threads
_MOST_WORKERS = 8  # each holds a frame; reading and writing, in one thread, keep no more busy


@dataclass(frozen=True)
class VideoReport:
    """What was written.

    Attributes:
        target: the file.
        frames: that it holds.
        new_frames: how many of them were coloured in this run, not in an earlier one.
        height, width: of the picture.
        seconds: that the work took.
        warnings: sentences on what is not as in the source.
    """

    target: Path
    frames: int
    new_frames: int
    height: int
    width: int
    seconds: float
    warnings: tuple[str, ...]


class VideoInterrupted(KeyboardInterrupt):
    """Ctrl-C came; what was coloured until then is a film that can be played.

    Attributes:
        report: of that film; None if no frame was ready.
    """

    def __init__(self, report: VideoReport | None) -> None:
        super().__init__("interrupted")
        self.report = report


def colorize_video(
    colorizer: Colorizer,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    hints: FilmHints | None = None,
    smoothing: float = 0.8,
    vividness: float | None = None,
    size: int | None = None,
    look_ahead: int = LOOK_AHEAD,
    resume: bool = False,
    overwrite: bool = False,
    recolor: bool = False,
    on_progress: Progress | None = None,
    keyframes: Sequence[Keyframe] = (),
    index: FilmIndex | None = None,
) -> VideoReport:
    """Colour a film in any container and codec that FFmpeg reads.

    The target is H.264 (yuv420p, BT.709) in an MP4 that browsers play. The lightness L* of every
    pixel is the film's own, to 8 bits and 4:2:0; the times of all frames, sound, text subtitles,
    chapters and metadata are kept. Shots that have colour stay as they are; those of toned prints
    are coloured. What a player would turn is turned, and interlaced frames are deinterlaced. An odd
    width or height becomes even by repeating the last column or row.

    While it works, finished pieces lie in the folder TARGET.part, so that whatever stops it costs
    at most the last 240 frames. Ctrl-C ends with a target that can be played up to there.

    Args:
        colorizer: the model.
        source: film; it is never changed.
        target: .mp4 or .m4v file to write.
        hints: colours to fix, each carried through its shot.
        smoothing: 0 (frame by frame) to 1 (steadiest).
        vividness: 0 (dull) to 1 (vivid); None takes the model's calibrated value.
        size: working short side in pixels; None takes the model's.
        look_ahead: frames read ahead, so that colours are smoothed both ways.
        resume: go on with what an earlier run left in TARGET.part, if there is any.
        overwrite: replace the target, and drop what an earlier run left.
        recolor: colour also shots that have colour.
        on_progress: called after each frame with how many are done and how many there are, about;
            None where the film does not tell. What it raises stops the work and is raised.
        keyframes: finished frames, see `read_keyframes`, that give their colours to their shots.
        index: the film's shots, if they are found already; None reads the film once more for hints
            and keyframes, see `find_shots`.

    Raises:
        VideoError: not a film, nothing of it can be decoded, an unusable name or setting, hints,
            keyframes or shots of another film, or what an earlier run left is of another film or
            settings.
        TypeError: hints are something else.
        FileNotFoundError, IsADirectoryError: as for any file.
        FileExistsError: the target, or what an earlier run left, is there and nothing was said
            about it; or the target is the source.
        VideoInterrupted: Ctrl-C.
        ModuleNotFoundError: PyAV or OpenCV is missing, or for hints PySceneDetect.
    """
    start = time.perf_counter()
    keep_freed_memory()
    if hints is not None and not isinstance(hints, FilmHints):
        raise TypeError(
            f"hints must be FilmHints, such as FilmHints.read(path), got {hints!r}; smoothing and"
            " what follows it are given by name."
        )
    source, target = Path(source), Path(target)
    check_paths(source, target, resume, overwrite)
    clip = probe(source)
    settings = {
        "smoothing": smoothing,
        "vividness": vividness,
        "size": size,
        "look_ahead": look_ahead,
        "recolor": recolor,
        "hints": hints.to_dict()["hints"] if hints else None,
        "keyframes": [[one.path.name, crc32(one.pixels.tobytes())] for one in keyframes] or None,
        "model": colorizer.config.to_dict(),
    }
    tracked = _tracked(clip, hints or FilmHints(), keyframes, index)
    folder = begin(part_folder(target), clip, resume, settings)
    earlier = sum(segment.frames for segment in find_segments(folder))
    warnings: dict[str, None] = {}
    work = _Work(colorizer, clip, folder, smoothing, vividness, size, look_ahead, recolor, tracked)

    def finish(whole: bool) -> VideoReport | None:
        segments = find_segments(folder)
        if not segments:
            return None
        with atomic_path(target, folder) as joined:
            join(segments, clip, joined, whole, warnings.setdefault)
        frames = segments[-1].first + segments[-1].frames
        marked = () if tracked is None else tracked.marked
        if said := work.left.sentence(segments[0].time, clip.time_base, marked):
            warnings.setdefault(said)
        return VideoReport(
            target=target,
            frames=frames,
            new_frames=frames - earlier,
            height=clip.height,
            width=clip.width,
            seconds=time.perf_counter() - start,
            warnings=tuple(warnings),
        )

    try:
        with closing(ahead(work.run(warnings.setdefault))) as written:
            for done in written:
                if on_progress is not None:
                    on_progress(done, clip.frames)
        report = finish(whole=True)
    except KeyboardInterrupt:
        raise VideoInterrupted(finish(whole=False)) from None
    finally:
        if not find_segments(folder):
            shutil.rmtree(folder)
    if report is None:
        raise VideoError(f"No frame of {source} can be decoded.")
    shutil.rmtree(folder)
    return report


def _tracked(
    clip: ClipFacts, hints: FilmHints, keyframes: Sequence[Keyframe], index: FilmIndex | None
) -> TrackedHints | None:
    """All that is to be carried through shots; hints lie over keyframes. None is nothing."""
    if index is not None and not index.clip.path.samefile(clip.path):
        raise VideoError(f"These are the shots of {index.clip.path}; give those of {clip.path}.")
    if not hints.hints and not keyframes:
        return None
    hints.check(clip)
    index = find_shots(clip) if index is None else index
    return TrackedHints(index, [*track_keyframes(index, keyframes), *track_film(index, hints)])


@dataclass(frozen=True)
class _Work:
    """Frames are predicted side by side, a thread each; this one reads, steadies and writes."""

    colorizer: Colorizer
    clip: ClipFacts
    folder: Path
    smoothing: float
    vividness: float | None
    size: int | None
    look_ahead: int
    recolor: bool
    hints: TrackedHints | None
    left: LeftShots = field(default_factory=LeftShots)

    def run(self, warn: Warn) -> Generator[int]:
        """Colour what is not yet there into segments; yields how many frames are."""
        done = sum(segment.frames for segment in find_segments(self.folder))
        warm_up = min(done, _WARM_UP) if self.smoothing else 0
        frames = read_frames(self.clip, done - warm_up, warn)
        writer = SegmentWriter(self.folder, self.clip, done)
        with closing(self._color(frames)) as colored, closing(writer):
            for number, frame in enumerate(colored, done - warm_up + 1):
                if number > done:
                    writer.write(frame.pixels, frame.time, frame.duration)
                    yield number

    def _color(self, frames: Generator[ClipFrame]) -> Generator[ClipFrame]:
        """Shot by shot, so that nothing leaks from those that are left into the others."""
        with closing(frames):
            engine = self.colorizer.engine
            workers = min(engine.threads, _MOST_WORKERS) if engine.side_by_side else _BATCH
            engine.use_threads(1)
            for colored, shots in [(False, frames)] if self.recolor else by_color(frames):
                if colored:
                    for frame in self.left.noted(shots):
                        yield replace(frame, pixels=_as_rgb(frame.pixels))
                else:
                    self.left.all_of_it = False
                    yield from self._paint(shots, workers)

    def _paint(self, frames: Iterable[ClipFrame], workers: int) -> Iterator[ClipFrame]:
        waiting: deque[ClipFrame] = deque()

        def wanted() -> Iterator[Frame]:
            for frame in frames:
                waiting.append(frame)
                hints = () if self.hints is None else self.hints.at(frame.time)
                carried = self.hints is not None
                yield Frame(frame.pixels, hints, self.vividness, self.size, carried)

        for pixels in self.colorizer.colorize_frames(
            wanted(), smoothing=self.smoothing, look_ahead=self.look_ahead, workers=workers
        ):
            yield replace(waiting.popleft(), pixels=np.asarray(pixels))


def _as_rgb(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, axis=2)
