"""One commit on a repo of the Hub: all files or none, and only on what was there before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from colorize_hub.errors import ModelError
from colorize_hub.hub.remote import patiently

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, HfApi
    from huggingface_hub.hf_api import RepoFile

Content = bytes | Path
_CONFLICT = 412


def open_branch(
    client: HfApi,
    repo_id: str,
    *,
    kind: str = "model",
    private: bool = False,
    revision: str | None = None,
    sdk: str | None = None,
) -> str:
    """Return the newest commit of a branch; make repo and branch if they do not exist.

    Args:
        client: from remote.hub_client.
        repo_id: "user/name".
        kind: model, dataset or space.
        private: for a repo that is made now.
        revision: branch; None is main.
        sdk: of a space.

    Raises:
        ModelError: it should be private, but exists and is public.
    """
    patiently(
        lambda: client.create_repo(
            repo_id, repo_type=kind, private=private or None, exist_ok=True, space_sdk=sdk
        )
    )
    if revision is not None:
        patiently(
            lambda: client.create_branch(repo_id, branch=revision, repo_type=kind, exist_ok=True)
        )
    info = patiently(lambda: client.repo_info(repo_id, repo_type=kind, revision=revision))
    if private and not info.private:
        raise ModelError(
            f"{repo_id} should be private, but it exists and is public; nothing was published. "
            f"Leave private out, or change the repo's settings on the Hub."
        )
    return str(info.sha)


def commit_files(
    client: HfApi,
    repo_id: str,
    files: Mapping[str, Content],
    *,
    parent: str,
    message: str,
    kind: str = "model",
    revision: str | None = None,
    replacing: tuple[str, ...] = (),
) -> CommitInfo:
    """Publish files in one commit on top of `parent`, or not at all.

    Args:
        client: from remote.hub_client.
        repo_id: "user/name".
        files: content by path in the repo; those that have not changed are left out.
        parent: the commit that the branch has to be at.
        message: of the commit.
        kind: model, dataset or space.
        revision: branch; None is main.
        replacing: beginnings of paths; what is there under them and not in `files` is deleted.

    Returns:
        Of the new commit; of the branch's newest if nothing had changed.

    Raises:
        HfHubHTTPError: 412 if somebody else pushed meanwhile; others as the Hub gives them.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    removed: list[str] = []
    if replacing:
        there = patiently(lambda: client.list_repo_files(repo_id, repo_type=kind, revision=parent))
        removed = [path for path in there if path.startswith(replacing) and path not in files]

    def attempt(parent: str) -> CommitInfo:
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        return client.create_commit(
            repo_id,
            [*operations, *(CommitOperationDelete(path) for path in removed)],
            commit_message=message,
            repo_type=kind,
            revision=revision,
            parent_commit=parent,
        )

    try:
        return patiently(lambda: attempt(parent))
    except HfHubHTTPError as error:
        if error.response.status_code != _CONFLICT:
            raise
        # Perhaps it is our own commit, whose answer was lost on the way and which was tried again.
        newest = str(client.repo_info(repo_id, repo_type=kind, revision=revision).sha)
        if not _holds(client, repo_id, files, kind, newest):
            raise
        return attempt(newest)


def _holds(
    client: HfApi, repo_id: str, files: Mapping[str, Content], kind: str, commit: str
) -> bool:
    """Whether a commit has exactly this content in these files."""
    from huggingface_hub.hf_api import RepoFile

    found = client.get_paths_info(repo_id, list(files), revision=commit, repo_type=kind)
    stored = {file.path: file for file in found if isinstance(file, RepoFile)}
    return all(path in stored and _same(stored[path], files[path]) for path in files)


def _same(stored: RepoFile, content: Content) -> bool:
    data = content if isinstance(content, bytes) else content.read_bytes()
    if stored.lfs is not None:
        return stored.lfs.sha256 == hashlib.sha256(data).hexdigest()
    return stored.blob_id == hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
