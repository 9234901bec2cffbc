"""The client of the Hugging Face Hub: checked files in, one atomic commit out. No torch."""

_MOVED = {"load": "colorize_hub", "save": "colorize_hub", "read_model": "colorize_hub.loading"}


def __getattr__(name: str) -> object:
    """Name the new place of what stood here.

    Raises:
        ImportError: it has moved.
        AttributeError: it never stood here.
    """
    if name in _MOVED:
        raise ImportError(f"colorize_hub.hub.{name} has moved: from {_MOVED[name]} import {name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
