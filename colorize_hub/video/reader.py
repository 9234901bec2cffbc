"""Films in: any container and codec that FFmpeg reads, as upright frames with their exact times."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.plane import VideoPlane
    from av.video.stream import VideoStream

Warn = Callable[[str], None]

_UNSPECIFIED, _BT709 = 2, 1  # of H.273 matrix coefficients
_HD_ROWS = 720  # where a film does not say its matrix, players take BT.709 from here on
_FULL = 2  # H.273 video range: 0..255, not 16..235
_STRETCHED = np.rint((np.arange(256.0) - 16) * (255 / 219)).clip(0, 255).astype(np.uint8)
_HDR = {16: "PQ", 18: "HLG"}  # H.273 transfer characteristics
_GREY = 2  # levels that the chroma of a grey film may stray from 128
_CHROMA_PLANES = {f"yuv{j}{n}p" for j in ("", "j") for n in (420, 422, 444)}
_NOT_FILMS = ("image2", "_pipe", "tty")  # formats FFmpeg plays as films
_PLAYLISTS = {  # formats that name other files or hosts to be read
    *("concat", "concatf", "dash", "dvdvideo", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp"),
    *("webm_dash_manifest", "avisynth", "bluray", "vapoursynth", "libopenmpt"),
}


class VideoError(ValueError):
    """A film that cannot be read or written."""


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
        first = next(_decoded(film, video, lambda _: None), None)
        if first is None:
            raise VideoError(f"No frame of {path} can be decoded; it is damaged or has no picture.")
        pixels = _upright(first)
        rate = Fraction(video.average_rate or video.guessed_rate or 25)
        seconds = _seconds(film, video)
        frames = video.frames or (round(seconds * rate) if seconds else None)
        aspect = Fraction(video.sample_aspect_ratio or 1) or Fraction(1)
        on_its_side, _, _ = _turns(first)
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


def read_frames(
    clip: ClipFacts, skip: int = 0, warn: Warn = lambda text: None
) -> Generator[ClipFrame]:
    """Decode a film's picture frame by frame; one frame is held at a time.

    A frame without colour comes as its luma, one with colour as RGB, so that its lightness is that
    of what is seen. Frames of another size than the first are brought to it. Damaged parts are left
    out, and where the file breaks off the frames end.

    Args:
        clip: what `probe` found.
        skip: leave out that many frames.
        warn: told in a sentence about damage, an early end, and HDR.
    """
    after = Fraction(0)
    last: int | None = None
    with open_film(clip.path) as film:
        video = picture_stream(film, clip.path)
        if transfer := _HDR.get(video.codec_context.color_trc):
            warn(f"It is HDR ({transfer}); its brightness is taken as if it were not.")
        usual = max(1, round(1 / (clip.rate * clip.time_base)))
        for index, frame in enumerate(_decoded(film, video, warn)):
            length = frame.duration or usual
            time = _later(frame.pts, last, length, round(1 / clip.time_base))
            last, after = time, (time + length) * clip.time_base
            if index >= skip:
                yield ClipFrame(_fitted(_upright(frame), clip), time, length)
        start = (video.start_time or 0) * clip.time_base
    if clip.seconds and clip.seconds - (after - start) > max(Fraction(1, 2), clip.seconds / 50):
        warn(
            f"The picture breaks off after {float(after - start):.1f} of"
            f" {float(clip.seconds):.1f} seconds."
        )


def open_film(path: Path) -> InputContainer:
    """Open a film file; one that names other files or hosts to be read is refused.

    Raises: as `probe`.
    """
    av = import_av()
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; video takes one film.")
    if not path.exists():
        raise FileNotFoundError(f"There is no film {path}; check the name.")
    allowed = {name for name in av.formats_available if not _PLAYLISTS & set(name.split(","))}
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(sorted(allowed))}
    try:
        film = av.open(file_url(path), options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} is not a film that can be read: {error.strerror or error}. It may be of"
            " another kind, cut off, or empty; see whether a player plays it."
        ) from error
    if film.format.name.endswith(_NOT_FILMS):
        film.close()
        raise VideoError(f"{path} is not a film; for a picture there is the command photo.")
    return film


def file_url(path: Path) -> str:
    """A path as FFmpeg takes it, whatever colons are in it."""
    return f"file:{path}"


def picture_stream(film: InputContainer, path: Path) -> VideoStream:
    """The stream that is the picture, not a cover that comes with music.

    Raises:
        VideoError: there is none.
    """
    av = import_av()
    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    for stream in film.streams.video:
        if stream.codec_context is not None and not stream.disposition & covers:
            stream.thread_type = "AUTO"
            return stream
    raise VideoError(f"{path} has no picture that can be decoded, only {_kinds(film)}.")


def import_av():  # noqa: ANN201 - the module, with its types
    """PyAV, or an error that says how to get it."""
    try:
        import av
        import av.error
        import av.stream
        import av.video.reformatter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "video needs PyAV: pip install 'colorize-hub[video]'", name="av"
        ) from error
    return av


def _decoded(film: InputContainer, video: VideoStream, warn: Warn) -> Iterator[VideoFrame]:
    """Frames as far as they can be had, whatever the file's state."""
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
    """A frame's time, mended where it is missing or not after the last frame's."""
    if last is None:
        return time or 0
    if time is None or last - time > second:  # the clock began anew
        return last + length
    return max(time, last + 1)


def _upright(frame: VideoFrame) -> np.ndarray:
    on_its_side, down, right = _turns(frame)
    pixels = _pixels(frame)
    pixels = pixels.swapaxes(0, 1) if on_its_side else pixels
    return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if right else 1])


def _turns(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Whether to swap rows and columns, then to turn rows, then columns, about."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5]  # x' = a x + c y, y' = b x + d y
    if abs(a) >= abs(b):
        return False, bool(d < 0), bool(a < 0)
    return True, bool(b < 0), bool(c < 0)


def _pixels(frame: VideoFrame) -> np.ndarray:
    """(H, W) where a frame has no colour, else (H, W, 3)."""
    if frame.format.is_rgb or frame.format.has_palette:
        return frame.to_ndarray(format="rgb24")
    if len(frame.format.components) < 3:  # grey, with or without alpha
        return frame.to_ndarray(format="gray")
    if frame.format.name not in _CHROMA_PLANES:
        frame = frame.reformat(format="yuv420p", threads=1)
    luma, *chroma = (_levels(plane) for plane in frame.planes[:3])
    if all(plane.max() <= 128 + _GREY and plane.min() >= 128 - _GREY for plane in chroma):
        full_range = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
        return luma.copy() if full_range else _STRETCHED[luma]
    unsaid = frame.colorspace == _UNSPECIFIED and frame.height >= _HD_ROWS
    matrix = _BT709 if unsaid else None
    return frame.to_ndarray(format="rgb24", src_colorspace=matrix, threads=1)


def _levels(plane: VideoPlane) -> np.ndarray:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:, : plane.width]


def _fitted(pixels: np.ndarray, clip: ClipFacts) -> np.ndarray:
    """Pixels at the film's size."""
    if pixels.shape[:2] == (clip.height, clip.width):
        return pixels
    kind = "gray" if pixels.ndim == 2 else "rgb24"
    frame = import_av().VideoFrame.from_ndarray(pixels, format=kind)
    return frame.reformat(clip.width, clip.height).to_ndarray(format=kind)


def _seconds(film: InputContainer, video: VideoStream) -> Fraction | None:
    if video.duration and video.time_base:
        return video.duration * video.time_base
    if clock := re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", video.metadata.get("DURATION", "")):
        hours, minutes, seconds = map(Fraction, clock.groups())  # Matroska
        return (hours * 60 + minutes) * 60 + seconds
    return Fraction(film.duration, 1_000_000) if film.duration else None


def _kinds(film: InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in film.streams})) or "nothing"
