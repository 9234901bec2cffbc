"""Films in, films out: `colorize_video`."""

from colorize_hub.video.films import VideoInterrupted, VideoReport, colorize_video
from colorize_hub.video.opening import VideoError

__all__ = ["VideoError", "VideoInterrupted", "VideoReport", "colorize_video"]
