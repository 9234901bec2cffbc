"""What a Hub stores: repos, their branches, tags and commits, and the files of a commit."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Blob:
    """The content of a file, kept in git itself or in LFS."""

    data: bytes
    lfs: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """What git holds for a file in LFS."""
        lines = ("version https://git-lfs.github.com/spec/v1", f"oid sha256:{self.sha256}")
        return "\n".join((*lines, f"size {len(self.data)}\n")).encode()

    @cached_property
    def oid(self) -> str:
        content = self.pointer if self.lfs else self.data
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def entry(self, path: str) -> dict[str, Any]:
        """The file as listings show it."""
        entry = {"type": "file", "path": path, "size": len(self.data), "oid": self.oid}
        if self.lfs:
            size = len(self.data)
            entry["lfs"] = {"oid": self.sha256, "size": size, "pointerSize": len(self.pointer)}
        return entry


@dataclass(frozen=True)
class Commit:
    """The files of a repo at one moment."""

    sha: str
    title: str
    parent: str | None
    files: dict[str, Blob]


@dataclass
class Repo:
    """A repo. A test may set `private` and `gated`, and commit anything; spaces have variables."""

    id: str
    private: bool = False
    gated: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def find(self, revision: str) -> Commit | None:
        """The commit of a branch, a tag or a full commit hash."""
        name = revision.removeprefix("refs/heads/")
        return self.commits.get(self.branches.get(name) or self.tags.get(name) or name)

    @property
    def head(self) -> Commit:
        """The newest commit of main."""
        return self.commits[self.branches["main"]]

    def commit(self, branch: str, title: str, files: dict[str, Blob]) -> Commit:
        """Make a commit that holds exactly `files` the newest of a branch."""
        parent = self.branches.get(branch)
        content = sorted((path, blob.oid) for path, blob in files.items())
        sha = hashlib.sha1(repr((self.id, parent, title, content)).encode()).hexdigest()
        self.commits[sha] = Commit(sha, title, parent, files)
        self.branches[branch] = sha
        return self.commits[sha]
