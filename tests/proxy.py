"""A proxy that gives the server a name of its own, as nginx does where nobody says otherwise."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INNER_NAME = "page.internal.invalid"  # no visitor can reach it
PREFIX = "/colour"  # served there too, without the server's knowing


@contextmanager
def proxy_before(port: int) -> Iterator[str]:
    """The address of a proxy before a server on this machine."""

    class Forward(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server = http.client.HTTPConnection("127.0.0.1", port)
            inner = {"Host": INNER_NAME, "Connection": "close", "Accept-Encoding": "identity"}
            path = self.path.removeprefix(PREFIX)
            server.request(self.command, path, body, dict(self.headers) | inner)
            answer = server.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            try:
                while part := answer.read1():
                    self.wfile.write(part)
            except OSError:
                self.close_connection = True  # the visitor left
            server.close()

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}"
        proxy.shutdown()
