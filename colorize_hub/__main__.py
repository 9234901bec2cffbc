"""`python -m colorize_hub`: the same as `colorize-hub`."""

from colorize_hub.cli import main

main()
