"""Any frame of a film whose frames are counted, without reading all that come before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator
from contextlib import closing
from itertools import islice

from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.deinterlacing import deinterlaced
from colorize_hub.video.opening import import_av, open_film, picture_stream
from colorize_hub.video.pixels import fitted, upright
from colorize_hub.video.reader import ClipFrame, decoded, read_frames

_BEFORE = 2  # frames decoded before the first that is wanted: deinterlacing looks back


def read_from(index: FilmIndex, first: int) -> Generator[ClipFrame]:
    """Decode frames from a number on, the same as `read_frames` gives with `skip`.

    The film is sought by the frame's exact time. Where its times are not to be relied on, it is
    read from its beginning.

    Args:
        index: of the film.
        first: number of the frame to begin with.

    Raises: as `read_frames`.
    """
    done = 0
    with closing(_sought(index, first)) as sought:
        for frame in sought:
            yield frame
            done += 1
    if first + done < len(index.times):
        yield from read_frames(index.clip, first + done)


def read_frame(index: FilmIndex, number: int) -> ClipFrame:
    """Return one frame.

    Args:
        index: of the film.
        number: from 0.

    Raises:
        ValueError: the film has no such frame.
    """
    if not 0 <= number < len(index.times):
        raise ValueError(
            f"There is no frame {number}; the film has {len(index.times)}, counted from 0."
        )
    with closing(read_from(index, number)) as frames:
        found = next(islice(frames, 1), None)
    if found is None:
        raise ValueError(f"Frame {number} cannot be read any more; has the film been changed?")
    return found


def _sought(index: FilmIndex, first: int) -> Generator[ClipFrame]:
    """Yield frames as long as each has the time that it should have."""
    clip, times, av = index.clip, index.times, import_av()
    begin, usual = max(0, first - _BEFORE), max(1, round(1 / (clip.rate * clip.time_base)))
    with open_film(clip.path) as film:
        video = picture_stream(film, clip.path)
        try:
            film.seek(times[begin], stream=video)
        except av.error.FFmpegError:
            return
        number = None
        for frame in deinterlaced(decoded(film, video, lambda text: None), lambda text: None):
            if number is None:
                number = bisect_left(times, frame.pts) if frame.pts is not None else len(times)
                if number > begin:
                    return
            if number >= len(times) or frame.pts != times[number]:
                return
            if number >= first:
                pixels = fitted(upright(frame), clip.height, clip.width)
                yield ClipFrame(pixels, times[number], frame.duration or usual)
            number += 1
