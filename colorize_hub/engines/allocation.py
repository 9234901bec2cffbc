"""Memory that is used again and again: kept, not given back to the system after every picture."""

import ctypes
import os
import platform

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT = 1 << 28  # bytes of free memory
_MOST = 1 << 25  # bytes of one array; glibc takes no more than 32 MB


def keep_freed_memory() -> None:
    """Have the C library keep up to 256 MB of what this process frees.

    It gives the maps of a network back after each picture, and the system has to clear the same
    memory for the next: 5000 page faults, a quarter of the time of a 640 x 480 frame. For programs
    that work on one picture after the other; does nothing where the C library is not glibc, or
    where the environment sets these limits.
    """
    said = "MALLOC_TRIM_THRESHOLD_" in os.environ or "GLIBC_TUNABLES" in os.environ
    if said or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _MOST)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
