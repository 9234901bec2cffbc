"""Where a model's files come from: a folder, or a repo on the Hub at one commit."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.remote import (
    DamagedFileError,
    check_repo_id,
    hub_client,
    hub_errors,
    patiently,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CONFIG, WEIGHTS = "config.json", "model.safetensors"
CARD, METRICS = "README.md", "metrics.json"
ON_THE_HUB = "hf://"  # before a name: no folder is meant
_GRAPHS = ("lab", "encoder", "decoder", "overview", "head", "colours", "render")
GRAPHS = {name: f"{name}.onnx" for name in _GRAPHS}
ATTENTION = "attention.onnx"  # of models that have one

_WEB_PAGE = "It is a web page: download the file itself, not the page that shows it."
_IMPOSTORS = {
    b"<!doctype": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"version https://git-lfs": "It is a Git LFS pointer: fetch the file with `git lfs pull`.",
    b"pk\x03\x04": "It is a zip archive or a pickle; only safetensors is read.",
}


class Source(Protocol):
    """The files of one model; str() names it in messages."""

    def file(self, name: str, most_bytes: int) -> Path:
        """Return the path of a file of the model.

        Args:
            name: of the file.
            most_bytes: a larger one is refused, before it is downloaded.

        Raises:
            ModelNotFoundError: the model has no such file.
            ModelError: the file cannot be had, or is too large.
        """
        ...


@dataclass(frozen=True)
class Folder:
    """A folder as colorize_hub.save writes it."""

    path: Path

    def __str__(self) -> str:
        """Its name in messages."""
        return f"the folder {self.path}"

    def file(self, name: str, most_bytes: int) -> Path:
        """See Source.file."""
        path = self.path / name
        if not path.is_file():
            raise ModelNotFoundError(
                f"{self} has no file {name}. A model folder is written by colorize_hub.save: "
                f"{CONFIG} and {WEIGHTS}, never a pickle."
            )
        _check_size(path.stat().st_size, most_bytes, f"{name} of {self}")
        return path


@dataclass(frozen=True)
class Repo:
    """A repo at one commit, so that a push between two downloads cannot mix two models."""

    client: HfApi
    repo_id: str
    commit: str
    local_files_only: bool

    def __str__(self) -> str:
        """Its name in messages."""
        return f"{self.repo_id} at commit {self.commit[:12]}"

    def file(self, name: str, most_bytes: int) -> Path:
        """See Source.file. What is downloaded, or was before, is checked against its hash."""
        with hub_errors(self.repo_id, self.commit, name):
            if self.local_files_only:
                path = self._download(name)
            else:
                found = patiently(lambda: self._describe(name))
                _check_size(found, most_bytes, f"{name} of {self}")
                path = patiently(lambda: self._download(name))
            _check_size(path.stat().st_size, most_bytes, f"{name} of {self}")
            return path

    def _describe(self, name: str) -> int | None:
        """Bytes of a file, as the Hub tells them before the download; None if it does not."""
        return self.client.hf_hub_download(
            self.repo_id, name, revision=self.commit, dry_run=True
        ).file_size

    def _download(self, name: str) -> Path:
        """Return the file in the cache; one that is not what its name there says is thrown away."""
        path = Path(
            self.client.hf_hub_download(
                self.repo_id,
                name,
                revision=self.commit,
                local_files_only=self.local_files_only,
            )
        )
        blob = path.parent / os.readlink(path) if path.is_symlink() else path
        if not _is_whole(blob):
            path.unlink(missing_ok=True)
            blob.unlink(missing_ok=True)
            raise DamagedFileError(
                f"its content does not have the hash {blob.name[:12]} that the Hub gives. Load it "
                f"again; if that fails too, the repo itself needs repair."
            )
        return path


def find(
    name_or_path: str | os.PathLike[str],
    revision: str | None,
    token: str | bool | None,
    local_files_only: bool,
) -> Source:
    """Find the folder of that name, else the repo, its revision resolved to a commit.

    "hf://user/model" is the repo, whatever folders there are.

    Raises:
        ModelNotFoundError: neither exists, or the revision does not.
        ModelError: a file in place of a folder, a revision of a folder, or the Hub's refusal.
    """
    if isinstance(name_or_path, str) and name_or_path.startswith(ON_THE_HUB):
        return _find_repo(name_or_path[len(ON_THE_HUB) :], revision, token, local_files_only)
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
    return _find_repo(name_or_path, revision, token, local_files_only)


def _find_repo(
    name: str, revision: str | None, token: str | bool | None, local_files_only: bool
) -> Source:
    check_repo_id(name)
    client = hub_client(token)
    with hub_errors(name, revision, CONFIG):
        commit = patiently(lambda: _resolve(client, name, revision, local_files_only))
    return Repo(client, name, commit, local_files_only)


def is_exported(source: Source) -> bool:
    """Whether a source is a folder with a model in ONNX, and without the weights for torch."""
    if not isinstance(source, Folder):
        return False
    has_graphs = any((source.path / file).is_file() for file in GRAPHS.values())
    return has_graphs and not (source.path / WEIGHTS).is_file()


def impostor(path: Path) -> str:
    """Return a hint at what a broken file really is."""
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    known = (hint for magic, hint in _IMPOSTORS.items() if start.startswith(magic))
    return next(known, "Download or save it again.")


def _resolve(client: HfApi, repo_id: str, revision: str | None, local_files_only: bool) -> str:
    if hasattr(client, "resolve_revision"):
        found = client.resolve_revision(
            repo_id, revision=revision, local_files_only=local_files_only
        )
        return found.resolved
    # huggingface_hub 1: cached files lie in a folder named after their commit.
    config = client.hf_hub_download(
        repo_id, CONFIG, revision=revision, local_files_only=local_files_only
    )
    return Path(config).parent.name


def _check_size(found: int | None, most: int, name: str) -> None:
    if found is not None and found > most:
        raise ModelError(
            f"{name} has {found:,} bytes, but no more than {most:,} belong there; it was not read."
        )


def _is_whole(blob: Path) -> bool:
    """Whether a file of the cache, named after its hash, still has it; True if it has no hash.

    Names are the SHA-256 of files in LFS and the git SHA-1 of others.
    """
    name = blob.name
    if blob.parent.name != "blobs" or len(name) not in (40, 64):
        return True  # a file system without links
    with blob.open("rb") as file:
        if len(name) == 64:
            return hashlib.file_digest(file, "sha256").hexdigest() == name
        content = file.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == name
