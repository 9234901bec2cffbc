"""Dissolves: where one picture turns into another by mixing, which detectors of cuts do not see."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from PIL import Image

from colorize_hub.inference.motion import motions

_SIZE = (64, 48)
_REACH = 5  # frames before and after
_CHANGE = 18.0  # levels, mean, by which these two must differ at least
_UNLIKE = 0.25  # of that change: how far the frame between may be from a mixture of them
_MIXED = (0.25, 0.75)  # how much of the later one is in it
_GAP = 4  # frames that may miss within a dissolve
_LEAST = 2  # frames that say so
_CELL = 2  # pixels to a cell in which motion is sought


class DissolveFinder:
    """Finds frames in the middle of dissolves.

    Take the frames a little before and a little after: in a dissolve the frame between is their
    mixture, pixel by pixel, and no motion leads from the one to the other. What moves, pans or cuts
    is no mixture; only where all is smooth it looks like one.
    """

    def __init__(self) -> None:
        """Find none yet."""
        self._small: deque[np.ndarray] = deque(maxlen=2 * _REACH + 1)
        self._frames = 0
        self._run: list[tuple[float, int]] = []  # how unlike, and which frame

    def add(self, grey: np.ndarray) -> int | None:
        """Look at the next frame.

        Args:
            grey: (h, w) uint8.

        Returns:
            The number of a frame in the middle of a dissolve that is over, or None.
        """
        image = Image.fromarray(grey).resize(_SIZE, Image.Resampling.BOX)
        self._small.append(np.asarray(image, np.float32))
        self._frames += 1
        number = self._frames - 1 - _REACH
        if len(self._small) == 2 * _REACH + 1:
            unlike = _unlike_a_mixture(*(self._small[i] for i in (0, _REACH, -1)))
            if unlike is not None:
                self._run.append((unlike, number))
        if not self._run or number - self._run[-1][1] <= _GAP:
            return None
        found, self._run = self.going_on, []
        return found

    @property
    def going_on(self) -> int | None:
        """The frame in the middle, so far, of a dissolve that is not over; None without one."""
        return min(self._run)[1] if len(self._run) >= _LEAST else None


def _unlike_a_mixture(old: np.ndarray, between: np.ndarray, new: np.ndarray) -> float | None:
    """How far a frame is from the nearest mixture of two others, brightness apart, as a share.

    None where the two are alike, or it is too far, or near to one of them.
    """
    change = new - old
    if np.abs(change).mean() < _CHANGE:
        return None
    change, moved = change - change.mean(), between - old
    moved = moved - moved.mean()
    size = float(np.abs(change).mean())
    if not size:
        return None
    share = float((moved * change).sum() / (change * change).sum())
    unlike = float(np.abs(moved - share * change).mean()) / size
    mixed = unlike < _UNLIKE and _MIXED[0] < share < _MIXED[1]
    return unlike if mixed and not _moved(old, new) else None


def _moved(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether one frame is the other, moved."""
    first, second = (torch.from_numpy(one)[None, None] * (100 / 255) for one in (old, new))
    return motions(first, second, (_SIZE[1] // _CELL, _SIZE[0] // _CELL)) is not None
