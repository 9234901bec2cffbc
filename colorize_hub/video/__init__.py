"""Films in, films out: `colorize_video`."""

from colorize_hub.video.films import VideoInterrupted, VideoReport, colorize_video
from colorize_hub.video.hints import FilmHint, FilmHints, FilmMoment
from colorize_hub.video.keyframes import Keyframe, read_keyframes
from colorize_hub.video.opening import VideoError

__all__ = [
    "FilmHint",
    "FilmHints",
    "FilmMoment",
    "Keyframe",
    "VideoError",
    "VideoInterrupted",
    "VideoReport",
    "colorize_video",
    "read_keyframes",
]
