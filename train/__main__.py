"""`python -m train`: train a colorizer from any pictures."""

import logging
import sys

import tyro

from train.run.config import TrainConfig
from train.run.loop import train


def main() -> None:
    """Read the flags and train."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for talkative in ("httpx", "httpx2"):  # a line for every request to the Hub
        logging.getLogger(talkative).setLevel(logging.WARNING)
    try:
        finished = train(tyro.cli(TrainConfig, prog="python -m train"))
    except (OSError, ValueError) as error:
        sys.exit(f"python -m train: {error}")
    if finished is not None:
        logging.getLogger(__name__).info("Wrote %s", finished)


if __name__ == "__main__":
    main()
