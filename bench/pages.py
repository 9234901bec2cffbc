"""Pages to measure: the one with a server, the one without, and a Chromium with a camera."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_SERVER = """
import os, sys
from colorize_hub import load
from colorize_hub.demo import build_demo
build_demo(load(sys.argv[1] or None)).launch(
    server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True
)
"""


@contextmanager
def served_page(model: str, files: Path) -> Iterator[tuple[str, int]]:
    """Run a server in a process of its own, and its temporary files in one folder.

    Args:
        model: as `load` takes it; "" is the built-in one.
        files: an empty folder.

    Yields:
        Its address, and its process.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "TMPDIR": str(files),
        "GRADIO_TEMP_DIR": str(files / "gradio"),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    server = subprocess.Popen([sys.executable, "-c", _SERVER, model, str(port)], env=environment)
    try:
        deadline = time.monotonic() + 240
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The server did not start.")
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def static_page(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Serve files as a cheap host does.

    Yields:
        The address, and the bytes of every answer so far.
    """
    sent: list[int] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def copyfile(self, source, outputfile) -> None:  # noqa: ANN001 - files of bytes
            body = source.read()
            sent.append(len(body))
            outputfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", sent
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def camera_browser(film: Path, chromium: str) -> Iterator[Browser]:
    """Run Chromium, with a film as its camera.

    Args:
        film: MJPEG.
        chromium: its path; "" is the first on the PATH.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    path = chromium or next(filter(None, map(shutil.which, names)), None)
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()
