"""The page: the desk's own HTML, and the endpoints that it and other programs call."""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from functools import wraps
from typing import Any
from urllib.parse import quote

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.components import Component
from gradio.exceptions import InvalidPathError
from gradio.state_holder import SessionState

from colorize_hub.demo.arguments import shown
from colorize_hub.demo.film.handlers import ClipHandlers, FilmHandlers
from colorize_hub.demo.messages import visitor_error
from colorize_hub.demo.photo.handlers import Handlers
from colorize_hub.demo.workers import Workers
from colorize_hub.web.page import live_html, page_html, photo_html, read_part
from colorize_hub.web.prints import EXAMPLES, example_path

SCRIPTS = (
    "page.js",
    "server.js",
    *(f"photo/{name}.js" for name in ("stage", "panel", "desk", "marking", "whole")),
    *(f"live/{name}.js" for name in ("link", "camera", "view", "live")),
    *(f"film/{name}.js" for name in ("strip", "player", "film")),
    "tabs.js",
)
STYLES = ("photo/desk.css", "live/live.css", "film/film.css", "web/device.css")
_FRAMES = "Frames go to this server, come back in colour, and are not kept."
_ASKED_AT_ONCE = 32  # of one kind that Gradio hands on; our own workers take them in turn


def add_page(
    handlers: Handlers,
    clip_handlers: ClipHandlers,
    film_handlers: FilmHandlers,
    workers: Workers,
    model: str = "",
    on_device: bool = False,
) -> None:
    """Add the tabs and their endpoints to the page that is being built.

    All is one HTML element with plain JavaScript. What the visitor did lives there, not on the
    server, and it calls the endpoints by name, as any client can.

    Args:
        handlers: of this page.
        clip_handlers: of this page.
        film_handlers: of this page.
        workers: of this page.
        model: what to call the page's own model; empty is "built-in".
        on_device: whether visitors can colour on their own machine, see `DeviceRoutes`.
    """
    gr.HTML(
        html_template=_page_html(handlers, model, on_device),
        js_on_load=_page_script(on_device),
        apply_default_css=False,
        elem_id="page-root",
    )
    _add_endpoints(handlers, workers)
    _add_clip_endpoints(clip_handlers)
    _add_film_endpoints(film_handlers, workers)


def page_css() -> str:
    """Return the style sheet of the tabs."""
    return "\n".join(read_part(name) for name in STYLES)


def _page_html(handlers: Handlers, model: str, on_device: bool) -> str:
    models = handlers.models
    names = "user/model or a folder" if models.offers_folders else "user/model"
    own = models.get("").config.vividness
    photo = photo_html(model or "built-in", names)
    live, film = live_html(own, _FRAMES), read_part("film/film.html")
    tabs = {"photo": photo, "live": live, "film": film}
    return page_html(tabs, read_part("device/choice.html") if on_device else "")


def _page_script(on_device: bool) -> str:
    prints = [_print(stem, title) for stem, title in EXAMPLES.items()]
    names = (*SCRIPTS, "web/device.js", "device/choice.js") if on_device else SCRIPTS
    scripts = "\n".join(read_part(name) for name in names)
    start = "startPage(element, makeServer(), EXAMPLES);"
    if on_device:
        start = "startWithChoice(element, EXAMPLES);"
    return f"const EXAMPLES = {json.dumps(prints)};\n{scripts}\n{start}"


def _print(stem: str, title: str) -> dict[str, str]:
    path = str(example_path(stem))
    return {"stem": stem, "title": title, "path": path, "url": f"gradio_api/file={quote(path)}"}


def _add_endpoints(handlers: Handlers, workers: Workers) -> None:
    """Every handler as an endpoint of its own name; the hidden components say what goes in."""
    photo, reference = _photo("Photo"), _photo("Reference photo")
    hints = gr.Textbox("", label="Hints, JSON", visible=False)
    model = gr.Textbox("", label="Model", visible=False)
    x, y = _number("x"), _number("y")
    width, height = _number("Width"), _number("Height")
    seed = _number("Seed")
    vividness = gr.Number(None, label="Vividness", minimum=0, maximum=1, visible=False)
    found = gr.JSON(label="Result", visible=False)
    file = gr.File(label="Colour, PNG", visible=False)
    clicks, opening, full_size = workers.clicks, workers.opening, workers.full_size
    _endpoint(handlers.open_photo, [photo, hints, model], found, opening)
    _endpoint(handlers.render, [photo, hints, model], found, clicks)
    _endpoint(handlers.suggest_colours, [photo, x, y, model], found, clicks)
    _endpoint(handlers.unsure, [photo, model], found, opening)
    _endpoint(handlers.variations, [photo, hints, seed, model], found, opening)
    _endpoint(handlers.borrow_palette, [photo, reference, hints, model], found, opening)
    _endpoint(handlers.read_hints, [hints, width, height], found)
    _endpoint(handlers.use_model, [model], found)
    large = [photo, hints, vividness, model]
    _endpoint(handlers.colorize_with_hints, large, file, full_size)
    _endpoint(handlers.colorize, [photo, vividness], file, full_size)


def _add_clip_endpoints(handlers: ClipHandlers) -> None:
    clip = gr.File(label="Clip", visible=False)
    job = gr.Textbox("", label="Job", visible=False)
    vividness = gr.Number(None, label="Vividness", minimum=0, maximum=1, visible=False)
    smoothing = gr.Number(0.8, label="Steadiness", minimum=0, maximum=1, visible=False)
    model = gr.Textbox("", label="Model", visible=False)
    found = gr.JSON(label="Result", visible=False)
    file = gr.File(label="Colour, MP4", visible=False)
    hints = gr.Textbox("", label="Hints, JSON", visible=False)
    _endpoint(handlers.start_clip, [clip, vividness, smoothing, model, hints], found)
    _endpoint(handlers.clip_state, [job], found)
    _endpoint(handlers.clip_result, [job], file)
    _endpoint(handlers.pause_clip, [job], found)
    _endpoint(handlers.resume_clip, [job], found)
    _endpoint(handlers.cancel_clip, [job], found)


def _add_film_endpoints(handlers: FilmHandlers, workers: Workers) -> None:
    film = gr.File(label="Film", visible=False)
    hints = gr.Textbox("", label="Hints, JSON", visible=False)
    frame = _number("Frame")
    model = gr.Textbox("", label="Model", visible=False)
    found = gr.JSON(label="Result", visible=False)
    picture, preview = gr.File(label="Frame, PNG", visible=False), gr.File(visible=False)
    opening, full_size = workers.opening, workers.full_size
    _endpoint(handlers.open_film, [film], found)
    _endpoint(handlers.film_shots, [film], found)
    _endpoint(handlers.film_frame, [film, frame], picture, opening)
    _endpoint(handlers.film_marks, [film, hints, frame], found, opening)
    _endpoint(handlers.shot_picture, [film, hints, frame, model], found, opening)
    _endpoint(handlers.preview_shot, [film, hints, frame, model], preview, full_size)
    _endpoint(handlers.read_film_hints, [film, hints], found)


def _endpoint(
    handler: Callable[..., Any],
    inputs: list[Component],
    output: Component,
    executor: Executor | None = None,
) -> None:
    """Add an endpoint with the handler's name; without an executor it only looks or waits."""
    gr.Button(visible=False).click(
        _answering(handler, executor),
        inputs,
        output,
        preprocess=False,  # our reader opens the files, so that our messages reach the visitor
        show_progress="hidden",
        concurrency_limit=_ASKED_AT_ONCE,
        api_name=handler.__name__,
    )


def _answering(handler: Callable[..., Any], executor: Executor | None) -> Callable[..., Any]:
    """Run the handler in a thread; whatever goes wrong, the visitor gets a sentence."""

    @wraps(handler)
    async def answer(*values: object) -> Any:  # noqa: ANN401
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(executor, handler, *values)
        except gr.Error:
            raise
        except Exception as error:
            logging.getLogger(__name__).exception("%s failed", handler.__name__)
            raise visitor_error("The server could not do that; its log says why.") from error

    return answer


class PageBlocks(gr.Blocks):
    """Blocks that tell a program what it sent wrongly, where Gradio only logs it."""

    async def preprocess_data(  # noqa: D102
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[Any]:
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error:
            raise
        except InvalidPathError as error:
            raise visitor_error("This file is no longer kept here; open it again.") from error
        except Exception as error:
            wanted = ", ".join(str(getattr(one, "label", "")) for one in block_fn.inputs)
            raise visitor_error(
                f"{block_fn.api_name} takes {len(block_fn.inputs)} values ({wanted}); got "
                f"{shown(inputs)}. Files are named as {{'path': ..}}, uploaded before."
            ) from error


def _photo(label: str) -> gr.Image:
    return gr.Image(type="filepath", label=label, visible=False)


def _number(label: str) -> gr.Number:
    return gr.Number(None, label=label, visible=False)
