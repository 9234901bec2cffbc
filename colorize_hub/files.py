"""Moved: `colour_file` is `colorize_hub.colorize_file`."""

raise ImportError("colorize_hub.files has moved: from colorize_hub import colorize_file")
