"""Places that are followed through a shot: by flow, by look, or not at all.

From frame to frame points move by pyramidal Lucas-Kanade (Bouguet 2000), and are believed where the
flow leads back (Kalal et al., "Forward-Backward Error", 2010). A mark goes with the points around
it, see constellation.py. Where these are lost, what lay around it at first is looked for by
normalised cross-correlation, see tracking.py, and is believed where what is found would by the same
means be found where it was first.
"""

from __future__ import annotations

import numpy as np

from colorize_hub.inference.constellation import Constellation, inside
from colorize_hub.inference.motion import load_opencv
from colorize_hub.inference.tracking import SAME_LEVELS, TEXTURE, best_fit

_WINDOWS = (17, 35)  # pixels of Lucas-Kanade; the larger one where the smaller leads astray
_OF_POINTS = 13  # likewise, of points that know each other
_LEVELS = 3
_ASTRAY = 1.0  # pixels by which the way back may miss
_PATCH = 13  # pixels around a place that must look alike in the next frame
_UNLIKE = 0.9  # of the deviation in there, by which it may differ, or so many levels:
_UNLIKE_LEVELS = 8.0
_ASTRAY_LOOK = 3.0  # pixels by which the way back of what was looked for may miss
_SIDES = (29, 41, 57)  # pixels of what is looked for: the first with enough texture
_FOUND = 0.85  # correlation with what was there first
_FAR = 40  # pixels from where a place was lost in which it is looked for


class Follower:
    """Marks that all begin on one frame, followed from there to later frames, or to earlier ones.

    Attributes:
        places: (N, 2) x and y in pixels of the frames, of each mark where it was seen last.
        seen: (N,) bool, whether it is seen in the last frame.
    """

    def __init__(self, grey: np.ndarray, places: np.ndarray) -> None:
        """Begin on a frame.

        Args:
            grey: (h, w) uint8, small, see tracking.SMALL_SIDE.
            places: (N, 2) x and y, pixels, inside; a pixel's middle is at whole numbers.

        Raises:
            ModuleNotFoundError: OpenCV is missing.
        """
        self.places = np.array(places, np.float32).reshape(-1, 2)
        self.seen = np.ones(len(self.places), bool)
        self._gone = np.zeros(len(self.places), bool)
        self._start = self._last = grey
        self._firsts = [_Look(grey, place) for place in self.places]
        self._marks = [Constellation(grey, place) for place in self.places]

    def follow(self, grey: np.ndarray) -> None:
        """Go on to the next frame, (h, w) uint8 of the same size."""
        points = [mark.points[mark.alive] for mark in self._marks]
        asked = np.concatenate(points) if points else self.places
        there, back = _lucas_kanade(self._last, grey, asked, _OF_POINTS)
        sure = np.hypot(*(back - asked).T) < _ASTRAY
        ends = np.cumsum([len(one) for one in points])[:-1]
        each = zip(self._marks, np.split(there, ends), np.split(sure, ends), strict=False)
        for index, (mark, own, own_sure) in enumerate(each):
            if not mark.settle(grey, own, own_sure):
                self._look_for(grey, index)
            self.seen[index] = mark.seen
            if mark.seen:
                self.places[index] = mark.place
        self._last = grey

    def _look_for(self, grey: np.ndarray, index: int) -> None:
        """Find a mark that is lost, where it is seen."""
        first, mark, place = self._firsts[index], self._marks[index], self.places[index]
        if first.flat:  # nothing would tell that it came back into the picture
            self._gone[index] |= self.seen[index] and not inside(mark.place, grey, -0.5)
            found = place if not self._gone[index] and first.is_as_light(grey, place) else None
        else:
            found = _there_and_back(first, grey, self._start, place)
        if found is None:
            mark.lose()
        else:
            mark.begin(grey, found)


class FlowFollower:
    """Many places that all begin on one frame, followed by the flow alone; what it loses is gone.

    Attributes: as of `Follower`.
    """

    def __init__(self, grey: np.ndarray, places: np.ndarray) -> None:
        """Begin on a frame; arguments as of `Follower`."""
        self.places = np.array(places, np.float32).reshape(-1, 2)
        self.seen = np.ones(len(self.places), bool)
        self._last = grey

    def follow(self, grey: np.ndarray) -> None:
        """Go on to the next frame, (h, w) uint8 of the same size."""
        sure = np.zeros_like(self.seen)
        for window in _WINDOWS:
            asked = np.flatnonzero(self.seen & ~sure)
            if len(asked):
                places = self.places[asked]
                there, back = _lucas_kanade(self._last, grey, places, window)
                returns = np.hypot(*(back - places).T) < _ASTRAY
                kept = returns & inside(there, grey, -0.5) & _alike(self._last, grey, places, there)
                self.places[asked[kept]], sure[asked[kept]] = there[kept], True
        self.seen, self._last = sure, grey


class _Look:
    """What lies around a place: the smallest square there with enough texture.

    Attributes:
        place: (2,) x and y in the frame that it was cut from.
        flat: there is no such square.
    """

    def __init__(self, grey: np.ndarray, place: np.ndarray) -> None:
        self.place = place.copy()
        shape = np.array(grey.shape)
        at = np.clip(np.rint(place[::-1]).astype(int), 0, shape - 1)
        for side in _SIDES:
            size = np.minimum(side, shape)
            y, x = corner = np.clip(at - size // 2, 0, shape - size)
            self._pixels, self._within = (
                grey[y : y + size[0], x : x + size[1]],
                place[::-1] - corner,
            )
            self.flat = bool(self._pixels.std() < TEXTURE)
            if not self.flat:
                break
        self._level = float(self._pixels.mean()) - float(grey.mean())

    def found(self, grey: np.ndarray, place: np.ndarray, reach: int) -> tuple[float, np.ndarray]:
        """Correlation where it fits best, at most `reach` pixels from a place, and that place."""
        score, corner = best_fit(grey, self._pixels, self._corner(grey, place), reach)
        return score, (corner + self._within)[::-1].astype(np.float32)

    def is_as_light(self, grey: np.ndarray, place: np.ndarray) -> bool:
        """Whether it is as light around a place as here, but for what the picture gained."""
        (y, x), (rows, columns) = self._corner(grey, place), self._pixels.shape
        level = float(grey[y : y + rows, x : x + columns].mean()) - float(grey.mean())
        return abs(level - self._level) < SAME_LEVELS

    def _corner(self, grey: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Row and column at which to lay it, so that its place comes to lie on a place."""
        most = np.array(grey.shape) - self._pixels.shape
        return np.clip(np.rint(place[::-1] - self._within).astype(int), 0, most)


def _lucas_kanade(
    before: np.ndarray, grey: np.ndarray, places: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) where places of a frame are in the next one, and where the way back ends."""
    if not len(places):
        return places, places
    flow, size = load_opencv().calcOpticalFlowPyrLK, (window, window)
    there, one, _ = flow(before, grey, places, None, winSize=size, maxLevel=_LEVELS)
    back, two, _ = flow(grey, before, there, None, winSize=size, maxLevel=_LEVELS)
    return there, np.where((one == 0) | (two == 0), np.inf, back)


def _alike(
    before: np.ndarray, grey: np.ndarray, places: np.ndarray, there: np.ndarray
) -> np.ndarray:
    """(N,) whether places of a frame look as they do where they lie in the next one."""
    one, other = _patches(before, places), _patches(grey, there)
    most = np.maximum(_UNLIKE_LEVELS, _UNLIKE * one.std(1))
    return np.sqrt(((one - other) ** 2).mean(1)) < most


def _patches(grey: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N, P) levels around (N, 2) places, less their mean."""
    cut = load_opencv().getRectSubPix
    patches = [cut(grey, (_PATCH, _PATCH), (float(x), float(y))).ravel() for x, y in places]
    found = np.stack(patches).astype(np.float32)
    return found - found.mean(1, keepdims=True)


def _there_and_back(
    look: _Look, grey: np.ndarray, origin: np.ndarray, near: np.ndarray
) -> np.ndarray | None:
    """Where a look is found, if what lies there is found in the frame that the look is from."""
    score, place = look.found(grey, near, _FAR)
    if score < _FOUND:
        return None
    _, back = _Look(grey, place).found(origin, look.place, _FAR)
    return place if np.hypot(*(back - look.place)) <= _ASTRAY_LOOK else None
