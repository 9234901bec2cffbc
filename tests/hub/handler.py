"""How the test Hub speaks HTTP: a server with a log, routes, tokens, refusals, byte ranges."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_tester"
READER = "hf_reader"  # may read what TOKEN may, and write nothing


class Request(NamedTuple):
    """A line of the log."""

    method: str
    path: str
    status: int
    user_agent: str


class RefusalError(Exception):
    """An answer that is an error, with the Hub's X-Error-Code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Code": code, "X-Error-Message": message}


ROUTES: list[tuple[str, re.Pattern[str], Callable[..., None]]] = []
PARTS = {
    "{kind}": "(?P<kind>models|datasets|spaces)",
    "{kind?}": "(?:(?P<kind>datasets|spaces)/)?",  # a model's files have no prefix
    "{repo}": "(?P<repo_id>[^/]+/[^/]+?)",
    "{revision}": "(?P<revision>[^/]+)",
    "{oid}": "(?P<oid>[0-9a-f]{64})",
    "{path}": "(?P<path>.+)",
}


def route(methods: str, path: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a method of Handler answer these methods on paths of this form."""
    for name, pattern in PARTS.items():
        path = path.replace(name, pattern)

    def register(answer: Callable[..., None]) -> Callable[..., None]:
        ROUTES.extend((method, re.compile(path), answer) for method in methods.split())
        return answer

    return register


class LoggingServer(ThreadingHTTPServer):
    """An HTTP server on a free port of this machine: `start` it, talk to `url`, `stop` it.

    Attributes:
        log: every request answered so far.
        before_request: called with method and path before each answer, to change the world then,
            or to raise a RefusalError.
        damage: called with the path and content of a file that is asked for; what it returns is
            sent in its place, under the headers of the whole content.
    """

    daemon_threads = True

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.log: list[Request] = []
        self.before_request: Callable[[str, str], None] | None = None
        self.damage: Callable[[str, bytes], bytes] | None = None
        self.lock = threading.RLock()

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one request, in HTTP/1.0: no connection outlives the server. Has no endpoints yet."""

    server: LoggingServer

    def log_message(self, *args: object) -> None:
        """Stay silent: the log is LoggingServer.log."""

    def answer(self) -> None:
        self.body = self.read_body()
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        with self.server.lock:
            try:
                if self.server.before_request:
                    self.server.before_request(self.command, url.path)
                self.check_token()
                self.dispatch(url.path)
            except RefusalError as refusal:
                self.reply({"error": str(refusal)}, refusal.status, refusal.headers)

    do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815

    def check_token(self) -> None:
        token = self.headers.get("Authorization")
        self.signed_in = token in (f"Bearer {TOKEN}", f"Bearer {READER}")
        if token and not self.signed_in:
            raise RefusalError(401, "", "Invalid credentials in Authorization header")
        if self.command in ("POST", "PUT") and not self.signed_in and "/_lfs" not in self.path:
            raise RefusalError(401, "", "Invalid username or password.")
        writes = self.command == "POST" and "/paths-info/" not in self.path
        if writes and token == f"Bearer {READER}":
            raise RefusalError(403, "", "You don't have the rights to write here.")

    def dispatch(self, path: str) -> None:
        for method, pattern, answer in ROUTES:
            if method == self.command and (match := pattern.fullmatch(path)):
                parts = {name: unquote(part) for name, part in match.groupdict().items() if part}
                return answer(self, **parts)
        raise RefusalError(404, "", f"no endpoint {self.command} {path}")

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def reply(
        self, body: object = b"", status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Send bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        agent = self.headers.get("User-Agent", "")
        self.server.log.append(Request(self.command, self.path, status, agent))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            damage = self.server.damage if status in (200, 206) else None
            self.wfile.write(damage(self.path, data) if damage else data)

    def reply_file(self, data: bytes, headers: dict[str, str]) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            return self.reply(data, 200, headers)
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        span = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        return self.reply(data[first : last + 1], 206, headers | span)
