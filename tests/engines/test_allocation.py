"""Freed memory stays with the process: the next picture does not have to fetch it again."""

import os
import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
import numpy as np
from colorize_hub.engines.allocation import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        maps = [np.ones(1 << 20, np.uint8) for _ in range(24)]
        del maps
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
usual = faults()
keep_freed_memory()
faults()
print(usual, faults())
"""


def faults(**environment):
    answer = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(map(int, answer.stdout.split()))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_memory_is_fetched_once():
    usual, kept = faults()
    assert kept < 0.1 * usual


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_what_the_environment_says_counts():
    usual, kept = faults(MALLOC_TRIM_THRESHOLD_="131072")
    assert kept > 0.5 * usual > 1000
