"""The web page, part of the ``app`` extra: `build_demo` makes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from gradio.route_utils import FnIndexInferError
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from colorize_hub.demo.address import RelativeAddress
from colorize_hub.demo.device.routes import Alone, DeviceRoutes, can_serve
from colorize_hub.demo.film.clips import Clips
from colorize_hub.demo.film.films import Films
from colorize_hub.demo.film.handlers import ClipHandlers, FilmHandlers
from colorize_hub.demo.live.routes import LiveRoutes
from colorize_hub.demo.messages import refuse_call
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.page import PageBlocks, add_page, page_css
from colorize_hub.demo.photo.desk import Desk
from colorize_hub.demo.photo.handlers import Handlers
from colorize_hub.demo.photo.routes import RenderRoute
from colorize_hub.demo.theme import CSS, make_theme
from colorize_hub.demo.workers import Workers
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.web.prints import EXAMPLES_FOLDER

if TYPE_CHECKING:
    from colorize_hub.network.colornet import ColorNet

FILES_CHECKED_EVERY_S = 600
FILES_KEPT_S = 3600
MAX_UPLOAD = "200mb"
_NEVER = 10**9  # calls after which Gradio counts all calls anew, each time with pandas
SESSIONS_HELD = 64  # Gradio keeps the last answer of so many calls, up to a megabyte each


def build_demo(
    colorizer: Colorizer,
    model: str = "",
    models_folder: str | Path | None = None,
    network: Callable[[], ColorNet] | None = None,
) -> gr.Blocks:
    """Build the page; ``build_demo(load()).launch()`` serves it.

    Gradio takes looks and privacy from launch(), so the page carries them as defaults of its own
    launch(): no server-side rendering, no run history in the browser, uploads up to MAX_UPLOAD,
    the live picture's routes, and an MCP server where the ``mcp`` package is installed.

    Visitors' photos are opened from the upload folder only. Models can be folders of this machine
    for the person who sits at it, except on a Space ($SPACE_ID is set), where everybody is a
    stranger; others name folders beneath `models_folder`, and learn nothing of the rest.

    Args:
        colorizer: colours every visitor's photos, unless the visitor names another model.
        model: what the page calls it; empty is "built-in".
        models_folder: visitors can use the models in it; None offers them none.
        network: reads the network of the colorizer as it was saved. With it, and where the static
            site is built, visitors can colour on their own machine; None does not offer that.

    Returns:
        The page, not launched. Its endpoints are methods of `Handlers`, `ClipHandlers` and
        `FilmHandlers`; ``/colorize_with_hints`` takes a photo and hints to a PNG file of the same
        size.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(_NEVER))
    gr.set_static_paths([EXAMPLES_FOLDER])
    uploads = get_upload_folder()
    models = ModelShelf(colorizer, models_folder, strangers="SPACE_ID" in os.environ)
    workers = Workers(colorizer.engine)
    handlers = Handlers(Desk(uploads), models, (Path(uploads), EXAMPLES_FOLDER))
    films, from_uploads = Films(uploads, workers.reading), (Path(uploads),)
    clip_handlers = ClipHandlers(Clips(uploads, worker=workers.films), films, models, from_uploads)
    film_handlers = FilmHandlers(films, models, from_uploads, Path(uploads))
    device = DeviceRoutes(network).routes() if network and can_serve(colorizer.engine) else []
    with PageBlocks(
        title="Colorize: colour for black-and-white photos",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(FILES_CHECKED_EVERY_S, FILES_KEPT_S),
    ) as demo:
        add_page(handlers, clip_handlers, film_handlers, workers, model, bool(device))
    demo.launch = partial(
        demo.launch,
        theme=make_theme(),
        css=CSS + page_css(),
        footer_links=["api"],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        max_file_size=MAX_UPLOAD,
        state_session_capacity=SESSIONS_HELD,
        mcp_server=find_spec("mcp") is not None,
        app_kwargs={
            "routes": [
                *RenderRoute(handlers, workers).routes(),
                *LiveRoutes(models).routes(),
                *device,
            ],
            "middleware": [Middleware(RelativeAddress), *([Middleware(Alone)] if device else [])],
            "exception_handlers": dict.fromkeys(
                (FnIndexInferError, KeyError, TypeError), refuse_call
            ),
        },
    )
    return demo
