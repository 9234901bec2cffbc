"""Servers that tests start: a free port, and the first page of a process."""

import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page_of(server: subprocess.Popen[Any], port: int) -> str:
    """The page at the root, once it is there, or why there is none."""
    for _ in range(1200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            with suppress(subprocess.TimeoutExpired):
                return f"no page; ended with {server.wait(0.2)}"
    return "no page; still running"
