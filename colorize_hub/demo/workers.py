"""The threads that compute for the page: clicks first, each on a core of its own, then the rest.

Two renders on a thread each are through sooner than one after the other on two threads, and a
photo that is opened must not make those wait who steer another.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from colorize_hub.engines.engine import Engine

_OPENING_NICE, _FULL_SIZE_NICE, _FILM_NICE = 5, 10, 15  # the larger, the less time from Linux


class Workers:
    """Pools of threads, none of which waits for another.

    Attributes:
        cores: threads for clicks.
        clicks: what takes some tens of milliseconds on a photo that is open.
        opening: what runs the network on a preview, one after the other.
        full_size: what may take gigabytes and seconds, one after the other.
        reading: what reads a film from end to end, one after the other.
        films: what takes minutes, one after the other.
    """

    def __init__(self, engine: Engine) -> None:
        """Start none yet.

        Args:
            engine: of the page's own model; says how many cores there are.
        """
        self.cores = engine.threads
        self.clicks = ThreadPoolExecutor(self.cores, "click", engine.use_threads, (1,))
        self.opening = ThreadPoolExecutor(1, "opening", _give_way, (_OPENING_NICE,))
        self.full_size = ThreadPoolExecutor(1, "full-size", _give_way, (_FULL_SIZE_NICE,))
        self.reading = ThreadPoolExecutor(1, "reading", _give_way, (_FULL_SIZE_NICE,))
        self.films = ThreadPoolExecutor(1, "film", _give_way, (_FILM_NICE,))


def _give_way(nice: int) -> None:
    """Lower the priority of this thread, and of those that it starts for the engine."""
    with suppress(AttributeError, OSError):  # only Linux counts threads as processes
        thread = os.PRIO_PROCESS, threading.get_native_id()
        os.setpriority(*thread, os.getpriority(*thread) + nice)
