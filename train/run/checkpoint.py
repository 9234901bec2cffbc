"""Checkpoints: one safetensors file, replaced atomically, that holds all a run needs to go on.

Everything random follows from the seed and the step, so network, averaged weights, optimizer
state and the step are the whole state.
"""

import json
import time
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from colorize_hub.atomic import atomic_path, remove_leftovers
from train.run.config import TrainConfig

FILE_NAME = "checkpoint.safetensors"


@dataclass
class Progress:
    """What a run has done so far.

    Attributes:
        step: optimizer steps done.
        read: rows read from the stream, per process (streaming only).
        seconds: wall time spent in training.
    """

    step: int = 0
    read: tuple[int, ...] = ()
    seconds: float = 0.0


def save_checkpoint(
    folder: Path,
    network: torch.nn.Module,
    averaged: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    prior: Tensor,
    progress: Progress,
    settings: dict[str, object],
    critic: torch.nn.Module | None = None,
) -> None:
    """Write OUTPUT/checkpoint.safetensors: complete, or not at all.

    Args:
        folder: run folder.
        network: its state_dict is stored under "network.".
        averaged: EMA weights, stored under "averaged.".
        optimizer: its tensors are stored under "optimizer.<parameter>.<name>".
        prior: (Q,) bin prior the loss was weighted by.
        progress: stored in the header.
        settings: the `fingerprint`, which a resumed run must share, stored in the header.
        critic: of an adversarial run.
    """
    tensors = {f"network.{key}": value for key, value in network.state_dict().items()}
    tensors |= {f"averaged.{key}": value for key, value in averaged.items()}
    if critic is not None:
        tensors |= {f"critic.{key}": value for key, value in critic.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items()}
    tensors["prior"] = prior
    header = {"progress": json.dumps(vars(progress)), "fingerprint": json.dumps(settings)}
    tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    with atomic_path(folder / FILE_NAME, durable=True) as partial:
        save_file(tensors, partial, header)


def load_checkpoint(
    folder: Path,
    network: torch.nn.Module,
    averaged: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    settings: dict[str, object],
    critic: torch.nn.Module | None = None,
) -> tuple[Tensor, Progress]:
    """Restore what `save_checkpoint` wrote, in place; what a kill left half-written goes.

    Returns:
        The bin prior (Q,) and the progress.

    Raises:
        FileNotFoundError: there is no checkpoint in the folder.
        ValueError: it is unreadable, or belongs to a run with other settings.
    """
    path = folder / FILE_NAME
    remove_leftovers(folder, time.time())
    if not path.is_file():
        raise FileNotFoundError(f"--resume: there is no {path}. Start without --resume.")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        stored = json.loads(header["fingerprint"])
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"--resume: {path} is not a readable checkpoint ({error}).") from error
    changed = [
        f"--{key.replace('_', '-')} was {stored.get(key)}, is {value}"
        for key, value in json.loads(json.dumps(settings)).items()
        if stored.get(key) != value
    ]
    if changed:
        raise ValueError(
            f"--resume: {path} was made with other settings: {'; '.join(changed)}. Give the same "
            "flags as before, or another --output."
        )
    network.load_state_dict(_under("network.", tensors))
    if critic is not None:
        critic.load_state_dict(_under("critic.", tensors))
    for key, value in _under("averaged.", tensors).items():
        averaged[key].copy_(value)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _under("optimizer.", tensors).items():
        index, name = key.split(".")
        state.setdefault(int(index), {})[name] = _laid_out_like(parameters[int(index)], value)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    progress = json.loads(header["progress"])
    known = {field.name for field in fields(Progress)}
    progress = Progress(**{key: progress[key] for key in known & progress.keys()})
    progress.read = tuple(progress.read)
    return tensors["prior"], progress


def fingerprint(config: TrainConfig) -> dict[str, object]:
    """Return the settings that decide the weights: a resumed run must share them.

    The length may change: schedule and sizes then follow the new length from there on.
    """
    free = {
        "pictures",
        "output",
        "resume",
        "log",
        "evaluate_every",
        "save_every",
        "logit_adjustment",
        "push",
        "push_every",
        "private",
        "revision",
    }
    settings = {name: value for name, value in vars(config).items() if name not in free}
    return {k: str(v) if isinstance(v, Path) else v for k, v in settings.items()}


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """In the parameter's memory order: the fused AdamW on CPU pairs elements by where they lie."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, device="cpu").copy_(value)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
