"""How every command of train/ starts and ends."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

import tyro

from colorize_hub.errors import one_line

_Config = TypeVar("_Config")


def run_command(name: str, config: type[_Config], act: Callable[[_Config], str | None]) -> None:
    """Read the flags, act, and print what came of it.

    Exits with 2 on wrong usage and with 1, in one line, on what a person can mend: data, models and
    files that are missing, broken or cannot be written.

    Args:
        name: as it is typed, "train.evaluate".
        config: dataclass of the flags.
        act: gives what is to be printed at the end.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for talkative in ("httpx", "httpx2"):  # a line for every request to the Hub
        logging.getLogger(talkative).setLevel(logging.WARNING)
    try:
        done = act(tyro.cli(config, prog=f"python -m {name}"))
    except (OSError, ValueError) as error:
        sys.exit(f"python -m {name}: {one_line(error)}")
    except KeyboardInterrupt:
        sys.exit(130)
    if done is not None:
        print(done)


def check_writable(folder: Path, flag: str) -> None:
    """Make a folder if need be, and see before the work that its result can be written there.

    Raises:
        OSError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{flag}: {folder} cannot be written to ({error.strerror}); name another folder."
        ) from error
