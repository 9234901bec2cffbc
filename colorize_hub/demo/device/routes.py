"""What a visitor's own machine needs to colour there: the worker, its runtime and the model.

The files are those of the static site (`colorize_hub.web`); the model is exported when somebody
first asks for it.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from colorize_hub.demo.access import signed_in
from colorize_hub.engines.engine import Engine
from colorize_hub.web.build import BUILT, check_built

if TYPE_CHECKING:
    from colorize_hub.network.colornet import ColorNet

_ALONE = [
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
]


def can_serve(engine: Engine) -> bool:
    """Whether the worker is built here, and the engine's model can be exported for it."""
    try:
        check_built()
    except FileNotFoundError:
        return False
    return hasattr(engine, "network") and find_spec("onnx") is not None  # a model of torch


class DeviceRoutes:
    """Serves ``GET /device/..``: `worker`, `runtime` and `model` as the static site has them."""

    def __init__(
        self,
        network: Callable[[], ColorNet],
        may_enter: Callable[[Request], Awaitable[bool]] = signed_in,
        built: Path = BUILT,
    ) -> None:
        """Serve one model.

        Args:
            network: reads it; called once, when somebody asks.
            may_enter: whether the server knows who asks.
            built: what `colorize_hub.web.build` made.
        """
        self._network, self._may_enter = network, may_enter
        self._built = _files(built / "worker", "worker") | _files(built / "runtime", "runtime")
        self._model: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        """For the server: ``launch(app_kwargs={"routes": ..})``."""
        return [Route("/device/{folder}/{name}", self._file, methods=["GET"])]

    async def _file(self, request: Request) -> Response:
        if not await self._may_enter(request):
            return JSONResponse({"error": "Sign in first."}, 401)
        folder, name = request.path_params["folder"], request.path_params["name"]
        if folder == "model":
            files = await asyncio.to_thread(self._exported)
        else:
            files = self._built
        path = files.get(f"{folder}/{name}")
        if path is None:
            return JSONResponse({"error": f"There is no {folder}/{name}."}, 404)
        named_by_content = folder == "model" and path.suffix == ".gz"
        kept = "max-age=31536000, immutable" if named_by_content else "no-cache"
        return FileResponse(path, headers={"cache-control": kept})

    def _exported(self) -> dict[str, Path]:
        with self._lock:
            if self._model is None:
                folder = tempfile.TemporaryDirectory(prefix="colorize-device-")
                from colorize_hub.export.web import export_web

                export_web(self._network(), folder.name)
                self._model = folder
            return _files(Path(self._model.name), "model")


def _files(folder: Path, called: str) -> dict[str, Path]:
    return {f"{called}/{path.name}": path for path in folder.iterdir() if path.is_file()}


class Alone:
    """Middleware: pages and workers stand alone, so that a visitor's machine may use threads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; the page itself and what is beneath /device get the headers."""

        async def send_alone(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_ALONE]}
            await send(message)

        path = scope.get("path", "")
        alone = scope["type"] == "http" and (path in ("", "/") or path.startswith("/device/"))
        await self._app(scope, receive, send_alone if alone else send)
