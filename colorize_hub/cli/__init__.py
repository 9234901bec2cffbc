"""The command line, `colorize-hub COMMAND`: colour pictures, open the page, publish."""

import logging
import sys

import tyro

from colorize_hub.cli.pictures import app, photo
from colorize_hub.cli.publishing import dataset, push, space

_ABOUT = """Colour for black-and-white photographs, on this computer.

Example: colorize-hub photo old.jpg   writes old-color.png beside it.
Each command has its own --help."""

_COMMANDS = {"photo": photo, "app": app, "push": push, "space": space, "dataset": dataset}


def main() -> None:
    """Run the command that sys.argv asks for; exit 1 on an error, 2 on wrong usage."""
    logging.basicConfig(format="colorize-hub: %(message)s")
    try:
        tyro.extras.subcommand_cli_from_dict(
            _COMMANDS,
            prog="colorize-hub",
            description=_ABOUT,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except (OSError, ValueError) as error:
        sys.exit(f"colorize-hub: {_one_line(error)}")
    except KeyboardInterrupt:
        sys.exit(130)


def _one_line(error: OSError | ValueError) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    return " ".join(text.split())


if __name__ == "__main__":
    main()
