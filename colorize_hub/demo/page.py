"""The page: the desk's own HTML, and the endpoints that it and other programs call."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

import gradio as gr
from gradio.components import Component

from colorize_hub.demo.film.handlers import ClipHandlers
from colorize_hub.demo.photo.handlers import Handlers
from colorize_hub.demo.photo.prints import EXAMPLES, example_path

HERE = Path(__file__).parent
SCRIPTS = (
    "server.js",
    *(f"photo/{name}.js" for name in ("stage", "panel", "desk", "marking", "whole")),
    *(f"live/{name}.js" for name in ("link", "camera", "view", "live")),
    *("film/clip.js", "tabs.js"),
)
STYLES = ("photo/desk.css", "live/live.css", "film/clip.css")
COMPUTING = 2  # previews at the same time; torch uses all cores for each


def add_page(handlers: Handlers, clip_handlers: ClipHandlers, model: str = "") -> None:
    """Adds the tabs and their endpoints to the page that is being built.

    All is one HTML element with plain JavaScript. What the visitor did lives there, not on the
    server, and it calls the endpoints by name, as any client can.

    Args:
        handlers: of this page.
        clip_handlers: of this page.
        model: what to call the page's own model; empty is "built-in".
    """
    gr.HTML(
        html_template=_page_html(handlers, model),
        js_on_load=_page_script(),
        apply_default_css=False,
        elem_id="page-root",
    )
    _add_endpoints(handlers)
    _add_clip_endpoints(clip_handlers)


def page_css() -> str:
    """The style sheet of the tabs."""
    return "\n".join(_static(name) for name in STYLES)


def _page_html(handlers: Handlers, model: str) -> str:
    models = handlers.desk.models
    examples = "".join(
        f'<li><button type="button" class="example" data-stem="{stem}" title="{title}">'
        f'<img alt="{title}" width="96" height="72"></button></li>'
        for stem, title in EXAMPLES.items()
    )
    photo = Template(_static("photo/desk.html")).substitute(
        examples=examples,
        model=html.escape(model or "built-in"),
        model_names="user/model or a folder" if models.folders else "user/model",
    )
    own = models.get("").config.vividness
    live = Template(_static("live/live.html")).substitute(vividness=own)
    clip = Template(_static("film/clip.html")).substitute(vividness=own)
    return Template(_static("page.html")).substitute(photo=photo, live=live, clip=clip)


def _page_script() -> str:
    prints = [
        {"stem": stem, "title": title, "path": str(example_path(stem))}
        for stem, title in EXAMPLES.items()
    ]
    scripts = "\n".join(_static(name) for name in SCRIPTS)
    return f"const EXAMPLES = {json.dumps(prints)};\n{scripts}\nstartPage(element, EXAMPLES);"


def _static(name: str) -> str:
    return (HERE / name).read_text()


def _add_endpoints(handlers: Handlers) -> None:
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
    _endpoint(handlers.open_photo, [photo, hints, model], found)
    _endpoint(handlers.render, [photo, hints, model], found)
    _endpoint(handlers.suggest_colours, [photo, x, y, model], found)
    _endpoint(handlers.unsure, [photo, model], found)
    _endpoint(handlers.variations, [photo, hints, seed, model], found)
    _endpoint(handlers.borrow_palette, [photo, reference, hints, model], found)
    _endpoint(handlers.read_hints, [hints, width, height], found)
    _endpoint(handlers.use_model, [model], found, at_once=1, group="models")
    # One at a time: a large photo takes gigabytes.
    full_size = [photo, hints, vividness, model]
    _endpoint(handlers.colorize_with_hints, full_size, file, at_once=1, group="full-size")
    _endpoint(handlers.colorize, [photo, vividness], file, at_once=1, group="full-size")


def _add_clip_endpoints(handlers: ClipHandlers) -> None:
    clip = gr.File(label="Clip", visible=False)
    job = gr.Textbox("", label="Job", visible=False)
    vividness = gr.Number(None, label="Vividness", minimum=0, maximum=1, visible=False)
    smoothing = gr.Number(0.8, label="Steadiness", minimum=0, maximum=1, visible=False)
    model = gr.Textbox("", label="Model", visible=False)
    found = gr.JSON(label="Result", visible=False)
    file = gr.File(label="Colour, MP4", visible=False)
    _endpoint(handlers.start_clip, [clip, vividness, smoothing, model], found, group="clips")
    _endpoint(handlers.clip_state, [job], found, at_once=8, group="clip states")
    _endpoint(handlers.clip_result, [job], file, group="clips")
    _endpoint(handlers.cancel_clip, [job], found, at_once=8, group="clip states")


def _endpoint(
    handler: Callable[..., Any],
    inputs: list[Component],
    output: Component,
    at_once: int = COMPUTING,
    group: str = "previews",
) -> None:
    gr.Button(visible=False).click(
        handler,
        inputs,
        output,
        preprocess=False,  # our reader opens the files, so that our messages reach the visitor
        show_progress="hidden",
        concurrency_id=group,
        concurrency_limit=at_once,
        api_name=handler.__name__,
    )


def _photo(label: str) -> gr.Image:
    return gr.Image(type="filepath", label=label, visible=False)


def _number(label: str) -> gr.Number:
    return gr.Number(None, label=label, visible=False)
