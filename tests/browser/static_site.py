"""A web server that knows nothing but files, as cheap hosts are; it says what it was asked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Host:
    """A running server.

    Attributes:
        url: of the page.
        sent: path and bytes of every answer with a body.
        damaged: whether the answer for a path is to be spoilt.
    """

    url: str
    server: ThreadingHTTPServer
    sent: list[tuple[str, int]] = field(default_factory=list)
    damaged: Callable[[str], bool] = lambda path: False

    def stop(self) -> None:
        """From now on nobody answers."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    host: Host

    def log_message(self, format: str, *args: object) -> None:
        pass

    def copyfile(self, source, outputfile) -> None:
        body = source.read()
        if self.host.damaged(self.path):
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.host.sent.append((self.path, len(body)))
        outputfile.write(body)


@contextmanager
def hosted(folder: Path, under: str = "some/where") -> Iterator[Host]:
    """Serve a site under a path of its own."""
    root = folder.parent / f"{folder.name}-host"
    (root / under).parent.mkdir(parents=True, exist_ok=True)
    if not (root / under).is_symlink():
        (root / under).symlink_to(folder.resolve())
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(root)))
    host = Host(f"http://127.0.0.1:{server.server_port}/{under}/", server)
    handler.host = host
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield host
    finally:
        host.stop()
