"""What only so many can use at once: seats with a queue before them, and turns at the workers."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SeatQueue:
    """First come, first served. Who is not heard of for a while loses the seat, or the place.

    Used from one thread.
    """

    def __init__(
        self,
        seats: int,
        kept_s: float,
        waiting_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the queue.

        Args:
            seats: visitors at the same time.
            kept_s: seconds that a seat stays with a visitor who is not heard of.
            waiting_s: likewise for a place in the queue.
            clock: seconds.
        """
        self._seats, self._kept_s, self._waiting_s = seats, kept_s, waiting_s
        self._clock = clock
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
        """Ask for a seat: 0 if the visitor has it, else the place in the queue, from 1."""
        self.sweep()
        now = self._clock()
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
        """Keep the visitor's seat; False if there is none."""
        if visitor in self._seated:
            self._seated[visitor] = self._clock()
        return visitor in self._seated

    def leave(self, visitor: str) -> None:
        """Free the visitor's seat or place."""
        self._seated.pop(visitor, None)
        self._waiting.pop(visitor, None)

    def sweep(self) -> None:
        """Free what belongs to visitors who are not heard of."""
        now = self._clock()
        for held, kept_s in ((self._seated, self._kept_s), (self._waiting, self._waiting_s)):
            for visitor in [one for one, heard in held.items() if heard < now - kept_s]:
                del held[visitor]


class ReplacedError(Exception):
    """The visitor asked for something newer before this one's turn came."""


class TurnQueue(Generic[Result]):
    """Visitors take turns; each has one job at work at most, and one waiting: the newest.

    Used from one event loop.
    """

    def __init__(self, executor: Executor, at_once: int) -> None:
        """Open the queue.

        Args:
            executor: does the jobs.
            at_once: jobs at the same time.
        """
        self._executor = executor
        self._turns = asyncio.Semaphore(at_once)
        self._newest: dict[str, tuple[Callable[[], Result], asyncio.Future[Result]]] = {}
        self._served: dict[str, asyncio.Task[None]] = {}

    async def result(self, visitor: str, job: Callable[[], Result]) -> Result:
        """Return what a job gives, when its turn has come.

        Raises:
            ReplacedError: the visitor came with another job first; that one has the turn.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        _, older = self._newest.get(visitor, (None, None))
        self._newest[visitor] = job, answer
        if older is not None:
            older.set_exception(ReplacedError())
        if visitor not in self._served:
            self._served[visitor] = loop.create_task(self._serve(visitor))
        return await asyncio.shield(answer)

    async def _serve(self, visitor: str) -> None:
        """Do what the visitor wants, one job a turn, until nothing is wanted."""
        loop = asyncio.get_running_loop()
        while visitor in self._newest:
            async with self._turns:
                job, answer = self._newest.pop(visitor)
                try:
                    answer.set_result(await loop.run_in_executor(self._executor, job))
                except Exception as error:  # it belongs to who asked
                    answer.set_exception(error)
        del self._served[visitor]
