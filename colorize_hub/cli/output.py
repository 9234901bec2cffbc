"""What a command says and writes, whatever the names of files are."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from colorize_hub.atomic import write_atomically

_NO_TEXT = re.compile("[\ud800-\udfff]")  # bytes of a name that are no UTF-8, as Python has them


def show_any_name() -> None:
    """Print with a backslash escape what the terminal cannot show, in place of ending there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def check_report(path: Path | None) -> None:
    """Find before the work what would keep its report from being written.

    Raises:
        FileNotFoundError: there is no folder for it.
    """
    if path is not None and not path.parent.is_dir():
        raise FileNotFoundError(f"Cannot write {path}: create the folder {path.parent} first.")


def write_report(path: Path, facts: dict[str, Any]) -> None:
    r"""Write JSON that every parser takes: the byte 0xFC of a name becomes the text "\udcfc"."""
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    write_atomically(path, _NO_TEXT.sub(lambda one: rf"\\u{ord(one[0]):x}", text) + "\n")
