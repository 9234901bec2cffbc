"""`python -m train.strength`: teach a finished model where it knows nothing.

Its colours are to be near grey in scenes of nothing, as strong as they are in photographs, and no
more colourful than the truth in any kind of them. What is fitted is the logistic function of
colorize_hub/network/strength.py, by the network's answers to photographs of many sources and to
generated scenes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorize_hub.atomic import write_atomically
from colorize_hub.colour.lab import fit_gamut, lab_to_rgb
from colorize_hub.colour.palette import decode_bins
from colorize_hub.colour.resizing import cell_means
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.loading import read_model
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.strength import log_spread
from colorize_hub.network.working import working_shape
from train.data.flat_scenes import flat_scenes
from train.judging.metrics import colorfulness
from train.judging.pictures import read_pictures, square, to_batch, to_grey
from train.run.command import check_writable, run_command

_BALANCE = 0.02  # weight of the squared difference in colourfulness of a source
_PHOTOGRAPHS = 100.0  # weight of what photographs lose
_NOTHING = 0.3  # weight of the colourfulness of scenes of nothing beyond that of asphalt
_ASPHALT = 4.0  # colourfulness of what counts as grey: true asphalt and walls have some
_SMALL = 0.6  # weight of the squared coefficients
_FEW = 6  # pictures of a source that count for half
_START = 3.0  # strength 0.95
_FARTHEST = 6.0  # standard deviations from the mean photograph that count
_STEPS = 300


@dataclass(frozen=True)
class StrengthConfig:
    """Find the strength of colours on photographs of many sources; write it into config.json."""

    model: Path
    """Model folder, calibrated; its config.json is rewritten."""
    data: Path
    """Folder of parquet files, as train.gather writes them: each is a source of one kind."""
    limit: int = 22
    """At most this many pictures of each source, drawn with a fixed seed."""
    nothing: int = 150
    """Generated scenes of nothing."""


@dataclass(frozen=True)
class Answers:
    """What a network answers for N pictures.

    Attributes:
        spread: (N, C) of `log_spread`.
        colorful: (N, 2): their colourfulness at the strength s is about this . (s, s^2).
        truth: (N,) true colourfulness.
    """

    spread: Tensor
    colorful: Tensor
    truth: Tensor

    @classmethod
    def read(cls, engine: TorchEngine, pictures: Iterable[np.ndarray]) -> Answers:
        """Ask the network for (H, W, 3) uint8 pictures."""
        found = [_answer(engine, square(rgb)) for rgb in pictures]
        spread, colorful, truth = (torch.stack(part) for part in zip(*found, strict=True))
        return cls(spread, colorful, truth)

    def at(self, strength: Tensor) -> Tensor:
        """(N,) colourfulness at (N,) strengths."""
        return self.colorful[:, 0] * strength + self.colorful[:, 1] * strength.square()


def fit_strength(sources: Sequence[Answers], nothing: Answers) -> tuple[float, ...]:
    """Find the coefficients.

    Args:
        sources: photographs, one for each kind.
        nothing: scenes in which there is nothing to know.

    Returns:
        For config.json.
    """
    spread = torch.cat([one.spread for one in sources])
    mean, deviation = spread.mean(0), spread.std(0) + 1e-6
    count = torch.tensor([len(one.truth) for one in sources]).double()
    share = count / (count + _FEW)
    share /= share.sum()
    weights = torch.zeros(spread.shape[1], dtype=torch.double, requires_grad=True)
    offset = torch.tensor(_START, dtype=torch.double, requires_grad=True)
    inputs = [
        ((one.spread - mean) / deviation).clamp(-_FARTHEST, _FARTHEST)
        for one in (*sources, nothing)
    ]
    search = torch.optim.LBFGS([weights, offset], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        *kept, low = (torch.sigmoid(offset + one @ weights) for one in inputs)
        apart = [(one.at(part) - one.truth).mean() for one, part in zip(sources, kept, strict=True)]
        total = _BALANCE * (share * torch.stack(apart).square()).sum()
        total = total + _PHOTOGRAPHS * (1 - torch.cat(kept)).square().mean()
        beyond = (nothing.at(low) - _ASPHALT).clamp_min(0)
        total = total + _NOTHING * beyond.mean() + _SMALL * weights.square().sum()
        total.backward()
        return total

    search.step(loss)  # pyright: ignore[reportArgumentType]
    scaled = weights.detach() / deviation
    found = [*scaled.tolist(), float(offset.detach() - (scaled * mean).sum())]
    return tuple(round(one, 4) for one in found)


def _answer(engine: TorchEngine, rgb: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Spread, colourfulness as of Answers, and true colourfulness of one picture."""
    grey, config = to_grey(rgb)[:, :, None], engine.config
    shape = working_shape(rgb.shape[0], rgb.shape[1], config.size)
    seen = engine.see(engine.lightness(engine.hold([grey]), shape))
    ab = decode_bins(seen.plain, config.bin_step, config.vividness, config.chroma_scale)
    lightness = cell_means(seen.lightness, tuple(ab.shape[2:]))
    half, whole = (
        colorfulness(lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, ab * part)), 1)))[0]
        for part in (0.5, 1)
    )
    curve = torch.stack((4 * half - whole, 2 * whole - 4 * half))
    truth = colorfulness(to_batch([rgb]))[0]
    return log_spread(seen.maps)[0].double(), curve, truth


def main() -> None:
    """Read the flags, fit, print the result and rewrite config.json."""
    run_command("train.strength", StrengthConfig, _fit)


def _fit(config: StrengthConfig) -> str:
    path = config.model / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"--model: {config.model} is no model folder (no config.json).")
    files = sorted(config.data.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(
            f"--data: {config.data} holds no parquet files; train.gather writes them."
        )
    check_writable(config.model, "--model")
    engine = TorchEngine(read_model(config.model), "cpu")
    sources = [
        Answers.read(engine, read_pictures(str(file), "train", limit=config.limit))
        for file in tqdm(files, unit=" sources")
    ]
    nothing = Answers.read(engine, flat_scenes(config.nothing))
    found = fit_strength(sources, nothing)
    values = ColorizerConfig.from_dict(json.loads(path.read_text()))
    text = json.dumps(replace(values, strength=found).to_dict(), indent=2, sort_keys=True)
    write_atomically(path, f"{text}\n")
    return f"strength of colours by {len(sources)} sources written to {path}"


if __name__ == "__main__":
    main()
