"""A Space on the Hub: the web page of this project, with a model of one's own."""

import io
import tomllib
from os import PathLike
from pathlib import Path

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.commits import Content, commit_files, open_branch
from colorize_hub.hub.remote import check_repo_id, hub_client, hub_errors, patiently
from colorize_hub.loading import read_config
from colorize_hub.network.config import OWN_ENCODER

ROOT = Path(__file__).parents[2]
MODEL_VARIABLE = "COLORIZE_MODEL"

_NEEDED = ("app.py", "requirements.txt", "README.md", "LICENSE")
_FOLDERS = ("colorize_hub", "docs")
_PROJECT = "pyproject.toml"  # read, not pushed: an installed project is another one
_LEFT_OUT = {"__pycache__", ".gradio"}


def push_space(
    repo_id: str,
    *,
    model: str | None = None,
    private: bool = False,
    token: str | bool | None = None,
    root: str | PathLike[str] = ROOT,
) -> str:
    """Publish the web page as a Gradio Space, in one commit; push again to bring it up to date.

    Files of the Space that are not the project's own stay.

    Args:
        repo_id: "user/space"; made if it does not exist.
        model: "user/model" that the Space shows; None is the one that comes with the package.
        private: for a Space that is made now.
        token: None uses the one of `hf auth login`.
        root: the project's folder, which holds app.py and requirements.txt.

    Returns:
        The URL of the commit.

    Raises:
        ModelNotFoundError: root is not the project's folder, or there is no such model.
        ModelError: the Hub refuses, or somebody else pushed meanwhile.
    """
    check_repo_id(repo_id, "space")
    files = space_files(Path(root))
    client = hub_client(token)
    hidden = False
    if model is not None:
        check_repo_id(model)
        with hub_errors(model, None):
            hidden = patiently(lambda: client.model_info(model)).private
        files |= files_for(model, read_config(model, token=token).encoder, Path(root))
    with hub_errors(repo_id, None, kind="space"):
        parent = open_branch(client, repo_id, kind="space", private=private, sdk="gradio")
        done = commit_files(
            client,
            repo_id,
            files,
            parent=parent,
            message="Push the Space with colorize_hub",
            kind="space",
            replacing=tuple(f"{folder}/" for folder in _FOLDERS),
        )
        if model is not None:
            patiently(lambda: client.add_space_variable(repo_id, MODEL_VARIABLE, model))
    if hidden:
        raise ModelError(
            f"{repo_id} is published, but {model} is private: add a token that may read it as the "
            f"secret HF_TOKEN in the Space's settings, or the Space cannot load it."
        )
    return done.commit_url


def space_files(root: Path) -> dict[str, Content]:
    """Return what a Space with the bundled model consists of, by path.

    Raises:
        ModelNotFoundError: root is not the project's folder.
    """
    missing = [name for name in (*_NEEDED, _PROJECT) if not (root / name).is_file()]
    if missing:
        raise ModelNotFoundError(
            f"A Space is pushed from the project's own folder, but {root} has no {missing[0]}. "
            f"Clone the project and run the command there."
        )
    files: dict[str, Content] = {name: root / name for name in _NEEDED}
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root)
            if path.is_file() and _LEFT_OUT.isdisjoint(inside.parts) and path.name[0] != ".":
                files[inside.as_posix()] = path
    return files


def files_for(model: str, encoder: str, root: Path) -> dict[str, Content]:
    """Return what a Space with another model has in place of the project's own files.

    Args:
        model: "user/model"; README.md names it, so that the Hub fetches it early.
        encoder: of the model; requirements.txt gets what one of timm's needs.
        root: the project's folder.
    """
    readme = _naming(model, (root / "README.md").read_text(encoding="utf-8"))
    if encoder == OWN_ENCODER:
        return {"README.md": readme}
    extras = tomllib.loads((root / _PROJECT).read_text(encoding="utf-8"))["project"]
    needed = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed += extras["optional-dependencies"]["encoders"]
    return {"README.md": readme, "requirements.txt": "\n".join(needed).encode() + b"\n"}


def _naming(model: str, readme: str) -> bytes:
    """Return a README whose front matter lets the Hub fetch the model when it builds the Space."""
    import yaml

    _, front, body = readme.split("---\n", 2)
    settings = yaml.safe_load(io.StringIO(front)) | {"models": [model], "preload_from_hub": [model]}
    front = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    return f"---\n{front}---\n{body}".encode()
