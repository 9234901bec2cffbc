"""`colorize-hub web`: the page as static files."""

# ruff: noqa: T201 - a command says what it did

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from colorize_hub.cli.flags import ModelName


def web(
    folder: Annotated[Path, arg(metavar="OUT")],
    /,
    *,
    model: ModelName = None,
) -> None:
    """Write the web page as static files that colour on the visitor's own machine.

    Example: colorize-hub web site && python -m http.server --directory site

    Any web server can serve them, at any path. No photo leaves the visitor's machine, and after the
    first visit the page works without the network.

    Args:
        folder: Folder to write to. What is in it from an earlier site is replaced.
    """
    from colorize_hub.loading import read_model
    from colorize_hub.web.site import write_site

    try:
        page = write_site(read_model(model), folder, model or "")
    except ModuleNotFoundError as error:
        raise ValueError(str(error)) from error
    print(f"Wrote {page}\nLook at it: python -m http.server --directory {folder}")
