"""Places that are followed through a shot: by flow, by look, or not at all.

From frame to frame a place moves by pyramidal Lucas-Kanade (Bouguet 2000), and is believed where
the flow leads back (Kalal et al., "Forward-Backward Error", 2010). Where it does not, what lay
around the place is looked for by normalised cross-correlation, see tracking.py. What is found must
itself be found in the frame before; else the place is lost, and looked for from then on, until what
is found would by the same check be found where it was first.
"""

from __future__ import annotations

import numpy as np

from colorize_hub.inference.motion import load_opencv
from colorize_hub.inference.tracking import (
    ANCHORED,
    FADED,
    REACH,
    SAME_LEVELS,
    TEXTURE,
    best_fit,
)

_WINDOWS = (17, 35)  # pixels of Lucas-Kanade; the larger one where the smaller leads astray
_LEVELS = 3
_ASTRAY = 1.0  # pixels by which the way back may miss
_PATCH = 13  # pixels around a place that must look alike in the next frame
_UNLIKE = 0.9  # of the deviation in there, by which it may differ, or so many levels:
_UNLIKE_LEVELS = 8.0
_ASTRAY_LOOK = 3.0  # likewise, of what was looked for
_SIDES = (29, 41, 57)  # pixels of what is looked for: the first with enough texture
_FOUND = 0.75  # correlation with what the frame before shows
_FOUND_AGAIN = 0.85  # with what was there first
_NEAR = 4  # pixels around a place in which the first look at it is looked for, lest it slips
_SLIPPED = 1.5  # pixels from there at which it has
_BETTER = 0.1  # by which that must correlate better
_FAR = 40  # pixels from where a place was lost in which it is looked for


class Follower:
    """Places that all begin on one frame, followed from there to later frames, or to earlier ones.

    Attributes:
        places: (N, 2) x and y in pixels of the frames, of each place where it was seen last.
        seen: (N,) bool, whether it is seen in the last frame.
    """

    def __init__(self, grey: np.ndarray, places: np.ndarray, look: bool = True) -> None:
        """Begin on a frame.

        Args:
            grey: (h, w) uint8, small, see tracking.SMALL_SIDE.
            places: (N, 2) x and y, pixels, inside; a pixel's middle is at whole numbers.
            look: look for what the flow lost; for many places that takes long.

        Raises:
            ModuleNotFoundError: OpenCV is missing.
        """
        self._cv2 = load_opencv()
        self.places = np.array(places, np.float32).reshape(-1, 2)
        self.seen = np.ones(len(self.places), bool)
        self._gone = np.zeros(len(self.places), bool)
        self._start = self._last = grey
        self._firsts = [_Look(grey, place) for place in self.places] if look else []
        self._laters = list(self._firsts)

    def follow(self, grey: np.ndarray) -> None:
        """Go on to the next frame, (h, w) uint8 of the same size."""
        moved, seen, left = self._flow(grey)
        for index, first in enumerate(self._firsts):
            if seen[index]:
                moved[index] = self._kept_to_first(grey, index, moved[index])
            elif left[index]:
                self._gone[index] = first.flat  # nothing would tell that it came back
            elif first.flat:
                seen[index] = not self._gone[index] and first.is_as_light(grey, self.places[index])
                moved[index] = self.places[index]
            elif (found := self._looked_for(grey, index)) is not None:
                moved[index], seen[index] = found, True
        self.places = np.where(seen[:, None], moved, self.places)
        self.seen, self._last = seen, grey

    def _flow(self, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N, 2) where the flow leads what is seen, whether it leads back, and whether outside."""
        moved, sure = self.places.copy(), np.zeros_like(self.seen)
        left = np.zeros_like(self.seen)
        for window in _WINDOWS:
            asked = np.flatnonzero(self.seen & ~sure & ~left)
            if len(asked):
                there, back = self._lucas_kanade(grey, self.places[asked], window)
                returns = np.hypot(*(back - self.places[asked]).T) < _ASTRAY
                inside = ((there > -0.5) & (there < np.array(grey.shape[::-1]) - 0.5)).all(1)
                alike = self._alike(grey, self.places[asked], there)
                moved[asked], sure[asked] = there, returns & inside & alike
                left[asked] = returns & ~inside
        return moved, sure, left

    def _lucas_kanade(
        self, grey: np.ndarray, places: np.ndarray, window: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) where places of the last frame are now, and where the way back ends."""
        flow, size = self._cv2.calcOpticalFlowPyrLK, (window, window)
        there, one, _ = flow(self._last, grey, places, None, winSize=size, maxLevel=_LEVELS)
        back, two, _ = flow(grey, self._last, there, None, winSize=size, maxLevel=_LEVELS)
        return there, np.where((one == 0) | (two == 0), np.inf, back)

    def _alike(self, grey: np.ndarray, places: np.ndarray, there: np.ndarray) -> np.ndarray:
        """(N,) whether places of the last frame look as they do where they lie now."""
        before, now = _patches(self._last, places), _patches(grey, there)
        most = np.maximum(_UNLIKE_LEVELS, _UNLIKE * before.std(1))
        return np.sqrt(((before - now) ** 2).mean(1)) < most

    def _kept_to_first(self, grey: np.ndarray, index: int, place: np.ndarray) -> np.ndarray:
        """Where the first look at a place is, if the flow has slipped from it."""
        first = self._firsts[index]
        score, found = first.found(grey, place, _NEAR)
        if score < FADED:
            self._laters[index] = _Look(grey, place)
        slipped = score >= ANCHORED and np.hypot(*(found - place)) > _SLIPPED
        if slipped and first.found(grey, place, 0)[0] < score - _BETTER:
            return found
        return place

    def _looked_for(self, grey: np.ndarray, index: int) -> np.ndarray | None:
        """Where a place is that the flow lost; None where it is not seen."""
        first, place = self._firsts[index], self.places[index]
        if not self.seen[index]:
            return _there_and_back(first, grey, self._start, place, _FAR, _FOUND_AGAIN)
        later = self._laters[index]
        found = _there_and_back(later, grey, self._last, place, REACH, _FOUND, place)
        if found is None:
            found = _there_and_back(first, grey, self._start, place, REACH, _FOUND)
        return found


class _Look:
    """What lies around a place: the smallest square there with enough texture.

    Attributes:
        place: (2,) x and y in the frame that it was cut from.
        flat: there is no such square.
    """

    def __init__(self, grey: np.ndarray, place: np.ndarray) -> None:
        self.place = place
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


def _patches(grey: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N, P) levels around (N, 2) places, less their mean."""
    cut = load_opencv().getRectSubPix
    patches = [cut(grey, (_PATCH, _PATCH), (float(x), float(y))).ravel() for x, y in places]
    found = np.stack(patches).astype(np.float32)
    return found - found.mean(1, keepdims=True)


def _there_and_back(
    look: _Look,
    grey: np.ndarray,
    origin: np.ndarray,
    near: np.ndarray,
    reach: int,
    least: float,
    home: np.ndarray | None = None,
) -> np.ndarray | None:
    """Where a look is found, if what lies there is found in the frame that the look is from.

    `home` is its place there; None where it was cut.
    """
    score, place = look.found(grey, near, reach)
    if score < least:
        return None
    home = look.place if home is None else home
    _, back = _Look(grey, place).found(origin, home, reach)
    return place if np.hypot(*(back - home)) <= _ASTRAY_LOOK else None
