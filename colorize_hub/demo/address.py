"""Where the page finds its server: where the browser found the page."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OWN_ADDRESS = re.compile(rb'("root":|const root = )"[^"]*"')
_BROWSERS_ADDRESS = rb"\1document.baseURI.slice(0, -1)"


class RelativeAddress:
    """Middleware: the page calls the address that the browser shows.

    Gradio writes its own address into the page, as the request's headers tell it. Behind a proxy
    that keeps the visitor's Host or protocol to itself, no browser can reach that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; in an HTML page, replace the address."""
        start: Message | None = None
        body = b""

        async def send_relative(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    page = _OWN_ADDRESS.sub(_BROWSERS_ADDRESS, body)
                    await send(_with_length(start, len(page)))
                    await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, send_relative)


def _is_html(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html")
        for name, value in message["headers"]
    )


def _with_length(message: Message, length: int) -> Message:
    others = [one for one in message["headers"] if one[0].lower() != b"content-length"]
    return {**message, "headers": [*others, (b"content-length", str(length).encode())]}
