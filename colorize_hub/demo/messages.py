"""What goes wrong with a visitor's files, as messages for the visitor."""

import html
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.route_utils import API_PREFIX
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from colorize_hub.demo.arguments import shown
from colorize_hub.loading import ModelError

File = dict[str, Any] | None


def path_of(file: File, folders: Sequence[Path] | None = None) -> str:
    """Path of a file as Gradio names it.

    Args:
        file: of a visitor. Gradio checks only the paths of files that say they are uploads.
        folders: where visitors' files lie; None takes any path, for callers on this machine.

    Raises:
        gr.Error: there is none, or it lies elsewhere. Whether there is such a file is not told.
    """
    if not file:
        raise visitor_error("Drop a photo, paste one, or choose a file.")
    path = file.get("path") if isinstance(file, dict) else None
    if not isinstance(path, str) or not path:
        raise visitor_error(
            f"A file is named {{'path': ..}}, as its upload says; got {shown(file)}."
        )
    if folders is not None:
        try:
            place = Path(path).resolve()
        except (ValueError, OSError) as error:  # no path at all
            raise _gone(Path(path).name) from error
        if not any(place.is_relative_to(folder.resolve()) for folder in folders):
            raise _gone(place.name)
    return path


@contextmanager
def messages_for(path: str | None = None) -> Iterator[None]:
    """Turn what goes wrong inside into a message, without the server's paths.

    Args:
        path: of the photo at work, if there is one.

    Raises:
        gr.Error: in place of what was raised.
    """
    name = Path(path).name if path else "The photo"
    try:
        yield
    except ModelError as error:
        raise visitor_error(_short(str(error))) from error
    except FileNotFoundError as error:
        raise _gone(name) from error
    except MemoryError as error:
        raise visitor_error(f"{name} needs more memory than there is.") from error
    except (ValueError, OSError) as error:  # PictureError, RequestError, a number out of range
        message = str(error).replace(path, name) if path else str(error)
        raise visitor_error(message) from error


def _gone(name: str) -> gr.Error:
    return visitor_error(f"{name} is no longer kept here; open it again.")


def _short(message: str) -> str:
    """Return a model's message without what is in brackets: addresses and folders of the server."""
    return textwrap.shorten(re.sub(r" ?\([^()]*\)", "", message), 240, placeholder=" …")


async def refuse_call(request: Request, error: Exception) -> Response:
    """Answer a call that fits no endpoint, which Gradio would log as a fault of its own.

    Raises:
        Exception: the error itself, where nothing was called.
    """
    called = request.url.path.partition(f"{API_PREFIX}/call/")[2]
    if not called:
        raise error
    reason = " ".join(map(str, error.args))
    message = f"{called} cannot be called like this: {reason} See {API_PREFIX}/info."
    return JSONResponse({"error": message}, 400)


def visitor_error(message: str) -> gr.Error:
    """Return an error for the page to show; escaped, as Gradio's clients show it as HTML."""
    return gr.Error(html.escape(message, quote=False), duration=15, print_exception=False)
