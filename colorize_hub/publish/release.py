"""Publishing a model: only what loads, only with the metrics that are its own, in one commit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.commits import Content, commit_files, open_branch
from colorize_hub.hub.remote import check_repo_id, hub_client, hub_errors, patiently
from colorize_hub.hub.sources import CARD, CONFIG, METRICS, WEIGHTS
from colorize_hub.loading import load, model_sha256
from colorize_hub.publish.model_card import HINT_PLOT, SAMPLES, renew_model_card
from colorize_hub.publish.provenance import PROVENANCE

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TRAINING = "training.json"
_REQUIRED = (CONFIG, WEIGHTS, CARD, METRICS)
_OPTIONAL = (TRAINING, PROVENANCE, SAMPLES, HINT_PLOT)
_EVALUATE = "Run `python -m train.publish` on the folder, then push again."


@dataclass(frozen=True)
class Release:
    """What was published.

    Attributes:
        url: of the commit.
        commit: its full hash.
        tag: that names it, if any.
    """

    url: str
    commit: str
    tag: str | None


def push(
    folder: str | PathLike[str],
    repo_id: str,
    *,
    private: bool = False,
    token: str | bool | None = None,
    revision: str | None = None,
    tag: str | None = None,
) -> Release:
    """Publish a model folder on the Hub, in one commit, after loading it as a user would.

    config.json, model.safetensors, README.md and metrics.json go up, and the record of the training
    and the card's pictures if present; other files of the repo stay. Of a card that was edited on
    the Hub, only the generated parts are renewed.

    Args:
        folder: a model with its card and its metrics, as train.publish writes it.
        repo_id: "user/model"; made if it does not exist.
        private: for a repo that is made now.
        token: None uses the one of `hf auth login`.
        revision: branch to push to, made if it does not exist; None is main.
        tag: that names the release; None is the next of v1, v2, ... on main, and none elsewhere.

    Raises:
        ModelNotFoundError: a file is missing from the folder, or the repo cannot be seen.
        ModelError: the folder does not load, its card has no metrics or another model's, the tag
            is taken, the Hub refuses, or somebody else pushed meanwhile.
    """
    check_repo_id(repo_id)
    folder = Path(folder).expanduser()
    card = _checked_card(folder, repo_id)
    files: dict[str, Content] = {
        name: folder / name for name in (*_REQUIRED, *_OPTIONAL) if (folder / name).is_file()
    }
    client = hub_client(token)
    with hub_errors(repo_id, revision):
        parent = open_branch(client, repo_id, private=private, revision=revision)
        tags = _tags(client, repo_id)
        if tag in tags:
            raise ModelError(
                f"{repo_id} has a tag {tag} already, of commit {tags[tag][:12]}; nothing was "
                f"published. Name another."
            )
        files[CARD] = _renewed(client, repo_id, parent, card).encode()
        done = commit_files(
            client,
            repo_id,
            files,
            parent=parent,
            message=f"Push {tag or 'model'} with colorize_hub",
            revision=revision,
        )
        if tag is None and revision in (None, "main") and done.oid not in tags.values():
            tag = _next_tag(tags)
        if tag is not None:
            _create_tag(client, repo_id, tag, done.oid)
    return Release(done.commit_url, done.oid, tag)


def _checked_card(folder: Path, repo_id: str) -> str:
    """Return the card of a folder that may be published."""
    for name in _REQUIRED:
        if not (folder / name).is_file():
            advice = "" if name in (CONFIG, WEIGHTS) else f" {_EVALUATE}"
            raise ModelNotFoundError(
                f"The folder {folder} has no file {name}. What is published needs "
                f"{', '.join(_REQUIRED)}.{advice}"
            )
    load(folder, device="cpu")
    metrics = _read_metrics(folder)
    if metrics.get("model_sha256") != model_sha256(folder):
        raise ModelError(
            f"{METRICS} of {folder} is not about these weights: {CONFIG} or {WEIGHTS} changed "
            f"after the evaluation, or it does not say what it is about. {_EVALUATE}"
        )
    card = (folder / CARD).read_text(encoding="utf-8")
    _check_results(card, metrics, folder)
    return card.replace('load(".")  # the folder of this file', f'load("{repo_id}")')


def _read_metrics(folder: Path) -> Mapping[str, object]:
    try:
        metrics = json.loads((folder / METRICS).read_bytes())
    except ValueError as error:
        raise ModelError(f"{METRICS} of {folder} is not JSON: {error}. {_EVALUATE}") from error
    if not isinstance(metrics, dict):
        raise ModelError(f"{METRICS} of {folder} should hold an object. {_EVALUATE}")
    return metrics


def _check_results(card: str, metrics: Mapping[str, object], folder: Path) -> None:
    """Refuse a card whose model-index is missing or tells other figures than metrics.json."""
    from huggingface_hub import ModelCard

    try:
        results = getattr(ModelCard(card).data, "eval_results", None) or []
    except Exception as error:  # of yaml or of the card's own checks
        raise ModelError(
            f"{CARD} of {folder} has no valid front matter: {str(error)[:200]} {_EVALUATE}"
        ) from error
    told = {result.metric_type: result.metric_value for result in results}
    told = {name: value for name, value in told.items() if name in metrics}
    if not told:
        raise ModelError(
            f"{CARD} of {folder} has no metrics in its model-index. A model is published only with "
            f"figures that say how good it is. {_EVALUATE}"
        )
    for name, value in told.items():
        if value != metrics[name]:
            raise ModelError(
                f"{CARD} of {folder} says {name} {value}, but {METRICS} says {metrics[name]}. "
                f"{_EVALUATE}"
            )


def _renewed(client: HfApi, repo_id: str, parent: str, card: str) -> str:
    """Return the card for the repo: the one that is there, with its generated parts renewed."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    try:
        there = patiently(lambda: client.hf_hub_download(repo_id, CARD, revision=parent))
    except RemoteEntryNotFoundError:
        return card
    return renew_model_card(Path(there).read_text(encoding="utf-8"), card)


def _tags(client: HfApi, repo_id: str) -> dict[str, str]:
    refs = patiently(lambda: client.list_repo_refs(repo_id))
    return {tag.name: tag.target_commit for tag in refs.tags}


def _next_tag(tags: Mapping[str, str]) -> str:
    numbers = [int(name[1:]) for name in tags if re.fullmatch(r"v\d{1,9}", name)]
    return f"v{max(numbers, default=0) + 1}"


def _create_tag(client: HfApi, repo_id: str, tag: str, commit: str) -> None:
    try:
        patiently(lambda: client.create_tag(repo_id, tag=tag, revision=commit))
    except Exception as error:  # the release is out all the same, so say so
        raise ModelError(
            f"{repo_id} has the files now, at commit {commit}, but the tag {tag} could not be made "
            f"({error}). Make it with `hf repo tag create {repo_id} {tag} --revision {commit}`."
        ) from error
