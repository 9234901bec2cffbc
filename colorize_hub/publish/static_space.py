"""A Space of static files: the page that colours on each visitor's own machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from colorize_hub.errors import ModelError
from colorize_hub.hub.commits import Content, commit_files, open_branch
from colorize_hub.hub.remote import check_repo_id, hub_client, hub_errors, patiently
from colorize_hub.loading import read_model
from colorize_hub.web.site import site_files

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# Threads need a page that stands alone; these are the headers that a Space may set.
_HEADERS = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "cross-origin",
}
_SETTINGS = {
    "title": "Colorize",
    "emoji": "🎨",
    "colorFrom": "yellow",
    "colorTo": "blue",
    "sdk": "static",
    "app_file": "index.html",
    "short_description": "Colour for black-and-white photos, in your own browser",
    "tags": ["image-colorization", "image-to-image"],
    "license": "apache-2.0",
    "custom_headers": _HEADERS,
}


def push_static_space(
    repo_id: str,
    *,
    model: str | None = None,
    private: bool = False,
    token: str | bool | None = None,
) -> str:
    """Publish the static site as a Space, in one commit; push again to bring it up to date.

    The model's weights become part of the Space. Files of the Space that are not the site's own
    stay.

    Args:
        repo_id: "user/space"; made if it does not exist.
        model: "user/model" or a folder; None is the one that comes with the package.
        private: for a Space that is made now.
        token: None uses the one of `hf auth login`.

    Returns:
        The URL of the commit.

    Raises:
        FileNotFoundError: the runtime is not built, see `colorize_hub.web.build`.
        ModelNotFoundError: there is no such model.
        ModelError: the Hub refuses, somebody else pushed meanwhile, or the model is private and
            the Space is not.
        ModuleNotFoundError: the package `onnx` is missing.
    """
    check_repo_id(repo_id, "space")
    named = model if model is not None and not Path(model).is_dir() else None
    client = hub_client(token)
    if named is not None and not private:
        _check_public(client, named, repo_id)
    site = site_files(read_model(model), named or "")
    files: dict[str, Content] = {**site, "README.md": _readme(named)}
    folders = tuple({f"{name.partition('/')[0]}/" for name in site if "/" in name})
    with hub_errors(repo_id, None, kind="space"):
        parent = open_branch(client, repo_id, kind="space", private=private, sdk="static")
        done = commit_files(
            client,
            repo_id,
            files,
            parent=parent,
            message="Push the static Space with colorize_hub",
            kind="space",
            replacing=folders,
        )
    return done.commit_url


def _check_public(client: HfApi, model: str, repo_id: str) -> None:
    check_repo_id(model)
    with hub_errors(model, None):
        hidden = patiently(lambda: client.model_info(model)).private
    if hidden:
        raise ModelError(
            f"{model} is private, and everybody could take its weights from {repo_id}; nothing was "
            f"published. Make the Space private too, or the model public."
        )


def _readme(model: str | None) -> bytes:
    settings = _SETTINGS | ({"models": [model]} if model else {})
    front = "\n".join(
        f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items()
    )
    words = "Photographs are coloured on the visitor's own machine; none is sent anywhere."
    return f"---\n{front}\n---\n\n# Colorize\n\n{words}\n".encode()
