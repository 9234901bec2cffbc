"""Films in, films out: `colorize_video`."""

from colorize_hub.video.films import VideoInterrupted, VideoReport, colorize_video
from colorize_hub.video.hints import FilmHint, FilmHints, FilmMoment
from colorize_hub.video.opening import VideoError

__all__ = [
    "FilmHint",
    "FilmHints",
    "FilmMoment",
    "VideoError",
    "VideoInterrupted",
    "VideoReport",
    "colorize_video",
]
