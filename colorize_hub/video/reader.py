"""Films in: any container and codec that FFmpeg reads, as upright frames with their exact times."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from colorize_hub.video.deinterlacing import deinterlaced
from colorize_hub.video.opening import VideoError, Warn, import_av, open_film, picture_stream
from colorize_hub.video.pixels import fitted, turns, upright

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_MOST_STRETCHED = 4  # width of a pixel by its height, or the other way, that is believed
_HDR = {16: "PQ", 18: "HLG"}  # H.273 transfer characteristics


@dataclass(frozen=True)
class ClipFacts:
    """What a film says of its picture.

    Attributes:
        path: the file.
        time_base: seconds of one unit of its times.
        rate: frames a second, on average.
        frames: how many, about; None where nothing tells.
        seconds: how long the picture is said to last; None where nothing tells.
        height, width: of the picture, upright.
        aspect: width of a pixel by its height, upright.
    """

    path: Path
    time_base: Fraction
    rate: Fraction
    frames: int | None
    seconds: Fraction | None
    height: int
    width: int
    aspect: Fraction

    @property
    def shown(self) -> tuple[int, int]:
        """(width, height) as players show it, on square pixels; the shorter way is stretched."""
        if not 1 / _MOST_STRETCHED <= self.aspect <= _MOST_STRETCHED:
            return self.width, self.height
        if self.aspect >= 1:
            return round(self.width * self.aspect), self.height
        return self.width, round(self.height / self.aspect)


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """One frame of a film.

    Attributes:
        pixels: upright, (H, W) grey or (H, W, 3) RGB, uint8 over the full range.
        time: when it is shown, in units of the film's time_base; each later than the one before.
        duration: for how long, in the same units.
    """

    pixels: np.ndarray
    time: int
    duration: int


def probe(path: Path) -> ClipFacts:
    """Look at a film: open it and decode its first frame.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        VideoError: it is not a film, or none of its picture can be read.
        ModuleNotFoundError: PyAV is missing.
    """
    with open_film(path) as film:
        video = picture_stream(film, path)
        first = next(decoded(film, video, lambda _: None), None)
        if first is None:
            raise VideoError(f"No frame of {path} can be decoded; it is damaged or has no picture.")
        pixels = upright(first)
        rate = Fraction(video.average_rate or video.guessed_rate or 25)
        seconds = _seconds(film, video)
        frames = video.frames or (round(seconds * rate) if seconds else None)
        aspect = Fraction(video.sample_aspect_ratio or 1) or Fraction(1)
        on_its_side, _, _ = turns(first)
        return ClipFacts(
            path=path,
            time_base=Fraction(video.time_base or 1 / rate),
            rate=rate,
            frames=frames or None,
            seconds=seconds,
            height=pixels.shape[0],
            width=pixels.shape[1],
            aspect=1 / aspect if on_its_side else aspect,
        )


def measured(clip: ClipFacts) -> ClipFacts:
    """Count the frames and seconds that the file holds, whatever its header says.

    What a browser records says nothing. The file is read to its end, but not decoded.
    """
    frames, first, end = 0, None, 0
    usual = max(1, round(1 / (clip.rate * clip.time_base)))
    with open_film(clip.path) as film, suppress(import_av().error.FFmpegError, OSError):
        for packet in film.demux(picture_stream(film, clip.path)):
            frames += bool(packet.size)
            if packet.size and packet.pts is not None:
                first = packet.pts if first is None else min(first, packet.pts)
                end = max(end, packet.pts + (packet.duration or usual))
    seconds = (end - (first or 0)) * clip.time_base
    return replace(clip, frames=frames, seconds=seconds or frames / clip.rate)


def read_frames(
    clip: ClipFacts, skip: int = 0, warn: Warn = lambda text: None
) -> Generator[ClipFrame]:
    """Decode a film's picture frame by frame; one frame is held at a time.

    A frame without colour comes as its luma, one with colour as RGB, so that its lightness is that
    of what is seen. The two fields of an interlaced frame become one picture. Frames of another
    size than the first are brought to it. Damaged parts are left out, and where the file breaks off
    the frames end.

    Args:
        clip: what `probe` found.
        skip: leave out that many frames.
        warn: told in a sentence about damage, an early end, HDR, and fields made one.
    """
    after = Fraction(0)
    last: int | None = None
    with open_film(clip.path) as film:
        video = picture_stream(film, clip.path)
        if transfer := _HDR.get(video.codec_context.color_trc):
            warn(f"It is HDR ({transfer}); its brightness is taken as if it were not.")
        usual = max(1, round(1 / (clip.rate * clip.time_base)))
        for index, frame in enumerate(deinterlaced(decoded(film, video, warn), warn)):
            length = frame.duration or usual
            time = _later(frame.pts, last, length, round(1 / clip.time_base))
            last, after = time, (time + length) * clip.time_base
            if index >= skip:
                yield ClipFrame(fitted(upright(frame), clip.height, clip.width), time, length)
        start = (video.start_time or 0) * clip.time_base
    if clip.seconds and clip.seconds - (after - start) > max(Fraction(1, 2), clip.seconds / 50):
        warn(
            f"The picture breaks off after {float(after - start):.1f} of"
            f" {float(clip.seconds):.1f} seconds."
        )


def decoded(film: InputContainer, video: VideoStream, warn: Warn) -> Iterator[VideoFrame]:
    """Yield frames as far as they can be had, whatever the file's state."""
    av = import_av()
    damaged = 0
    packets = film.demux(video)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError):
            warn("The file breaks off or is damaged; what could be read until there is used.")
            packet = None
        try:
            yield from video.decode(packet)
        except av.error.EOFError:  # there was nothing more to give
            pass
        except av.error.FFmpegError:
            damaged += 1
        if packet is None:
            break
    if damaged:
        warn(f"{damaged} damaged parts of the picture were left out.")


def _later(time: int | None, last: int | None, length: int, second: int) -> int:
    """Return a frame's time, mended where it is missing or not after the last frame's."""
    if last is None:
        return time or 0
    if time is None or last - time > second:  # the clock began anew
        return last + length
    return max(time, last + 1)


def _seconds(film: InputContainer, video: VideoStream) -> Fraction | None:
    if video.duration and video.time_base:
        return video.duration * video.time_base
    if clock := re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", video.metadata.get("DURATION", "")):
        hours, minutes, seconds = map(Fraction, clock.groups())  # Matroska
        return (hours * 60 + minutes) * 60 + seconds
    return Fraction(film.duration, 1_000_000) if film.duration else None
