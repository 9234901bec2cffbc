"""The live picture over HTTP: frames come and go as plain bodies, beside Gradio's own routes.

Gradio's queue costs 16 ms a call and its streaming a file a frame; a route of the same server costs
less than 1 ms and leaves nothing behind. A body is a length (4 bytes, big-endian), so many bytes of
JSON, then a JPEG file; answers are alike. Every visitor has a random name, chosen by the page.
"""

import asyncio
import json
import struct
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colorize_hub.demo.access import at_the_machine, signed_in
from colorize_hub.demo.arguments import RequestError
from colorize_hub.demo.live.session import Session, Wish, read_wish
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.queue import SeatQueue
from colorize_hub.engines.allocation import keep_freed_memory
from colorize_hub.engines.engine import Engine
from colorize_hub.inference.motion import load_opencv
from colorize_hub.loading import ModelError

SEATS = 2
KEPT_S = 20.0  # a seat without frames
WAITING_S = 6.0  # a place in the queue that is not asked for again
MOST_BYTES = 4_000_000
_MOST_UNANSWERED = 3  # frames of one viewer; the page sends two
_LENGTH = struct.Struct(">I")


@dataclass
class _Viewer:
    session: Session
    unanswered: int = 0
    answered_at: float = field(default_factory=time.monotonic)


class LiveRoutes:
    """Serves the viewers: takes their frames in turn, one at a time, so that all share fairly."""

    def __init__(
        self,
        models: ModelShelf,
        may_enter: Callable[[Request], Awaitable[bool]] = signed_in,
        is_local: Callable[[Request], bool] = at_the_machine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the queue.

        Args:
            models: of the page.
            may_enter: whether the server knows who asks.
            is_local: whether a person at this machine asks.
            clock: seconds.
        """
        self._models = models
        self._may_enter, self._is_local = may_enter, is_local
        self.queue = SeatQueue(SEATS, KEPT_S, WAITING_S, clock)
        self._viewers: dict[str, _Viewer] = {}
        keep_freed_memory()
        self._worker = ThreadPoolExecutor(1, "live", _start_worker, (models.get("").engine,))
        self._sweeping = False

    def __len__(self) -> int:
        """How many viewers something is kept for."""
        return len(self._viewers)

    def routes(self) -> list[Route]:
        """For the server: ``launch(app_kwargs={"routes": ..})``."""
        return [
            Route("/live/join", self._join, methods=["POST"]),
            Route("/live/frame", self._frame, methods=["POST"]),
            Route("/live/leave", self._leave, methods=["POST"]),
        ]

    async def _join(self, request: Request) -> Response:
        if not await self._may_enter(request):
            return _refusal(401, "Sign in first.")
        visitor = _visitor(request)
        if not visitor or len(self.queue) > 1000:
            return _refusal(400, "The visitor has no name, or there are too many.")
        place = self.queue.join(visitor)
        fresh = not place and visitor not in self._viewers
        if fresh:
            self._viewers[visitor] = _Viewer(Session(self._models, self._is_local(request)))
        self._keep_sweeping()
        return JSONResponse({"place": place, "fresh": fresh})

    async def _frame(self, request: Request) -> Response:
        visitor = _visitor(request)
        viewer = self._viewers.get(visitor)
        if viewer is None or not self.queue.heard(visitor):
            return _refusal(409, "There is no seat for this visitor; join first.")
        if viewer.unanswered >= _MOST_UNANSWERED:
            return _refusal(429, "Wait for the last frames.")
        viewer.unanswered += 1
        try:
            facts, picture = _unpack(await _read(request))
            wish = read_wish(facts)
            if wish.model:  # loading it takes seconds, in which the other viewer goes on
                await asyncio.to_thread(self._models.get, wish.model, viewer.session.local)
            began = time.monotonic()
            loop = asyncio.get_running_loop()
            job = (self._worker, _colour, viewer.session, picture, wish)
            answer = await loop.run_in_executor(*job)
            now = time.monotonic()
            viewer.session.pace.add(now - max(began, viewer.answered_at))
            viewer.answered_at = now
        except (ValueError, OSError, ModelError, ModuleNotFoundError) as error:
            return _refusal(400, str(error))
        finally:
            viewer.unanswered -= 1
        return Response(answer, media_type="application/octet-stream")

    async def _leave(self, request: Request) -> Response:
        self._forget(_visitor(request))
        return Response(status_code=204)

    def _forget(self, visitor: str) -> None:
        self.queue.leave(visitor)
        self._viewers.pop(visitor, None)

    def _keep_sweeping(self) -> None:
        """While anybody is here, looks every second for those who left without a word."""
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(1, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = False
        self.sweep()
        if len(self.queue):
            self._keep_sweeping()

    def sweep(self) -> None:
        """Forget the viewers who left without a word."""
        self.queue.sweep()
        for visitor in self._viewers.keys() - self.queue.seated:
            self._forget(visitor)


def _start_worker(engine: Engine) -> None:
    """Leave half the cores to the browser, the film in the next tab, and what waits meanwhile."""
    engine.use_threads(max(1, engine.threads // 2))
    with suppress(ModuleNotFoundError):  # the first frame says what is missing
        load_opencv().setNumThreads(1)


def _colour(session: Session, picture: bytes, wish: Wish) -> bytes:
    return pack(*session.colour(picture, wish))


def pack(facts: dict[str, Any], picture: bytes) -> bytes:
    """Return a body: facts as JSON, and a picture."""
    text = json.dumps(facts).encode()
    return _LENGTH.pack(len(text)) + text + picture


def _unpack(body: bytes) -> tuple[object, bytes]:
    if len(body) < _LENGTH.size:
        raise RequestError("The frame is empty.")
    (length,) = _LENGTH.unpack_from(body)
    end = _LENGTH.size + length
    try:
        return json.loads(body[_LENGTH.size : end]), body[end:]
    except (ValueError, RecursionError) as error:
        raise RequestError("The frame's wish is not JSON.") from error


async def _read(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise RequestError(f"A frame may have {MOST_BYTES / 1e6:g} MB at most.")
        parts.append(part)
    return b"".join(parts)


def _visitor(request: Request) -> str:
    return request.query_params.get("visitor", "")[:64]


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
