"""`python -m train.average`: the mean of the weights of several runs, which is better than each.

Runs that began from the same weights lie in one valley, and the mean of them deeper in it
("model soups", Wortsman et al. 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from colorize_hub.loading import read_model, save
from colorize_hub.network.colornet import ColorNet
from train.run.command import check_writable, run_command

_SHAPE = ("encoder", "decoder_channels", "bin_step")  # of a config, what weights depend on


@dataclass(frozen=True)
class AverageConfig:
    """Average the networks of finished models that began from the same weights."""

    models: tuple[Path, ...]
    """Model folders. The first one's config.json is kept: calibrate the result anew."""
    output: Path
    """Model folder to write."""
    shares: tuple[float, ...] | None = None
    """Of each model, of any sum; the same for all when left out."""
    attention: Path | None = None
    """Model folder whose attention to hints is kept as it is, to be trained further by
    train.attention; without it that is the mean too, if all models have it, else there is none."""
    half: bool = False
    """Store in float16."""


def average(networks: Sequence[ColorNet], shares: Sequence[float]) -> ColorNet:
    """Return the mean of the networks; the first one's config.

    Attention to hints is averaged too where all have it, of one width; else there is none.

    Args:
        networks: two or more of one shape.
        shares: of each, 0 or more, of any sum above 0.

    Raises:
        ValueError: they do not fit together.
    """
    if len(networks) < 2 or len(networks) != len(shares):
        raise ValueError(
            "average expects two or more models and a share for each, got "
            f"{len(networks)} and {len(shares)}."
        )
    if min(shares) < 0 or not sum(shares) > 0:
        raise ValueError(f"shares must be 0 or more and not all 0, got {tuple(shares)}.")
    first = networks[0].config
    for name in _SHAPE:
        values = [getattr(network.config, name) for network in networks]
        if any(value != values[0] for value in values):
            raise ValueError(f"models to be averaged must have one {name}, got {values}.")
    widths = {network.config.hint_attention for network in networks}
    width = widths.pop() if len(widths) == 1 else 0
    mean = ColorNet(replace(first, hint_attention=width, strength=()))
    weights = [network.state_dict() for network in networks]
    mean.load_state_dict({name: _mean(name, weights, shares) for name in mean.state_dict()})
    return mean.eval()


def _mean(name: str, weights: Sequence[dict[str, Tensor]], shares: Sequence[float]) -> Tensor:
    parts = [share * one[name].double() for share, one in zip(shares, weights, strict=True)]
    return (torch.stack(parts).sum(0) / sum(shares)).to(weights[0][name].dtype)


def with_attention_of(network: ColorNet, other: ColorNet) -> ColorNet:
    """Return the network with another one's attention to hints.

    Raises:
        ValueError: the other has none, or one to maps of another width.
    """
    if other.attention is None:
        raise ValueError("--attention: that model has no attention to hints.")
    grown = ColorNet(replace(network.config, hint_attention=other.config.hint_attention))
    kept = {f"attention.{name}": value for name, value in other.attention.state_dict().items()}
    try:
        grown.load_state_dict(network.state_dict() | kept)
    except RuntimeError as error:
        raise ValueError("--attention: that model's decoder ends in another width.") from error
    return grown.eval()


def main() -> None:
    """Read the flags, average and write."""
    run_command("train.average", AverageConfig, _average)


def _average(config: AverageConfig) -> str:
    networks = [read_model(folder) for folder in config.models]
    mean = average(networks, config.shares or [1.0] * len(networks))
    if config.attention is not None:
        mean = with_attention_of(mean, read_model(config.attention))
    check_writable(config.output, "--output")
    return f"Wrote {save(mean, config.output, half=config.half)}"


if __name__ == "__main__":
    main()
