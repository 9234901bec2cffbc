"""The picture of a film out, in short H.264 files that each can stand alone.

A long film is written as segments in a folder of its own. One that has its name is whole; what a
crash leaves unfinished has another name. So work goes on after the last whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from colorize_hub.video.encoders import Encoder, working_encoder
from colorize_hub.video.opening import VideoError, file_url, import_av
from colorize_hub.video.reader import ClipFacts

if TYPE_CHECKING:
    from av import Packet
    from av.video.stream import VideoStream

SEGMENT_FRAMES = 240  # at most; what a crash can cost
_UNFINISHED = "unfinished.mp4"
_BT709, _LIMITED = 1, 1  # H.273 codes of primaries, transfer and matrix; of the range 16..235
_ENCODER = "comment"  # key of a segment that names its encoder; the film does not have it


@dataclass(frozen=True)
class Segment:
    """A finished piece of the picture.

    Attributes:
        path: an MP4 file whose own times begin at 0.
        first: number of its first frame in the film.
        frames: how many frames it holds.
        time: of its first frame, in units of the film's time_base.
    """

    path: Path
    first: int
    frames: int
    time: int


def find_segments(folder: Path) -> list[Segment]:
    """Return the finished pieces in a folder, in order, as far as none is missing or damaged.

    Everything else that a writer left there is removed.
    """
    found: list[Segment] = []
    for path in sorted(folder.glob("*.mp4")):
        first, _, time = path.stem.partition("_")
        due = found[-1].first + found[-1].frames if found else 0
        frames = _frames_of(path) if time else 0
        if not frames or int(first) != due:
            path.unlink()
            continue
        found.append(Segment(path, int(first), frames, int(time)))
    return found


class SegmentWriter:
    """Writes frames into segments; use it from one thread, and close it."""

    def __init__(self, folder: Path, clip: ClipFacts, first: int = 0) -> None:
        """Begin with the film's frame number `first`.

        Args:
            folder: where the segments go.
            clip: the film that the frames belong to.
            first: how many frames the segments that are there hold.

        Raises:
            VideoError: the encoder of those segments does not work here.
        """
        self._folder = folder
        self._clip = clip
        self._next = first
        self._size = clip.height + clip.height % 2, clip.width + clip.width % 2
        earlier = _encoder_of(folder) if first else None
        self._encoder = working_encoder(*self._size, clip.time_base, earlier)
        self._open: _OpenSegment | None = None

    def write(self, pixels: np.ndarray, time: int, duration: int) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3) RGB of the film's size, uint8, sRGB. An odd number of rows or columns
                is made even, as H.264 needs, by repeating the last one.
            time: in units of the film's time_base, later than the last.
            duration: likewise.
        """
        if self._open is not None and self._open.frames == SEGMENT_FRAMES:
            self.close()
        if self._open is None:
            self._open = _OpenSegment(
                self._folder, self._clip, self._size, self._encoder, self._next, time
            )
        self._open.write(pixels, time, duration)
        self._next += 1

    def close(self) -> None:
        """Finish the segment at hand."""
        if self._open is not None:
            segment, self._open = self._open, None
            segment.finish()


class _OpenSegment:
    def __init__(
        self,
        folder: Path,
        clip: ClipFacts,
        size: tuple[int, int],
        encoder: Encoder,
        first: int,
        time: int,
    ) -> None:
        av = import_av()
        self._path = folder / f"{first:08d}_{time}.mp4"
        self._unfinished = folder / _UNFINISHED
        self._start = time
        self.frames = 0
        self._convert = av.video.reformatter.VideoReformatter()
        self._film = av.open(file_url(self._unfinished), "w", format="mp4")
        options = dict(encoder.options)
        stream = self._film.add_stream(encoder.name, rate=clip.rate, options=options)
        self._stream = cast("VideoStream", stream)
        self._film.metadata[_ENCODER] = encoder.name
        coder = self._stream.codec_context
        coder.height, coder.width = size
        coder.pix_fmt, coder.time_base = "yuv420p", clip.time_base
        coder.sample_aspect_ratio = clip.aspect
        coder.color_primaries = coder.color_trc = coder.colorspace = _BT709
        coder.color_range = _LIMITED

    def write(self, pixels: np.ndarray, time: int, duration: int) -> None:
        av = import_av()
        height, width, _ = pixels.shape
        if height % 2 or width % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = self._convert.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels)),
            format="yuv420p",
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED,
            threads=1,
        )
        frame.time_base = self._stream.codec_context.time_base
        frame.pts, frame.duration = time - self._start, duration
        try:
            self._film.mux(self._stream.encode(frame))
        except av.error.FFmpegError as error:
            raise writing_error(self._unfinished, error) from error
        self.frames += 1

    def finish(self) -> None:
        try:
            self._film.mux(self._stream.encode(None))
            self._film.close()
        except import_av().error.FFmpegError as error:
            raise writing_error(self._unfinished, error) from error
        os.replace(self._unfinished, self._path)


def _encoder_of(folder: Path) -> str | None:
    """Return the name of the encoder that the segments are from; None where they do not tell."""
    first = min(folder.glob("*_*.mp4"), default=None)
    if first is None:
        return None
    with import_av().open(file_url(first)) as film:
        return film.metadata.get(_ENCODER)


def segment_packets(segments: list[Segment], clip: ClipFacts) -> Iterator[Packet]:
    """Every coded frame of the segments in order, its times those of the film in its time_base."""
    av = import_av()
    for segment in segments:
        with av.open(file_url(segment.path)) as film:
            stream = film.streams.video[0]
            for packet in film.demux(stream):
                if packet.pts is not None:  # the last one is empty
                    scale = packet.time_base / clip.time_base
                    packet.pts = packet.dts = segment.time + round(packet.pts * scale)
                    packet.duration = round((packet.duration or 0) * scale)
                    packet.time_base = clip.time_base
                    yield packet


def writing_error(path: Path, error: Exception) -> Exception:
    """Return what to raise: the system's own reason if there is one, such as a full disk."""
    if isinstance(error, OSError):
        return OSError(error.errno, error.strerror or str(error), str(path))
    return VideoError(f"{path} cannot be written: {error}")


def _frames_of(path: Path) -> int:
    av = import_av()
    try:
        with av.open(file_url(path)) as film:
            return film.streams.video[0].frames
    except (av.error.FFmpegError, OSError, IndexError):
        return 0
