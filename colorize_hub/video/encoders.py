"""Who encodes the picture of a film: the machine's own circuits where it has some, else x264."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from colorize_hub.video.opening import VideoError, import_av

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

_KEYS = {"bf": "0", "g": "120"}  # no B-frames: times stay simple


@dataclass(frozen=True)
class Encoder:
    """One of FFmpeg's encoders of H.264, and its options for a film that keeps its detail."""

    name: str
    options: dict[str, str]


ENCODERS = (
    Encoder("h264_nvenc", {"preset": "p4", "rc": "vbr", "cq": "19", "b": "0", **_KEYS}),
    Encoder("h264_videotoolbox", {"flags": "+qscale", "global_quality": "7670", **_KEYS}),
    Encoder("libx264", {"preset": "veryfast", "crf": "18", **_KEYS}),
)


def working_encoder(
    height: int,
    width: int,
    time_base: Fraction,
    earlier: str | None = None,
    encoders: Iterable[Encoder] | None = None,
) -> Encoder:
    """Return the first encoder that encodes a picture of this size here.

    Args:
        height: pixels, even.
        width: pixels, even.
        time_base: seconds of one unit of the film's times.
        earlier: the name of the only one that will do: one track holds the work of one encoder.
        encoders: to try, best first; None is ENCODERS.

    Raises:
        VideoError: none does.
    """
    wanted = [one for one in encoders or ENCODERS if earlier in (None, one.name)]
    for encoder in wanted:
        if _works(encoder, height, width, time_base):
            return encoder
    if earlier is not None:
        raise VideoError(
            f"The film was begun with the encoder {earlier}, which does not work here: go on where "
            "it does, or add --overwrite without --resume to begin anew."
        )
    raise VideoError(f"No encoder of H.264 takes a picture of {width} x {height} here.")


def _works(encoder: Encoder, height: int, width: int, time_base: Fraction) -> bool:
    """Whether it encodes a black picture; a GPU that is missing or busy shows only then."""
    av = import_av()
    try:
        coder = cast("VideoCodecContext", av.CodecContext.create(encoder.name, "w"))
        coder.height, coder.width, coder.pix_fmt = height, width, "yuv420p"
        coder.time_base, coder.options = time_base, dict(encoder.options)
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        return bool(coder.encode(frame) + coder.encode(None))
    except (av.error.FFmpegError, ValueError, OSError):  # ValueError: there is no such encoder
        return False
