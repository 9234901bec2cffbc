"""`colorize-hub push`, `space` and `dataset`: what goes to the Hugging Face Hub."""

# ruff: noqa: T201 - a command says what it did

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from colorize_hub.cli.flags import Flag


def push(
    folder: Annotated[Path, arg(metavar="FOLDER")],
    repo: Annotated[str, arg(metavar="USER/MODEL")],
    /,
    *,
    private: Flag = False,
    revision: Annotated[str | None, arg(metavar="B", help_behavior_hint="(default: main)")] = None,
    tag: Annotated[
        str | None, arg(metavar="T", help_behavior_hint="(default: the next of v1, v2, ...)")
    ] = None,
) -> None:
    """Publish a model on the Hugging Face Hub.

    Example: colorize-hub push runs/mine/model user/model

    The model is loaded first, and goes up only with a card and with metrics that are its own, as
    `python -m train.publish` writes them, in one commit. Sign in once with `hf auth login`.

    Args:
        folder: Folder of the model.
        repo: Repo to publish in; it is made if it does not exist.
        private: Make the new repo private.
        revision: Branch to publish on; only releases on main get a tag by themselves.
        tag: Tag of the release.
    """
    from colorize_hub.publish.release import push as push_model

    release = push_model(folder, repo, private=private, revision=revision, tag=tag)
    named = f', or load("{repo}", revision="{release.tag}")' if release.tag else ""
    print(f'Published {release.url}\nUse it: load("{repo}"){named}')


def space(
    repo: Annotated[str, arg(metavar="USER/SPACE")],
    /,
    *,
    model: Annotated[
        str | None, arg(metavar="USER/MODEL", help_behavior_hint="(default: the built-in model)")
    ] = None,
    private: Flag = False,
    static: Flag = False,
) -> None:
    """Publish the web page as a Space on the Hugging Face Hub.

    Example: colorize-hub space user/colorize --model user/model

    Run it in a clone of the project. Push again to bring the Space up to date.

    Args:
        repo: Space to publish in; it is made if it does not exist.
        model: Model on the Hub that the Space shows.
        private: Make the new Space private.
        static: Publish the page that colours on the visitor's own machine: it needs no server, and
            no clone.
    """
    if static:
        from colorize_hub.publish.static_space import push_static_space as push_page
    else:
        from colorize_hub.publish.space import push_space as push_page
    print(f"Published {push_page(repo, model=model, private=private)}")


def dataset(
    folder: Annotated[Path, arg(metavar="FOLDER")],
    repo: Annotated[str, arg(metavar="USER/DATASET")],
    /,
    *,
    private: Flag = False,
    license: Annotated[str | None, arg(metavar="L", help_behavior_hint="")] = None,
) -> None:
    """Publish a folder of pictures as a dataset, to train on with `python -m train --data`.

    Example: colorize-hub dataset my-pictures user/pictures --license cc-by-4.0

    The files go up as they are, with their metadata: place and time of a photograph too.

    Args:
        folder: Folder of pictures; folders in it are searched as well.
        repo: Dataset to publish in; it is made if it does not exist.
        private: Make the new dataset private.
        license: Licence of the pictures as the Hub spells it.
    """
    from colorize_hub.publish.picture_set import push_pictures

    done = push_pictures(folder, repo, private=private, license=license)
    for path in done.left_out:
        print(f"Left out, cannot be opened: {path}")
    print(f"Published {done.pictures} pictures: {done.url}")
