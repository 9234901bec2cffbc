"""Seats for what only so many visitors can use at once, and a line before them."""

import time
from collections import OrderedDict


class Line:
    """First come, first served. Who is not heard of for a while loses the seat, or the place.

    Used from one thread.
    """

    def __init__(self, seats: int, kept_s: float, waiting_s: float) -> None:
        """Opens the line.

        Args:
            seats: visitors at the same time.
            kept_s: seconds that a seat stays with a visitor who is not heard of.
            waiting_s: likewise for a place in the line.
        """
        self._seats, self._kept_s, self._waiting_s = seats, kept_s, waiting_s
        self._seated: dict[str, float] = {}  # when each was heard of last
        self._waiting: OrderedDict[str, float] = OrderedDict()

    @property
    def seated(self) -> frozenset[str]:
        """Who has a seat."""
        return frozenset(self._seated)

    def __len__(self) -> int:
        """How many have a seat or wait for one."""
        return len(self._seated) + len(self._waiting)

    def join(self, visitor: str) -> int:
        """Asks for a seat: 0 if the visitor has it, else the place in the line, from 1."""
        self.sweep()
        now = time.monotonic()
        if visitor in self._seated:
            self._seated[visitor] = now
            return 0
        self._waiting[visitor] = now
        place = list(self._waiting).index(visitor)
        if place < self._seats - len(self._seated):
            del self._waiting[visitor]
            self._seated[visitor] = now
            return 0
        return place + 1 - max(0, self._seats - len(self._seated))

    def heard(self, visitor: str) -> bool:
        """Keeps the visitor's seat; False if there is none."""
        if visitor in self._seated:
            self._seated[visitor] = time.monotonic()
        return visitor in self._seated

    def leave(self, visitor: str) -> None:
        """Frees the visitor's seat or place."""
        self._seated.pop(visitor, None)
        self._waiting.pop(visitor, None)

    def sweep(self) -> None:
        """Frees what belongs to visitors who are not heard of."""
        now = time.monotonic()
        for held, kept_s in ((self._seated, self._kept_s), (self._waiting, self._waiting_s)):
            for visitor in [one for one, heard in held.items() if heard < now - kept_s]:
                del held[visitor]
