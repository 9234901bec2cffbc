"""`python -m bench.gpu`: the product and its training on a GPU, in under four minutes.

Each part runs in a process of its own, with a limit on its time: one that hangs is reported and
not waited for. On a CPU it runs as well (--device cpu), to see that it does.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from PIL import Image
from safetensors.torch import save_file
from tyro.conf import arg

from bench.measures import make_photograph
from colorize_hub import load
from colorize_hub.network.config import OWN_ENCODER
from train.run.config import TrainConfig

_TURNS = 3
_NO_GPU = "There is no CUDA device here; --device cpu shows that it runs."


@dataclass(frozen=True)
class Part:
    """One line of the table.

    Attributes:
        what: is measured.
        unit: of the figure: something a second, or ms.
        limit: seconds for the whole process, its start included.
        measure: gives the figure for a device, from little work if quick.
    """

    what: str
    unit: str
    limit: int
    measure: Callable[[torch.device, bool], float]


def gpu(
    *,
    device: str = "cuda",
    quick: Annotated[bool, arg(help_behavior_hint="")] = False,
    only: tuple[str, ...] = (),
    here: Annotated[bool, arg(help_behavior_hint="")] = False,
) -> None:
    """Measure what a GPU makes of pictures, frames, a large scan and training.

    Args:
        device: "cuda", "cuda:1", "mps" or "cpu".
        quick: Little work, one turn: to see that it runs.
        only: Names of parts to measure; all when left out.
        here: Measure in this process, without a limit, and print bare figures.
    """
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        sys.exit(f"--only: there is no part {unknown[0]!r}; there are {', '.join(PARTS)}.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(_NO_GPU)
    chosen = {name: PARTS[name] for name in only or PARTS}
    if here:
        for part in chosen.values():
            print(part.measure(torch.device(device), quick))
        return
    print(f"{_machine(device)}, torch {torch.__version__}, {os.cpu_count()} cores\n", flush=True)
    failed = 0
    for name, part in chosen.items():
        words = ["--device", device, "--only", name, "--here", *(["--quick"] if quick else [])]
        found = measure_apart([sys.executable, "-m", "bench.gpu", *words], part.limit)
        failed += isinstance(found, str)
        figure = found if isinstance(found, str) else f"{found:,.4g} {part.unit}"
        print(f"{part.what:58} {figure}", flush=True)
    sys.exit(1 if failed else 0)


def measure_apart(command: Sequence[str], limit: float) -> float | str:
    """Run a command that prints a figure last, and all that it starts, for so many seconds.

    Returns:
        The figure, or in words why there is none.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"nothing after {limit:g} s: it hangs, or the machine is busy"
    if process.returncode:
        return f"fails: {(err.strip().splitlines() or ['without a word'])[-1]}"
    return float(out.split()[-1])


def _seconds(work: Callable[[], object], device: torch.device, quick: bool) -> float:
    """Median time of some work that has been done once before."""
    times = []
    for turn in range(1 if quick else 1 + _TURNS):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
        if turn == 0 and not quick:
            times.clear()
    return statistics.median(times)


def _network(device: torch.device, quick: bool) -> float:
    count, colorizer = 2 if quick else 256, load(device=device)
    lightness = torch.rand(count, 1, 256, 256, device=device) * 100
    return count / _seconds(lambda: colorizer.predict_ab(lightness), device, quick)


def _arrays(count: int, height: int, width: int) -> list[np.ndarray]:
    """Windows that move over a photograph."""
    photograph = np.asarray(make_photograph(1))
    steps = range(0, photograph.shape[1] - width)
    return [photograph[:height, i : i + width].copy() for i in islice(steps, count)]


def _list(device: torch.device, quick: bool) -> float:
    count, colorizer = 2 if quick else 256, load(device=device)
    arrays = _arrays(count, 256, 256)
    return count / _seconds(lambda: colorizer.colorize(arrays), device, quick)


def _one(device: torch.device, quick: bool) -> float:
    colorizer, [array] = load(device=device), _arrays(1, 256, 256)
    return 1000 * _seconds(lambda: colorizer.colorize(array), device, quick)


def _large(device: torch.device, quick: bool) -> float:
    colorizer = load(device=device)
    array = np.asarray(make_photograph(0.5 if quick else 12))
    return 1000 * _seconds(lambda: colorizer.colorize(array), device, quick)


def _frames(workers: int, device: torch.device, quick: bool) -> float:
    colorizer, frames = load(device=device), _arrays(2 if quick else 96, 480, 640)

    def work() -> list[np.ndarray | Image.Image]:
        return list(colorizer.colorize_frames(frames, smoothing=0.8, workers=workers))

    return len(frames) / _seconds(work, device, quick)


def _losses(folder: Path, quick: bool) -> TrainConfig:
    """Every loss there is, on everything trained, from random weights."""
    import timm  # late: the other parts start in half the time without it

    weights = folder / "backbone.safetensors"
    save_file(timm.create_model(OWN_ENCODER, pretrained=False).state_dict(), weights)
    batch, size = (4, 64) if quick else (256, 128)
    return TrainConfig(
        data=str(folder / "pictures"),
        output=folder / "run",
        encoder_weights=str(weights),
        batch=batch,
        pictures=batch * (2 if quick else 20),
        sizes=(size,),
        phases=(1.0,),
        unfreeze=0.0,
        log_error=1.5,
        perception=3.0,
        adversarial=0.25,
        overview=0.5,
        wear=0.3,
        validation=0,
        log="none",
    )


def _step(device: torch.device, quick: bool) -> float:
    from bench.training_step import noise, step_of

    with tempfile.TemporaryDirectory() as folder:
        config = _losses(Path(folder), quick)
        step, batch = step_of(config, device), noise(config, config.sizes[0])
        return config.batch / _seconds(lambda: step(batch), device, quick)


def _train(packed: bool, device: torch.device, quick: bool) -> float:
    """Run the command itself: decoding, feeding, the start of CUDA and all."""
    from train.run.loop import train

    if device.type == "cpu":
        os.environ["ACCELERATE_USE_CPU"] = "true"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = replace(_losses(folder, quick), packed=packed)
        Path(config.data).mkdir()
        colours = np.random.default_rng(0)
        for number in range(config.batch):
            blobs = Image.fromarray(colours.integers(0, 256, (4, 4, 3), dtype=np.uint8))
            blobs.resize((192, 160)).save(folder / "pictures" / f"{number}.jpg", quality=95)
        started = time.perf_counter()
        train(config)
        return config.pictures / (time.perf_counter() - started)


PARTS = {
    "network": Part("network alone, 256 px, batch of 256", "pictures/s", 20, _network),
    "list": Part("list of 256 px arrays, in and out", "pictures/s", 25, _list),
    "one": Part("one 256 px array", "ms", 20, _one),
    "large": Part("12-megapixel array", "ms", 25, _large),
    "frames": Part("640x480 frames, smoothing 0.8", "frames/s", 30, partial(_frames, 1)),
    "frames-4": Part("the same with four workers", "frames/s", 25, partial(_frames, 4)),
    "step": Part("step of training with all losses, 128 px", "pictures/s", 30, _step),
    "train": Part("python -m train, 20 steps and start", "pictures/s", 30, partial(_train, False)),
    "packed": Part("the same with --packed", "pictures/s", 30, partial(_train, True)),
}


def _machine(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


if __name__ == "__main__":
    tyro.cli(gpu, prog="python -m bench.gpu", config=(tyro.conf.FlagCreatePairsOff,))
