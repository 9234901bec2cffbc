"""Sources of photographs: a table of them, and the git repositories that hold them."""

import csv
import hashlib
import subprocess
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from colorize_hub.pictures.formats import is_read


@dataclass(frozen=True)
class Source:
    """Photographs of one kind in a git repository.

    Attributes:
        name: of its parquet file.
        repository: owner/name.
        prefix: how the paths of its pictures begin; "" takes all of them.
        exclude: a path that holds one of these, in any case, is left out.
        swapped: whether red and blue are swapped there.
    """

    name: str
    repository: str
    prefix: str = ""
    exclude: tuple[str, ...] = ()
    swapped: bool = False


def read_sources(path: Path, split: str | None = None) -> list[Source]:
    """Read the sources of a table, all of them or those of one split.

    Raises:
        ValueError: a column is missing, or a name stands there twice.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for column in ("name", "repository", "prefix"):
        if rows and column not in rows[0]:
            raise ValueError(f"{path} has no column {column!r}.")
    twice = [name for name, count in Counter(row["name"] for row in rows).items() if count > 1]
    if twice:
        raise ValueError(f"{path} has more than one source named {', '.join(twice)}.")
    return [
        Source(
            name=row["name"],
            repository=row["repository"],
            prefix=row["prefix"],
            exclude=tuple(part for part in (row.get("exclude") or "").lower().split(",") if part),
            swapped=row.get("channels") == "bgr",
        )
        for row in rows
        if split is None or (row.get("split") or "train") == split
    ]


def git_folder(repositories: Path, repository: str) -> Path:
    """Find the git directory of owner/name below a folder; clone it first if it is not there.

    Raises:
        CalledProcessError: it cannot be cloned.
    """
    clone = repositories / repository
    if not clone.exists():
        address = f"https://github.com/{repository}"
        subprocess.run(
            ["git", "clone", "--quiet", "--bare", "--depth", "1", address, str(clone)], check=True
        )
    return clone / ".git" if (clone / ".git").exists() else clone


def picture_files(git: Path, source: Source) -> Generator[bytes, None, None]:
    """Yield the contents of a source's pictures, in an order that looks random and never changes.

    Args:
        git: git directory of its repository; files that the clone lacks are left out.
        source: which of them.

    Raises:
        CalledProcessError: git cannot read the repository.
    """
    return _files(git, _blobs(git, source))


def _blobs(git: Path, source: Source) -> list[str]:
    """Ids of the pictures, shuffled by their hashes."""
    listed = subprocess.run(
        ["git", f"--git-dir={git}", "ls-tree", "-r", "-z", "HEAD"], capture_output=True, check=True
    )
    prefix, ids = source.prefix.lower(), set()
    for entry in listed.stdout.decode("utf-8", "replace").split("\0"):
        described, _, path = entry.partition("\t")
        path = path.lower()
        if (
            path.startswith(prefix)
            and is_read(path)
            and not any(part in path for part in source.exclude)
        ):
            ids.add(described.split()[2])
    return sorted(ids, key=lambda blob: hashlib.sha1(blob.encode()).digest())


def _files(git: Path, ids: list[str]) -> Generator[bytes, None, None]:
    """Contents of the blobs."""
    command = ["git", f"--git-dir={git}", "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        try:
            for blob in ids:
                reader.stdin.write(f"{blob}\n".encode())
                reader.stdin.flush()
                answer = reader.stdout.readline().split()
                if len(answer) != 3:
                    continue  # "missing"
                content = reader.stdout.read(int(answer[2]) + 1)[:-1]
                if answer[1] == b"blob":
                    yield content
        finally:
            reader.kill()
