"""Files that appear whole or not at all: written under a name of their own, then renamed."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")


@contextmanager
def atomic_path(
    path: Path, scratch: Path | None = None, *, durable: bool = False
) -> Iterator[Path]:
    """Give the name of a new file that takes the place of ``path`` when the block ends.

    Whatever else ends the block, Ctrl-C too, removes the new file and leaves ``path`` as it was.
    Only a kill leaves it behind, for `remove_leftovers`.

    Args:
        path: file to write; an existing one is replaced.
        scratch: folder of the new file, on the same disk; None takes that of ``path``.
        durable: have the content on the disk before it gets its name, for files that must outlive
            a power cut.

    Raises:
        OSError: as writing does, for instance where the folder does not exist.
    """
    partial = (scratch or path.parent) / f".{secrets.token_hex(8)}.partial"
    try:
        yield partial
        if durable:
            with partial.open("rb") as written:
                os.fsync(written.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file, text as UTF-8, so that a reader sees the old one or the new one, never a part.

    Raises:
        OSError: as writing does; ``path`` is as it was.
    """
    with atomic_path(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def remove_leftovers(folder: Path, before: float) -> None:
    """Delete what a killed process left half-written in a folder.

    Args:
        folder: only what lies in it directly is looked at.
        before: time, as of time.time; newer files may be at work.
    """
    for path in folder.glob(".*.partial"):
        if _PARTIAL.fullmatch(path.name) and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
