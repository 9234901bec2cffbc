"""Small pictures, small data sets and small runs for the tests of train/."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from train.data.examples import Example, Share, open_training_data, training_batches
from train.run.config import TrainConfig
from train.run.loop import train

ROOT = Path(__file__).parents[2]
TINY: dict[str, Any] = {
    "encoder": "mobilenetv3_small_050",
    "encoder_weights": "none",
    "decoder_channels": (16, 16, 8, 8),
    "pictures": 160,
    "batch": 4,
    "sizes": (32, 64),
    "phases": (0.5, 0.5),
    "unfreeze": 0.75,
    "warmup": 5,
    "validation": 4,
    "save_every": 2,
    "log": "none",
    "precision": "fp32",
}


def tiny(data: Path | str, output: Path, **changes: Any) -> TrainConfig:
    """Settings of a tiny run."""
    return TrainConfig(str(data), output, **(TINY | changes))


def batch_of(data: Path | str, config: TrainConfig) -> Example:
    """The first batch of a run."""
    return next(training_batches(open_training_data(config, Share()), Share(), 0, 0, config))


def picture(seed: int, height: int = 72, width: int = 80) -> Image.Image:
    """Soft blobs of strong colours."""
    random = np.random.default_rng(seed)
    blobs = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC)


def grey_picture() -> Image.Image:
    return picture(0).convert("L").convert("RGB")


def encoded(image: Image.Image, kind: str = "png") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def write_folder(folder: Path, seeds: Sequence[int]) -> Path:
    for seed in seeds:
        path = folder / f"album {seed % 2}" / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(seed).save(path)
    return folder


def write_parquet(path: Path, images: Sequence[bytes | None], column: str = "image") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[Any]] = {"number": list(range(len(images))), column: list(images)}
    features = datasets.Features({"number": datasets.Value("int64"), column: datasets.Image()})
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path)
    return path


def write_blobs(folder: Path, count: int) -> Path:
    """So many different pictures in one parquet file."""
    return write_parquet(folder / "pictures.parquet", [encoded(picture(n)) for n in range(count)])


def train_here(data: Path, output: Path, **changes: Any) -> Path | None:
    """A tiny run in this process, on one thread as in `Run`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(tiny(data, output, **changes))
    finally:
        torch.set_num_threads(threads)


def losses(output: Path) -> dict[int, float]:
    """Loss by step, of a run that may still be writing."""
    path = output / "loss.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return {line["step"]: line["loss"] for line in map(json.loads, lines)}


def weights(output: Path) -> dict[str, Tensor]:
    return load_file(output / "model" / "model.safetensors")


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def flags(data: Path | str, output: Path, **changes: Any) -> list[str]:
    """The command line of a tiny run."""
    written: list[str] = []
    for name, value in ({"data": data, "output": output} | TINY | changes).items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            written += [f"--{flag}" if value else f"--no-{flag}"]
        else:
            values = value if isinstance(value, tuple) else (value,)
            written += [f"--{flag}", *map(str, values)]
    return written


def environment(cache: Path) -> dict[str, str]:
    """Environment of a process that keeps its cache in a folder, on one thread, offline."""
    return os.environ | {
        "HF_HOME": str(cache),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }


def run(
    data: Path,
    output: Path,
    cache: Path,
    at: tuple[str, int, str] | None = None,
    **changes: Any,
) -> subprocess.CompletedProcess[str]:
    """A tiny `python -m train`, interrupted `at` a signal, step and place of `signalled_run`."""
    command = ["train"] if at is None else ["tests.train.signalled_run", *map(str, at)]
    return subprocess.run(
        [sys.executable, "-m", *command, *flags(data, output, **changes)],
        env=environment(cache),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        start_new_session=True,  # a process group of its own
    )
