"""Work done in a thread of its own, a few results ahead of whoever takes them."""

import threading
from collections.abc import Generator
from contextlib import closing, suppress
from queue import Empty, Queue
from typing import TypeVar

T = TypeVar("T")

_POLL = 0.05  # seconds


class _End:
    """Comes after the last result; carries the error that ended the work, if one did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Generator[T], depth: int = 3) -> Generator[T]:
    """Run a generator in a thread of its own.

    The thread starts when the first result is asked for. Closing what this returns stops the
    generator at its next result, closes it, and waits for that.

    Args:
        items: runs, and is closed, in the thread.
        depth: results that may wait to be taken; one more may be in the making.

    Yields:
        The same results in the same order; an error in the generator is raised here.
    """
    ready: Queue[T | _End] = Queue(depth)
    stop = threading.Event()

    def work() -> None:
        try:
            with closing(items):
                for item in items:
                    ready.put(item)
                    if stop.is_set():
                        break
            end = _End()
        except BaseException as error:  # raised again where the results are taken
            end = _End(error)
        ready.put(end)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        while thread.is_alive():  # it may wait for room
            with suppress(Empty):
                ready.get(timeout=_POLL)
        thread.join()
