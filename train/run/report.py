"""What a run shows: progress line, TensorBoard, contact sheets, and the finished model's facts."""

import json
import time
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import load, stamp_metrics
from colorize_hub.network.colornet import ColorNet
from train.calibrate import calibrate, write_calibration
from train.evaluate import evaluate, write_evaluation
from train.run.config import TrainConfig

_LOG_EVERY = 20
_JUDGED = 96  # pictures of an evaluation on the way; the finished model is judged on all


class Reporter:
    """Writes to OUTPUT/logs (TensorBoard), OUTPUT/samples and OUTPUT/loss.jsonl, one line a step.

    A resumed run appends to loss.jsonl: steps it does again stand there again. Silent unless
    `active`.
    """

    def __init__(
        self, config: TrainConfig, validation: list[np.ndarray], description: str, active: bool
    ) -> None:
        """Open the log.

        Args:
            config: of the run.
            validation: (H, W, 3) uint8 pictures held out of the training.
            description: of the data, shown first.
            active: False in all processes but the main one.
        """
        self._config, self._validation, self._active = config, validation, active
        self._mean_loss: float | None = None
        self._writer = None
        self._losses = config.output / "loss.jsonl"
        if active:
            if not config.resume:
                self._losses.unlink(missing_ok=True)
            tqdm.write(description)
            if config.log == "tensorboard":
                self._writer = SummaryWriter(str(config.output / "logs"))

    def loss(self, step: int, loss: float, bar: tqdm) -> None:
        """Note the loss of a step; shows its running mean."""
        previous = loss if self._mean_loss is None else self._mean_loss
        self._mean_loss = 0.98 * previous + 0.02 * loss
        if self._active:
            with self._losses.open("a") as losses:
                losses.write(json.dumps({"step": step, "loss": loss}) + "\n")
        if step % _LOG_EVERY == 0 and self._active:
            bar.set_postfix(loss=f"{self._mean_loss:.3f}", step=step)
            if self._writer is not None:
                self._writer.add_scalar("loss", self._mean_loss, step)

    def evaluate(self, step: int, network: ColorNet) -> None:
        """Score a network on held-out pictures and write a contact sheet of them."""
        if not (self._active and self._validation):
            return
        started = time.monotonic()
        found = evaluate(Colorizer(TorchEngine(network)), self._validation[:_JUDGED], "held out")
        write_evaluation(found, self._config.output / "samples" / f"step-{step:07d}")
        line = ", ".join(
            f"{name} {found.metrics[name]}"
            for name in ("psnr_minus_grey", "delta_colorfulness", "ciede2000")
        )
        tqdm.write(f"step {step}: {line} ({time.monotonic() - started:.0f} s)")
        if self._writer is not None:
            for name, value in found.metrics.items():
                if isinstance(value, float):
                    self._writer.add_scalar(f"held out/{name}", value, step)
            self._writer.add_image(
                "grey, ours, truth", np.asarray(found.sheet), step, dataformats="HWC"
            )
            self._writer.flush()

    def finish(self, folder: Path) -> None:
        """Calibrate the saved model on the held-out pictures, then judge it as it loads again."""
        if not (self._active and self._validation):
            return
        try:
            calibration = calibrate(load(folder), self._validation)
            write_calibration(calibration, folder)
            tqdm.write(calibration.table())
        except ValueError as error:
            tqdm.write(f"Not calibrated: {error}")
        write_evaluation(evaluate(load(folder), self._validation, "held out"), folder)
        stamp_metrics(folder)
