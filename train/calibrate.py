"""`python -m train.calibrate`: how sharply and how strongly a model's answer should be decoded.

PSNR rewards dull colour, so decoding is not chosen by PSNR alone. For each vividness the chroma
scale is found at which the pictures come out exactly as colourful as the true ones; of these
settings, all honest, the one with the best PSNR is taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from colorize_hub.atomic import write_atomically
from colorize_hub.colour.palette import decode_bins
from colorize_hub.engines.compose import color_lightness, pixels_to_lightness
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import load
from colorize_hub.network.config import ColorizerConfig
from train.judging.metrics import colorfulness, psnr
from train.judging.pictures import data_name, read_pictures, square, to_batch, to_grey
from train.run.command import check_writable, run_command

GRID = tuple(0.5 + step / 20 for step in range(11))  # below 0.5 is the 0.5 with less chroma

_MOST_SCALE = 4.0  # the largest chroma_scale that config.json may hold
_CLOSE = 0.05  # units of colourfulness
_TRIES = 8


@dataclass(frozen=True)
class CalibrateConfig:
    """Choose vividness and chroma_scale on held-out pictures and write them into config.json."""

    model: Path
    """Model folder; its config.json is rewritten."""
    data: str
    """Hub dataset id, folder of pictures, folder of parquet files, or one parquet file. Take
    pictures that the model was neither trained nor will be evaluated on."""
    column: str | None = None
    """Image column; found by itself when the dataset has only one."""
    split: str = "validation"
    """Split of a Hub dataset."""
    limit: int = 256
    """At most this many pictures, drawn with a fixed seed."""
    vividness: tuple[float, ...] = GRID
    """Values to try; give one to have only its chroma scale found."""


@dataclass(frozen=True)
class Trial:
    """One way of decoding, and how the pictures came out.

    Attributes:
        vividness: 0..1, see palette.temperature.
        chroma_scale: factor on the decoded ab.
        psnr: mean dB.
        delta_colorfulness: mean colourfulness minus that of the true pictures.
    """

    vividness: float
    chroma_scale: float
    psnr: float
    delta_colorfulness: float

    @property
    def balanced(self) -> bool:
        """Whether the pictures are as colourful as the true ones."""
        return abs(self.delta_colorfulness) <= 2 * _CLOSE


@dataclass(frozen=True)
class Calibration:
    """The decoding chosen, and one trial for each vividness.

    Attributes:
        vividness: for config.json.
        chroma_scale: for config.json.
        psnr_grey: mean dB of the grey pictures, to hold the trials against.
        trials: in the order of the grid.
    """

    vividness: float
    chroma_scale: float
    psnr_grey: float
    trials: tuple[Trial, ...]

    def table(self) -> str:
        """Return the trials as a Markdown table."""
        lines = [
            "| vividness | chroma scale | PSNR | minus grey | dCF | |",
            "|---|---|---|---|---|---|",
        ]
        for trial in self.trials:
            mark = "chosen" if trial.vividness == self.vividness else ""
            lines.append(
                f"| {trial.vividness:.2f} | {trial.chroma_scale:.3f} | {trial.psnr:.2f} "
                f"| {trial.psnr - self.psnr_grey:+.2f} | {trial.delta_colorfulness:+.2f} | {mark} |"
            )
        return "\n".join(lines)


def calibrate(
    colorizer: Colorizer, pictures: Iterable[np.ndarray], grid: Sequence[float] = GRID
) -> Calibration:
    """Find the vividness and chroma scale with the best PSNR at equal colourfulness.

    The network runs once for each picture; the trials repeat only what follows its answer.

    Args:
        colorizer: its own vividness and chroma_scale are ignored.
        pictures: (H, W, 3) uint8 sRGB; those that are not 256x256 go through `square`.
        grid: vividness values to try, 0..1.

    Raises:
        ValueError: there are no pictures, or no vividness of the grid reaches the colourfulness
            of the true pictures, as for a network that has learned nothing.
    """
    held_out = [_HeldOut.prepare(colorizer, square(picture), grid) for picture in pictures]
    if not held_out:
        raise ValueError("calibrate expects one or more pictures, got none.")
    true_colorfulness = float(np.mean([one.colorfulness for one in held_out]))
    trials: list[Trial] = []
    for index, vividness in enumerate(grid):
        start = trials[-1].chroma_scale if trials and trials[-1].balanced else 1.0
        score = _scorer(held_out, index, vividness)
        trials.append(_balance(score, start, true_colorfulness))
    balanced = [trial for trial in trials if trial.balanced]
    if not balanced:
        raise ValueError(
            f"No vividness of {tuple(grid)} with a chroma scale up to {_MOST_SCALE:g} is as "
            "colourful as the true pictures; the network has not learned colours yet. Train on."
        )
    best = max(balanced, key=lambda trial: trial.psnr)
    grey = float(np.mean([one.psnr_grey for one in held_out]))
    return Calibration(best.vividness, round(best.chroma_scale, 4), grey, tuple(trials))


def write_calibration(calibration: Calibration, folder: Path) -> None:
    """Put vividness and chroma_scale into a model folder's config.json, whole or not at all."""
    path = folder / "config.json"
    config = replace(
        ColorizerConfig.from_dict(json.loads(path.read_text())),
        vividness=calibration.vividness,
        chroma_scale=calibration.chroma_scale,
    )
    write_atomically(path, json.dumps(config.to_dict(), indent=2, sort_keys=True) + "\n")


def main() -> None:
    """Read the flags, calibrate, print what was tried and rewrite config.json."""
    run_command("train.calibrate", CalibrateConfig, _calibrate)


def _calibrate(config: CalibrateConfig) -> str:
    path = config.model / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"--model: {config.model} is no model folder (no config.json).")
    check_writable(config.model, "--model")
    pictures = read_pictures(config.data, config.split, config.column, config.limit)
    found = calibrate(load(config.model), pictures, config.vividness)
    print(f"{found.table()}\n{data_name(config.data)}, grey {found.psnr_grey:.2f} dB")
    write_calibration(found, config.model)
    return f"vividness {found.vividness}, chroma_scale {found.chroma_scale} written to {path}"


@dataclass(frozen=True)
class _HeldOut:
    """A picture with the network's answer, decoded at every vividness of the grid.

    Attributes:
        truth: (1, 3, H, W) uint8.
        lightness: (1, H, W) L* 0..100.
        ab: (V, 2, h, w) at stride 4, at chroma scale 1.
        colorfulness: of the truth.
        psnr_grey: dB.
    """

    truth: Tensor
    lightness: np.ndarray
    ab: Tensor
    colorfulness: float
    psnr_grey: float

    @classmethod
    def prepare(cls, colorizer: Colorizer, rgb: np.ndarray, grid: Sequence[float]) -> _HeldOut:
        grey = to_grey(rgb)
        canvas = colorizer.canvas(grey)
        logits, strength = canvas.logits(), canvas.strength.cpu()
        step = colorizer.config.bin_step
        ab = torch.cat([decode_bins(logits, step, vividness) for vividness in grid]).cpu()
        ab = ab * strength
        truth = to_batch([rgb])
        grey_rgb = torch.from_numpy(grey).expand_as(truth)
        return cls(
            truth=truth,
            lightness=pixels_to_lightness(grey[:, :, None]),
            ab=ab,
            colorfulness=float(colorfulness(truth)),
            psnr_grey=psnr(grey_rgb, truth),
        )

    def score(self, index: int, chroma_scale: float) -> tuple[float, float]:
        """(PSNR, colourfulness minus the truth's) at one vividness and chroma scale."""
        pixels = color_lightness(
            self.lightness, self.ab[index].numpy() * chroma_scale, np.dtype(np.uint8)
        )
        coloured = to_batch([pixels])
        difference = float(colorfulness(coloured)) - self.colorfulness
        return psnr(coloured, self.truth), difference


def _scorer(held_out: Sequence[_HeldOut], index: int, vividness: float) -> Callable[[float], Trial]:
    def score(chroma_scale: float) -> Trial:
        means = np.mean([one.score(index, chroma_scale) for one in held_out], axis=0)
        return Trial(vividness, chroma_scale, float(means[0]), float(means[1]))

    return score


def _balance(score: Callable[[float], Trial], start: float, true_colorfulness: float) -> Trial:
    """Return the trial nearest to the truth's colourfulness, which rises with the chroma scale.

    Secant steps, from above and below; without colour (scale 0) the colourfulness is 0.
    """
    low, high = (0.0, -true_colorfulness), None
    scale, trials = start, list[Trial]()
    for _ in range(_TRIES):
        trials.append(score(scale))
        here = scale, trials[-1].delta_colorfulness
        dull = here[1] < 0
        if abs(here[1]) <= _CLOSE or (dull and scale == _MOST_SCALE):
            break
        other = high if dull and high is not None else low
        rise = (here[1] - other[1]) / (here[0] - other[0])
        scale = min(scale - here[1] / rise, _MOST_SCALE) if rise > 0 else _MOST_SCALE
        low, high = (here, high) if dull else (low, here)
    return min(trials, key=lambda trial: abs(trial.delta_colorfulness))


if __name__ == "__main__":
    main()
