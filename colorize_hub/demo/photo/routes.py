"""Renders of the desk over HTTP, beside Gradio's own routes: hints in, a JPEG file out.

A click is the only thing that people wait for all the time. Gradio's queue costs more than 16 ms a
call and base64; here newer clicks of a visitor also take the place of those that still wait.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize_hub.demo.access import signed_in
from colorize_hub.demo.arguments import RequestError, text
from colorize_hub.demo.messages import messages_for
from colorize_hub.demo.photo.handlers import Handlers
from colorize_hub.demo.queue import ReplacedError, TurnQueue
from colorize_hub.demo.workers import Workers

_LONGEST_NAME = 64  # of a visitor, characters


class RenderRoute:
    """Serves ``POST /desk/render``: {"photo", "hints", "model", "visitor"} as for `Handlers`."""

    def __init__(
        self,
        handlers: Handlers,
        workers: Workers,
        may_enter: Callable[[Request], Awaitable[bool]] = signed_in,
    ) -> None:
        """Open the queue.

        Args:
            handlers: of the page.
            workers: of the page.
            may_enter: whether the server knows who asks.
        """
        self._handlers, self._workers, self._may_enter = handlers, workers, may_enter
        self._queue: TurnQueue[bytes] = TurnQueue(workers.clicks, workers.cores)

    def routes(self) -> list[Route]:
        """For the server: ``launch(app_kwargs={"routes": ..})``."""
        return [Route("/desk/render", self._render, methods=["POST"])]

    async def _render(self, request: Request) -> Response:
        if not await self._may_enter(request):
            return JSONResponse({"error": "Sign in first."}, 401)
        try:
            asked = _read(await request.body())
            picture = await self._picture(asked, gr.Request(request))
        except gr.Error as error:
            return JSONResponse({"error": error.message}, 400)
        except ReplacedError:
            return Response(status_code=204)
        return Response(picture, media_type="image/jpeg")

    async def _picture(self, asked: dict[str, Any], visitor: gr.Request) -> bytes:
        photo, hints, model = asked.get("photo"), asked.get("hints", ""), asked.get("model", "")
        with messages_for():
            name = text(asked.get("visitor"), "visitor", _LONGEST_NAME)
        render = self._handlers.render_file
        if not self._handlers.is_open(photo, model, visitor):  # the server forgot it
            loop = asyncio.get_running_loop()
            job = (self._workers.opening, render, photo, hints, model, visitor)
            return await loop.run_in_executor(*job)
        return await self._queue.result(name, lambda: render(photo, hints, model, visitor))


def _read(body: bytes) -> dict[str, Any]:
    with messages_for():
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RequestError(f"The request is not JSON: {error}") from error
        if not isinstance(asked, dict):
            raise RequestError("The request must be an object with a photo and hints.")
        return asked
