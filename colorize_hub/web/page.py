"""The HTML, style sheets and scripts that the Gradio page and the static site have in common.

Each tab keeps its files beside its Python in `demo`; they are read here, and nothing of it is
imported.
"""

import html
from collections.abc import Mapping
from pathlib import Path
from string import Template

from colorize_hub.web.prints import EXAMPLES

HERE = Path(__file__).parent
_DEMO = HERE.parent / "demo"
_LABELS = {"photo": "Photo", "live": "Live", "film": "Film"}


def read_part(name: str) -> str:
    """Return a file of the pages: "photo/desk.js" of a tab, "web/device.js" of the static site."""
    folder = HERE.parent if name.startswith("web/") else _DEMO
    return (folder / name).read_text(encoding="utf-8")


def page_html(tabs: Mapping[str, str], device: str = "") -> str:
    """Return the page.

    Args:
        tabs: HTML of each tab by its name, of _LABELS; the first is shown.
        device: HTML that says where the computing happens, and maybe lets it be chosen.
    """
    first = next(iter(tabs))
    buttons = "\n".join(
        f'<button type="button" role="tab" id="tab-{name}" aria-controls="{name}-tab" '
        f'aria-selected="{str(name == first).lower()}"{_apart(name, first, " tabindex=-1")}>'
        f"{_LABELS[name]}</button>"
        for name in tabs
    )
    panels = "\n".join(
        f'<div id="{name}-tab" role="tabpanel" aria-labelledby="tab-{name}"'
        f"{_apart(name, first, ' hidden')}>{panel}</div>"
        for name, panel in tabs.items()
    )
    return Template(read_part("page.html")).substitute(tabs=buttons, panels=panels, device=device)


def photo_html(model: str, model_names: str) -> str:
    """Return the Photo tab.

    Args:
        model: what to call the page's own model.
        model_names: what a visitor can type for another.
    """
    examples = "".join(
        f'<li><button type="button" class="example" data-stem="{stem}" title="{title}">'
        f'<img alt="{title}" width="96" height="72"></button></li>'
        for stem, title in EXAMPLES.items()
    )
    return Template(read_part("photo/desk.html")).substitute(
        examples=examples, model=html.escape(model), model_names=model_names
    )


def live_html(vividness: float, frames: str) -> str:
    """Return the Live tab.

    Args:
        vividness: the model's own.
        frames: a sentence on where the camera's frames go.
    """
    return Template(read_part("live/live.html")).substitute(vividness=vividness, frames=frames)


def _apart(name: str, first: str, attribute: str) -> str:
    return "" if name == first else attribute
