"""The web page, part of the ``app`` extra: `build_demo` makes it, one module a tab."""

from functools import partial

import gradio as gr

from colorize_hub.colorizer import Colorizer
from colorize_hub.demo.photo import photo_tab
from colorize_hub.demo.theme import CSS, make_theme

FILES_CHECKED_EVERY_S = 600
FILES_KEPT_S = 3600
MAX_UPLOAD = "200mb"


def build_demo(colorizer: Colorizer) -> gr.Blocks:
    """Builds the page; ``build_demo(load()).launch()`` serves it.

    Gradio takes looks and privacy from launch(), so the page carries them as defaults of its own
    launch(): no server-side rendering, no run history in the browser, uploads up to MAX_UPLOAD.

    Args:
        colorizer: colours the first example now, and every visitor's photos later.

    Returns:
        The page, not launched. Its API has one endpoint, ``/colorize``: from a photo and a
        vividness 0..1 to a PNG file of the same size.
    """
    with gr.Blocks(
        title="Colorize: colour for black-and-white photos",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(FILES_CHECKED_EVERY_S, FILES_KEPT_S),
    ) as demo:
        gr.HTML(
            "<h1>Colorize</h1><p>Drop in a black-and-white photo and see it in colour.</p>",
            elem_id="masthead",
            padding=False,
        )
        with gr.Tabs():
            photo_tab(demo, colorizer)
    demo.launch = partial(
        demo.launch,
        theme=make_theme(),
        css=CSS,
        footer_links=["api"],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        max_file_size=MAX_UPLOAD,
    )
    return demo
