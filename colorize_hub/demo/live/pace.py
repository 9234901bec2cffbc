"""How large a live picture can be: as large as the machine manages at a steady rate."""

from dataclasses import dataclass

_LEVELS = (  # long side of the picture, working short side, time in terms of the cheapest
    (320, 96, 1.0),
    (400, 96, 1.1),
    (480, 128, 1.5),
    (640, 128, 1.8),
    (640, 160, 2.0),
    (640, 192, 2.5),
    (640, 256, 3.2),
)
_START = 3
_SLOW_S = 0.062  # a frame's turn: 16 pictures a second; less, and it goes down
_EASY_S = 0.053  # what the next level may be expected to take
_FRAMES = 8  # at one level before it is judged
_PATIENCE = 20  # frames at ease before more is tried
_MOST_PATIENCE = 640
_SHARE = 0.25  # of a new time in the mean


@dataclass(frozen=True)
class Level:
    """How large to work.

    Attributes:
        side: pixels of the long side of the pictures that the viewer should send.
        size: working short side of the network, pixels.
    """

    side: int
    size: int


class Pace:
    """Chooses the level from the times of the frames; goes down at once, up with patience."""

    def __init__(self) -> None:
        self._at, self._mean, self._frames, self._eased = _START, 0.0, 0, 0
        self._patience = _PATIENCE
        self._climbed = False

    @property
    def level(self) -> Level:
        """For the next frame."""
        side, size, _ = _LEVELS[self._at]
        return Level(side, size)

    def add(self, seconds: float) -> None:
        """Take into account how long the viewer waited for the server."""
        self._frames += 1
        if self._frames <= 2:  # the first frames at a level also warm up
            self._mean = seconds
            return
        self._mean += (seconds - self._mean) * _SHARE
        if self._frames < _FRAMES:
            return
        if self._mean > _SLOW_S:
            if self._climbed:  # that was one too many: wait longer before the next try
                self._patience = min(self._patience * 2, _MOST_PATIENCE)
            self._go(-1)
        elif self._mean * self._next_cost() < _EASY_S:
            self._eased += 1
            if self._eased >= self._patience:
                self._go(1)
        else:
            self._eased, self._climbed = 0, False

    def _next_cost(self) -> float:
        """How much more the next level takes."""
        above = min(self._at + 1, len(_LEVELS) - 1)
        return _LEVELS[above][2] / _LEVELS[self._at][2]

    def _go(self, step: int) -> None:
        next_level = min(max(self._at + step, 0), len(_LEVELS) - 1)
        if next_level != self._at:
            self._at, self._frames, self._climbed = next_level, 0, step > 0
        self._eased = 0
