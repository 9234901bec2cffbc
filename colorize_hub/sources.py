"""Where a model's files come from: a folder, or a repo on the Hub at one commit.

huggingface_hub is imported when a repo is asked for: it costs more than 0.1 s, and a folder needs
none of it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from colorize_hub.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"


class ModelError(ValueError):
    """A model that cannot be loaded, saved or pushed."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """There is no such folder, file, repo or revision."""


class Source(Protocol):
    """The files of one model; str() names it in messages."""

    def file(self, name: str) -> Path:
        """The path of a file of the model.

        Raises:
            ModelNotFoundError: the model has no such file.
            ModelError: the file cannot be had.
        """
        ...


@dataclass(frozen=True)
class Folder:
    """A folder as colorize_hub.save writes it."""

    path: Path

    def __str__(self) -> str:
        """Its name in messages."""
        return f"the folder {self.path}"

    def file(self, name: str) -> Path:
        """See Source.file."""
        path = self.path / name
        if not path.is_file():
            raise ModelNotFoundError(
                f"{self} has no file {name}. A model folder is written by colorize_hub.save: "
                f"{CONFIG}, {WEIGHTS} and, to be pushed, {CARD}."
            )
        return path


@dataclass(frozen=True)
class Repo:
    """A repo at one commit, so that a push between two downloads cannot mix two models."""

    client: "HfApi"
    repo_id: str
    commit: str
    local_files_only: bool

    def __str__(self) -> str:
        """Its name in messages."""
        return f"{self.repo_id} at commit {self.commit[:12]}"

    def file(self, name: str) -> Path:
        """See Source.file."""
        with hub_errors(self.repo_id, self.commit, name):
            return _download(self.client, self.repo_id, name, self.commit, self.local_files_only)


def find(
    name_or_path: str | os.PathLike[str],
    revision: str | None,
    token: str | bool | None,
    local_files_only: bool,
) -> Source:
    """The folder of that name if there is one, else the repo, its revision resolved to a commit.

    Raises:
        ModelNotFoundError: neither exists, or the revision does not.
        ModelError: a file in place of a folder, a revision of a folder, or the Hub's refusal.
    """
    path = Path(name_or_path).expanduser()
    if name_or_path != "" and os.path.isdir(path):
        if revision is not None:
            raise ModelError(
                f"{path} is a folder here, and a folder has no revision {revision!r}. Leave "
                f"revision out, or run where no folder has the name of the repo."
            )
        return Folder(path)
    if os.path.isfile(path):
        raise ModelError(
            f"load expects the folder that holds {CONFIG} and {WEIGHTS}, but {path} is a file."
        )
    if not isinstance(name_or_path, str):
        raise ModelNotFoundError(f"There is no folder {path}.")
    check_repo_id(name_or_path)
    client = hub_client(token)
    with hub_errors(name_or_path, revision, CONFIG):
        commit = _resolve(client, name_or_path, revision, local_files_only)
    return Repo(client, name_or_path, commit, local_files_only)


def check_repo_id(name: str) -> None:
    """Refuse what cannot be "user/model".

    Raises:
        ModelNotFoundError: it cannot.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    reason = None
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        reason = error
    if reason or "/" not in name:
        raise ModelNotFoundError(
            f"There is no folder {name!r} here, and it cannot be a repo on the Hub, whose name "
            f'is written "user/model".'
        ) from reason


def hub_client(token: str | bool | None) -> "HfApi":
    """A client that tells the Hub which library asks."""
    from huggingface_hub import HfApi

    return HfApi(token=token, library_name="colorize-hub", library_version=__version__)


def _resolve(client: "HfApi", repo_id: str, revision: str | None, local_files_only: bool) -> str:
    if hasattr(client, "resolve_revision"):
        found = client.resolve_revision(
            repo_id, revision=revision, local_files_only=local_files_only
        )
        return found.resolved
    # huggingface_hub 1: cached files lie in a folder named after their commit.
    return _download(client, repo_id, CONFIG, revision, local_files_only).parent.name


def _download(
    client: "HfApi", repo_id: str, name: str, revision: str | None, local_files_only: bool
) -> Path:
    return Path(
        client.hf_hub_download(repo_id, name, revision=revision, local_files_only=local_files_only)
    )


@contextmanager
def hub_errors(repo_id: str, revision: str | None, file: str | None = None) -> Iterator[None]:
    """Turn whatever the Hub's client raises into one ModelError that says what to do.

    Args:
        repo_id: the repo that the client is asked about.
        revision: of it; None is main.
        file: asked for, if any.

    Raises:
        ModelNotFoundError: no such repo, revision or file.
        ModelError: anything else the client raises.
    """
    try:
        yield
    except Exception as error:  # of the client, httpx, hf_xet or the disk: they share no base
        raise _explain(error, repo_id, revision or "main", file) from error


def _explain(error: Exception, repo_id: str, revision: str, file: str | None) -> ModelError:
    from huggingface_hub import errors

    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    sign_in = "run `hf auth login` or pass token="
    match error:
        case errors.GatedRepoError():
            page = f"https://huggingface.co/{repo_id}"
            return ModelError(f"{repo_id} is gated: accept its terms at {page}, then {sign_in}.")
        case errors.RepositoryNotFoundError():
            return ModelNotFoundError(
                f"The Hub shows no model repo {repo_id}, and there is no folder of that name "
                f"here. If the repo is private, {sign_in}."
            )
        case errors.RevisionNotFoundError():
            return ModelNotFoundError(
                f"{repo_id} has no revision {revision}; name a branch, a tag or a full commit hash."
            )
        case errors.RemoteEntryNotFoundError():
            return ModelNotFoundError(
                f"{repo_id} has no file {file} at revision {revision}. A model repo is made by "
                f"colorize_hub.save and push."
            )
    if status in (401, 403):
        return ModelError(f"The Hub refused access to {repo_id} ({reason}): {sign_in}.")
    if status == 412:
        return ModelError(f"Somebody else pushed to {repo_id} meanwhile; look, then push again.")
    if file is not None:
        return ModelError(
            f"{file} of {repo_id} at revision {revision} is not in this machine's cache and could "
            f"not be fetched: {reason} Load it once while the Hub can be reached, or load a folder."
        )
    return ModelError(f"The Hub did not take the files for {repo_id}: {reason}")
