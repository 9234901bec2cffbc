"""Colour for grey photographs.

>>> from colorize_hub import load
>>> load().colorize("old.jpg").save("old-color.png")  # doctest: +SKIP
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from colorize_hub.batch.files import colorize_file
    from colorize_hub.hints.hint import Hint
    from colorize_hub.inference.canvas import Canvas
    from colorize_hub.inference.colorizer import Colorizer
    from colorize_hub.inference.frames import Frame
    from colorize_hub.loading import load, save
    from colorize_hub.publish.release import push
from colorize_hub.version import __version__

# torch's threads wait for each other in a loop by default. Where they do not have the cores to
# themselves (a browser, a second model), that makes a picture up to ten times slower; asleep, they
# cost an idle machine next to nothing. OpenMP reads it once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = [
    "Canvas",
    "Colorizer",
    "Frame",
    "Hint",
    "__version__",
    "colorize_file",
    "load",
    "push",
    "save",
]

_HOME = {
    "Canvas": "inference.canvas",
    "Colorizer": "inference.colorizer",
    "Frame": "inference.frames",
    "Hint": "hints.hint",
    "colorize_file": "batch.files",
    "load": "loading",
    "push": "publish.release",
    "save": "loading",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use: torch takes seconds, and `colorize-hub --help` none."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
