"""Threads that each take a whole picture, where torch would have many share one.

What a network does to one small picture is over too soon to be shared: for a frame of 640 x 480
one thread takes 34 ms and two take 24, so two cores do more with a frame each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

_SETTING = threading.Lock()

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result]:
    """What `work` makes of each item, in order, several at a time.

    Args:
        work: done in threads, in each of which torch is alone.
        items: read one by one, up to `workers` before their result is taken.
        workers: 1 works where it is asked, when it is asked.

    Yields:
        The results; an error in `work` or `items` is raised where its result would have come.
    """
    if workers == 1:
        yield from map(work, items)
        return
    running: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, "picture", use_threads, (1,)) as pool:
        try:
            for item in items:
                running.append(pool.submit(work, item))
                if len(running) > workers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def use_threads(count: int) -> None:
    """Have torch use so many threads in this thread, and as many as before in all others."""
    with _SETTING:
        usual = _in_new_thread(torch.get_num_threads)
        torch.get_num_threads()  # a thread's first question sets its number
        torch.set_num_threads(count)
        # A new thread takes the number that was set last, in whichever thread that was.
        _in_new_thread(torch.set_num_threads, usual)


def _in_new_thread(call: Callable[..., Result], *args: object) -> Result:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *args).result()
