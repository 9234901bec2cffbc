"""A film file, opened: any container and codec that FFmpeg reads, and no other file or host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

Warn = Callable[[str], object]

_NOT_FILMS = ("image2", "_pipe", "tty")  # formats FFmpeg plays as films
_PLAYLISTS = {  # formats that name other files or hosts to be read
    *("concat", "concatf", "dash", "dvdvideo", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp"),
    *("webm_dash_manifest", "avisynth", "bluray", "vapoursynth", "libopenmpt"),
}


class VideoError(ValueError):
    """A film that cannot be read or written."""


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
    """Return a path as FFmpeg takes it, whatever colons are in it."""
    return f"file:{path}"


def picture_stream(film: InputContainer, path: Path) -> VideoStream:
    """Return the stream that is the picture, not a cover that comes with music.

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
        import av.filter
        import av.stream
        import av.video.reformatter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "video needs PyAV: pip install 'colorize-hub[video]'", name="av"
        ) from error
    return av


def _kinds(film: InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in film.streams})) or "nothing"
