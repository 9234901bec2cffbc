"""The worker of the page that needs no server, on a bare page of its own, and calls to it."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page
from skimage.color import deltaE_ciede2000, rgb2lab

PAGE = Path(__file__).parent / "worker_page.html"


@contextmanager
def served(folder: Path, alone: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder; `alone` is cross-origin isolated. Gives the address, and paths as asked."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            if alone:
                self.send_header("Cross-Origin-Opener-Policy", "same-origin")
                self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.send_header("Cache-Control", "no-store")
            super().end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            asked.append(self.path)

    Handler.extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", asked
    server.shutdown()
    server.server_close()


class Worker:
    """Calls from a page to its worker."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        page.goto(address)
        page.evaluate("begin()")

    def start(
        self, device: str = "wasm", threads: int = 2, model: str = "model.json"
    ) -> dict[str, Any]:
        """Start it on a device, with a manifest of the model's folder."""
        return self.page.evaluate("(wish) => start(...wish)", [device, threads, model])

    def ask(self, name: str, content: bytes, *rest: object, file: str = "photo.png") -> Any:
        """Ask about a file; pictures in the answer come as PIL images."""
        told = self.page.evaluate(
            "async ([name, content, file, rest]) =>"
            " told(await ask(name, fileOf(content, file), ...rest))",
            [name, base64.b64encode(content).decode(), file, list(rest)],
        )
        return _opened(told)

    def notes(self) -> list[str]:
        return self.page.evaluate("notes")


def _opened(told: Any) -> Any:
    if isinstance(told, list):
        return [_opened(one) for one in told]
    if not isinstance(told, dict):
        return told
    if "file" not in told:
        return {key: _opened(one) for key, one in told.items()}
    image = Image.open(io.BytesIO(base64.b64decode(told["file"])))
    image.info["file name"] = told.get("name")
    return image


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def apart(one: Image.Image, other: Image.Image, every: int = 1) -> float:
    """Mean CIEDE2000, of every so many pixels each way."""
    first, second = (np.asarray(image.convert("RGB"))[::every, ::every] for image in (one, other))
    return float(deltaE_ciede2000(rgb2lab(first), rgb2lab(second)).mean())


def document(*hints: dict[str, Any], **rest: object) -> str:
    return json.dumps({"marks": list(hints), **rest})
