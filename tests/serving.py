"""A server that a test started: its first page."""

import subprocess
import time
import urllib.error
import urllib.request
from typing import Any


def page_of(server: "subprocess.Popen[Any]", port: int) -> str:
    """The page at the root, once it is there, or why there is none."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    return f"no page; ended with {server.poll()}"
