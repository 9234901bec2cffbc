"""`python -m train`: train a colorizer from any pictures."""

from train.run.command import run_command
from train.run.config import TrainConfig
from train.run.loop import train


def main() -> None:
    """Read the flags and train."""
    run_command("train", TrainConfig, _train)


def _train(config: TrainConfig) -> str | None:
    finished = train(config)
    return finished and f"Wrote {finished}"


if __name__ == "__main__":
    main()
