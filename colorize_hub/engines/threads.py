"""How many threads of torch work for one thread of Python."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import torch

_SETTING = Lock()

Result = TypeVar("Result")


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
