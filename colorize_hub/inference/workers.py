"""Threads that each take a whole picture, where an engine would have many share one; and batches.

What a network does to one small picture is over too soon to be shared: for a frame of 640 x 480
one thread takes 34 ms and two take 24, so two cores do more with a frame each.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    use_threads: Callable[[int], None],
) -> Generator[Result]:
    """Yield what `work` makes of each item, in order, several at a time.

    Args:
        work: done in threads, in each of which it is alone.
        items: read one by one, up to `workers` before their result is taken.
        workers: 1 works where it is asked, when it is asked.
        use_threads: of the engine; called in each thread.

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


def grouped(
    items: Iterable[Item], key: Callable[[Item], object], most: int
) -> Generator[list[Item]]:
    """Yield items that follow one another and are alike in `key`, at most so many at a time.

    They are read as they are needed; what came before an error in `items` comes before it.
    """
    group: list[Item] = []
    try:
        for item in items:
            if group and key(item) != key(group[0]):
                yield group
                group = []
            group.append(item)
            if len(group) == most:
                yield group
                group = []
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group
