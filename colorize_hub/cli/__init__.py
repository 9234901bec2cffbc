"""The command line, `colorize-hub COMMAND`: colour pictures, open the page, publish."""

import logging
import sys

import tyro

from colorize_hub.cli.export import export
from colorize_hub.cli.folder import folder
from colorize_hub.cli.output import show_any_name
from colorize_hub.cli.pictures import app, photo
from colorize_hub.cli.publishing import dataset, push, space
from colorize_hub.cli.shots import shots
from colorize_hub.cli.video import video
from colorize_hub.cli.web import web
from colorize_hub.errors import one_line

_ABOUT = """Colour for black-and-white photographs, on this computer.

Example: colorize-hub photo old.jpg   writes old-color.jpg beside it.
Each command has its own --help."""

_COMMANDS = {
    "photo": photo,
    "folder": folder,
    "video": video,
    "shots": shots,
    "app": app,
    "web": web,
    "push": push,
    "space": space,
    "dataset": dataset,
    "export": export,
}


def main() -> None:
    """Run the command that sys.argv asks for; exit 1 on an error, 2 on wrong usage."""
    show_any_name()
    logging.basicConfig(format="colorize-hub: %(message)s")
    try:
        tyro.extras.subcommand_cli_from_dict(
            _COMMANDS,
            prog="colorize-hub",
            description=_ABOUT,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except (OSError, ValueError, MemoryError, ModuleNotFoundError) as error:
        sys.exit(f"colorize-hub: {one_line(error)}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
