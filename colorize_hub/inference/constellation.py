"""A place with the points around it, which know each other: they move as one, or are covered.

A place alone slips: along an edge, over an even surface, onto what passes before it. So points
around it are followed with it, and a shift, turn and zoom is fitted to them, for which the near
ones count most and those that go elsewhere hardly. What lay around the place at first, moved so, is
compared with what is there now. Points where these differ are covered. Where the place itself is
covered it is silent, while the others still say where it is.
"""

from __future__ import annotations

import numpy as np

from colorize_hub.inference.motion import load_opencv
from colorize_hub.inference.tracking import SAME_LEVELS, TEXTURE

_STEPS = np.arange(-12, 13, 6)  # pixels between the points
_REACH = 20  # pixels from the place to the edges of what is compared
_WINDOW = (9, 9)  # pixels over which it is compared
_NOISE = 64.0  # squared levels that are no texture
_ALIKE = 0.4  # similarity from which two windows show the same
_NEARNESS = 9.0  # pixels: deviation of the Gaussian by which points count
_FAR_POINT = 0.05  # by which the farthest count at least
_LIGHT = 40.0  # levels by which a point may be lighter or darker than the place, likewise
_OTHER_LIGHT = 0.1  # by which the others count at least
_AGREES = 0.7  # pixels from the fit at which a point counts for half
_ASTRAY = 1.5  # pixels from it at which it does not belong to it
_LOOSE = 2.0  # pixels from it at which a point is put back to its place
_LEAST_POINTS = 4
_LEAST_SHARE = 0.12  # of all points, by how much they count, that must agree
_STIFFNESS = 20.0  # squared pixels by which few points resist turn and zoom
_PASSES = 5
_MATCHED, _SEARCHED = 9, 3  # pixels around the place that must fit, and by how many it may be off
_FITS = 0.8  # correlation at which that says where the place is
_HALF = 0.5  # of that correction which is made in a frame
_AGED = 0.75  # similarity below which what is there now becomes what is compared with
_ZOOMED = 0.2  # logarithm of the zoom, likewise
_SOUND, _ALL_SEEN = 0.5, 0.7  # shares that must agree, and be seen, for that


class Constellation:
    """A place and the points around it.

    Attributes:
        points: (K, 2) x and y, where they are now.
        alive: (K,) bool, those that are seen and followed.
        seen: whether the place itself is.
    """

    def __init__(self, grey: np.ndarray, place: np.ndarray) -> None:
        """Begin on a frame, (h, w) uint8, at x and y."""
        offsets = np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2).astype(np.float32)
        self._offsets = offsets[np.hypot(*offsets.T) < _STEPS[-1] + 1]
        self._distance = _FAR_POINT + np.exp(-(self._offsets**2).sum(1) / (2 * _NEARNESS**2))
        self.begin(grey, place)

    def begin(self, grey: np.ndarray, place: np.ndarray) -> None:
        """Take what is on a frame around a place for what is to be followed."""
        self._turn, self._shift = np.eye(2, dtype=np.float32), np.array(place, np.float32)
        self._level = float(grey.mean())
        self.points = self._offsets + self._shift
        self._within = inside(self.points, grey, 2)
        self.alive, self.seen = self._within.copy(), True
        self._picture = _around(grey, self._shift)
        x, y = _REACH + self._offsets.astype(int).T
        light = load_opencv().boxFilter(self._picture, -1, (5, 5))[y, x]
        unlike = (light - light[len(light) // 2]) / _LIGHT
        self._nearness = self._distance * (_OTHER_LIGHT + np.exp(-(unlike**2) / 2))

    @property
    def place(self) -> np.ndarray:
        """(2,) x and y."""
        return self._shift.copy()

    def lose(self) -> None:
        """Give up: nothing of it is seen."""
        self.seen, self.alive = False, np.zeros_like(self.alive)

    def settle(self, grey: np.ndarray, there: np.ndarray, sure: np.ndarray) -> bool:
        """Go on to a frame, given where the flow led the points that were alive.

        Args:
            grey: (h, w) uint8.
            there: (M, 2) places, and
            sure: (M,) whether to be believed.

        Returns:
            Whether it is still known where the place is; nothing is changed if not.
        """
        moved = np.flatnonzero(self.alive)[sure]
        if len(moved) < _LEAST_POINTS:
            return False
        self.points[moved] = there[sure]
        turn, shift, apart = self._fitted(moved)
        agree = moved[apart < _ASTRAY]
        share = self._nearness[agree].sum() / self._nearness[self._within].sum()
        if len(agree) < _LEAST_POINTS or share < _LEAST_SHARE:
            return False
        self._turn, self._shift = turn, shift
        then, now = self._moved_picture(), _around(grey, shift)
        alike = _similarity(then, now, float(grey.mean()) - self._level)
        self._correct(then, now)
        self._judge(grey, alike, moved, float(share))
        return True

    def _fitted(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(2, 2) turn and zoom, (2,) shift, and (M,) pixels by which the points lie apart from it.

        Iteratively reweighted least squares (Holland and Welsch 1977).
        """
        offsets, points = self._offsets[which], self.points[which]
        weights = near = self._nearness[which]
        turn, shift, apart = np.eye(2), np.zeros(2), np.zeros(len(which))
        for _ in range(_PASSES):
            share = weights[:, None] / weights.sum()
            middles = (share * offsets).sum(0), (share * points).sum(0)
            (x, y), (u, v) = (offsets - middles[0]).T, (points - middles[1]).T
            stiff = _STIFFNESS / len(which)
            power = (share[:, 0] * (x * x + y * y)).sum() + stiff
            along = ((share[:, 0] * (x * u + y * v)).sum() + stiff) / power
            across = (share[:, 0] * (x * v - y * u)).sum() / power
            turn = np.array([[along, -across], [across, along]])
            shift = middles[1] - turn @ middles[0]
            apart = np.hypot(*(offsets @ turn.T + shift - points).T)
            weights = near / (1 + (apart / _AGREES) ** 4)
        return turn.astype(np.float32), shift.astype(np.float32), apart

    def _moved_picture(self) -> np.ndarray:
        """Return what lay around the place at first, turned and zoomed as it is now."""
        cv2, middle = load_opencv(), np.full(2, _REACH, np.float32)
        back = np.linalg.inv(self._turn)
        how = np.column_stack((back, middle - back @ middle)).astype(np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = self._picture.shape
        return cv2.warpAffine(
            self._picture, how, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )

    def _correct(self, then: np.ndarray, now: np.ndarray) -> None:
        """Take off what the points have slipped together, where the place can be found again."""
        near = _MATCHED + _SEARCHED
        searched = now[_REACH - near : _REACH + near + 1, _REACH - near : _REACH + near + 1]
        inner = slice(_REACH - _MATCHED, _REACH + _MATCHED + 1)
        if then[inner, inner].std() < TEXTURE:
            return
        cv2 = load_opencv()
        fit = cv2.matchTemplate(searched, then[inner, inner], cv2.TM_CCOEFF_NORMED)
        y, x = np.unravel_index(int(fit.argmax()), fit.shape)
        if fit[y, x] < _FITS or not (0 < x < 2 * _SEARCHED and 0 < y < 2 * _SEARCHED):
            return
        part = _peak(fit[y, x - 1 : x + 2]), _peak(fit[y - 1 : y + 2, x])
        off = np.array([x + part[0] - _SEARCHED, y + part[1] - _SEARCHED], np.float32)
        self._shift += _HALF * off
        self.points += _HALF * off

    def _judge(self, grey: np.ndarray, alike: np.ndarray, moved: np.ndarray, share: float) -> None:
        """Find which points, and whether the place, are seen; begin anew where it grew old."""
        around = self._offsets @ self._turn.T
        target = around + self._shift
        y, x = (_REACH + np.rint(around).astype(int)).clip(0, 2 * _REACH).T[::-1]
        seen = (alike[y, x] > _ALIKE) & inside(target, grey, 0) & self._within
        loose = np.hypot(*(self.points - target).T) > _LOOSE
        loose[np.setdiff1d(np.arange(len(loose)), moved)] = True
        self.points = np.where((seen & loose)[:, None], target, self.points)
        self.alive = seen
        here = float(alike[_REACH - 2 : _REACH + 3, _REACH - 2 : _REACH + 3].mean())
        self.seen = here > _ALIKE and bool(inside(self._shift[None], grey, -0.5)[0])
        zoom = abs(np.log(np.linalg.det(self._turn))) / 2
        sound = self.seen and share > _SOUND and seen.mean() > _ALL_SEEN
        if sound and (here < _AGED or zoom > _ZOOMED):
            self.begin(grey, self._shift)


def inside(places: np.ndarray, grey: np.ndarray, margin: float) -> np.ndarray:
    """(...,) whether (..., 2) places lie in a frame, so many pixels from its edge."""
    far = np.array(grey.shape[::-1]) - margin
    return np.asarray(((places >= margin) & (places < far)).all(-1))


def _around(grey: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(2 R + 1, 2 R + 1) float32 levels around a place, the border repeated."""
    side, (x, y) = 2 * _REACH + 1, place
    cut = load_opencv().getRectSubPix(grey, (side, side), (float(x), float(y)))
    return cut.astype(np.float32)


def _similarity(then: np.ndarray, now: np.ndarray, gain: float) -> np.ndarray:
    """Structural similarity (Wang et al. 2004) at each pixel, -1 where it is not as light."""

    def mean(values: np.ndarray) -> np.ndarray:
        return load_opencv().boxFilter(values, -1, _WINDOW)

    levels = mean(then), mean(now)
    powers = (
        (mean(one * one) - level * level).clip(0) + _NOISE
        for one, level in zip((then, now), levels, strict=True)
    )
    shared = mean(then * now) - levels[0] * levels[1] + _NOISE
    alike = shared / np.sqrt(np.multiply(*powers))
    alike[abs(levels[1] - levels[0] - gain) > SAME_LEVELS] = -1
    return alike


def _peak(line: np.ndarray) -> float:
    """Where the parabola through three values is highest, from the middle one."""
    before, here, after = map(float, line)
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else (before - after) / (2 * bend)
