"""Where the marks of a shot are on each of its frames: found once, kept for who asks again."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from cachetools import LRUCache

from colorize_hub.demo.film.work import FilmMark, FilmWork
from colorize_hub.demo.photo.marks import hints_of
from colorize_hub.hints.hint import Hint
from colorize_hub.video.cuts import FilmIndex, Shot
from colorize_hub.video.tracking import ShotFrames, TrackedHint, track_hints

_SHOTS_HELD = 4  # small grey frames of so many shots, in files
_HINTS_HELD = 4000

Track = list[TrackedHint]  # of a mark: one for a point, more for a stroke


class MarkTracks:
    """Carries marks through their shots, a new one only once."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._frames: OrderedDict[tuple[str, int], ShotFrames] = OrderedDict()
        self._tracked: LRUCache[tuple[str, int, int, Hint], TrackedHint] = LRUCache(_HINTS_HELD)
        self._lock = threading.Lock()

    def of(self, index: FilmIndex, marks: Sequence[FilmMark], shot: Shot) -> list[Track]:
        """Return the tracks of marks that were made in one shot, in their order.

        Raises: as `read_from`.
        """
        path = str(index.clip.path)
        keys = [
            [(path, shot.first, one.frame, hint) for hint in hints_of([one.mark])] for one in marks
        ]
        with self._lock:
            new = [key for of_one in keys for key in of_one if key not in self._tracked]
            if new:
                frames, size = self._shot(index, shot), index.clip.shown
                asked = [(frame - shot.first, hint) for _, _, frame, hint in new]
                for key, track in zip(new, track_hints(frames, asked, size), strict=True):
                    self._tracked[key] = track
            return [[self._tracked[key] for key in of_one] for of_one in keys]

    def _shot(self, index: FilmIndex, shot: Shot) -> ShotFrames:
        key = (str(index.clip.path), shot.first)
        if key not in self._frames:
            self._frames[key] = ShotFrames(index, shot.first)
            if len(self._frames) > _SHOTS_HELD:
                with closing(self._frames.popitem(last=False)[1]):
                    pass
        self._frames.move_to_end(key)
        return self._frames[key]


def marks_on(
    tracks: MarkTracks, index: FilmIndex, work: FilmWork, frame: int
) -> list[dict[str, Any]]:
    """Return where each mark of a frame's shot lives, and where it is on that frame.

    Returns:
        For each, ``mark``, its number in the work from 0; ``frame``, that it was made on;
        ``lives``, [first, last] frames in runs; ``rgb``, ``radius``; and ``points`` on the frame,
        of which there are none where it is silent.
    """
    shot = index.shot_of(frame)
    numbered = [
        (number, one)
        for number, one in enumerate(work.marks)
        if shot.first <= one.frame < shot.first + shot.frames
    ]
    found = []
    for (number, one), track in zip(
        numbered, tracks.of(index, [one for _, one in numbered], shot), strict=True
    ):
        main = track[len(track) // 2]  # of a stroke: its middle says where it lives
        here = [hint for each in track if (hint := each.at(frame - shot.first)) is not None]
        found.append(
            {
                "mark": number,
                "frame": one.frame,
                "lives": [[a + shot.first, b + shot.first] for a, b in main.lives],
                "rgb": one.mark.rgb,
                "radius": one.mark.radius,
                "points": [[round(hint.x, 2), round(hint.y, 2)] for hint in here],
            }
        )
    return found


def hints_on(tracks: Sequence[Track], step: int, scale: float) -> list[Hint]:
    """Return the hints that live on a frame, for a picture of another size.

    Args:
        tracks: of a shot.
        step: number of the frame in the shot.
        scale: pixels of the picture for a pixel of the film.
    """
    alive = [one.at(step) for track in tracks for one in track]
    return [
        Hint(
            hint.x * scale,
            hint.y * scale,
            hint.rgb,
            None if hint.radius is None else hint.radius * scale,
        )
        for hint in alive
        if hint is not None
    ]
