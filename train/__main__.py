"""`python -m train`: train a colorizer from any pictures."""

import logging

import tyro

from train.config import TrainConfig
from train.loop import train


def main() -> None:
    """Read the flags and train."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    finished = train(tyro.cli(TrainConfig, prog="python -m train"))
    logging.getLogger(__name__).info("Wrote %s", finished)


if __name__ == "__main__":
    main()
