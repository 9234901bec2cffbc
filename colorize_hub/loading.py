"""A model as a folder or a repo on the Hugging Face Hub: loaded strictly, and saved.

Both hold config.json, which decides the whole network, and model.safetensors; never a pickle. A
repo is read at one commit, and no weight is used before all of them fit the network of config.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from colorize_hub.atomic import write_atomically
from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.sources import (
    CARD,
    CONFIG,
    METRICS,
    WEIGHTS,
    Source,
    find,
    impostor,
    is_exported,
)
from colorize_hub.network.config import ColorizerConfig, ConfigError

if TYPE_CHECKING:
    import torch

    from colorize_hub.inference.colorizer import Colorizer
    from colorize_hub.network.colornet import ColorNet

__all__ = [
    "ModelError",
    "ModelNotFoundError",
    "load",
    "model_sha256",
    "read_config",
    "read_model",
    "save",
    "stamp_metrics",
]

BUNDLED = Path(__file__).parent / "models" / "default"

_MOST_CONFIG = 2**16  # bytes


def load(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    device: str | torch.device | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
    backend: Literal["torch", "onnx"] | None = None,
) -> Colorizer:
    """Load a model, ready to colour.

    A model is data: nothing in it is executed, and what does not fit is refused before memory is
    spent on it. When the Hub cannot be reached, what was loaded before comes from the cache.

    Args:
        name_or_path: a folder as `save` writes it, or "user/model" on the Hub; a folder of that
            name goes first. None loads the model that comes with the package.
        revision: branch, tag or commit hash of the repo; None is its main branch.
        device: where to compute; None takes CUDA, then MPS, then the CPU.
        token: for private and gated repos; None uses the one of `hf auth login`.
        local_files_only: use what is cached and ask no server.
        backend: what computes. "onnx" is for a model that `colorize-hub export` wrote: it computes
            on the CPU with onnxruntime, faster than torch there, and never imports torch. None
            takes it for a folder that holds such a model and no other, and torch for the rest.

    Raises:
        ModelNotFoundError: there is no such folder, file, repo or revision.
        ModelError: the model is there but cannot be used, or the Hub cannot be reached.
        ModuleNotFoundError: what the backend needs is not installed.
        ValueError: there is no such backend or device, or the one does not compute on the other.
    """
    if backend not in (None, "torch", "onnx"):
        raise ValueError(f'backend must be "torch" or "onnx", got {backend!r}.')
    source = find(
        BUNDLED if name_or_path is None else name_or_path, revision, token, local_files_only
    )
    from colorize_hub.inference.colorizer import Colorizer

    config = _read_config(source)
    if backend == "onnx" or (backend is None and is_exported(source)):
        if device is not None and str(device) != "cpu":
            raise ValueError(f'backend "onnx" computes on the CPU, got device {device!r}.')
        from colorize_hub.engines.onnx_engine import OnnxEngine, OnnxNetwork

        return Colorizer(OnnxEngine(OnnxNetwork(source, config)))
    if sys.platform == "darwin":  # read when torch is imported; it warns of what it then does
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    try:
        from colorize_hub.engines.torch_engine import TorchEngine, find_device
        from colorize_hub.network.weights import read_network
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise ModuleNotFoundError(
            f"{source} needs {error.name}, which is not installed: pip install {error.name}, or "
            f"run `colorize-hub export FOLDER` where it is and load that folder.",
            name=error.name,
        ) from error

    if device is not None:
        find_device(device)  # said before the weights are downloaded
    return Colorizer(TorchEngine(read_network(source, config), device))


def read_config(
    name_or_path: str | os.PathLike[str], *, token: str | bool | None = None
) -> ColorizerConfig:
    """Return the config of a model, without its weights.

    Args and errors: as for `load`.
    """
    return _read_config(find(name_or_path, None, token, False))


def read_model(name_or_path: str | os.PathLike[str] | None = None) -> ColorNet:
    """Load the network of a model as it was saved, to be trained on or exported.

    Args and errors: as for `load`.
    """
    from colorize_hub.network.weights import read_network

    source = find(BUNDLED if name_or_path is None else name_or_path, None, None, False)
    return read_network(source, _read_config(source))


def save(
    network: ColorNet,
    folder: str | os.PathLike[str],
    *,
    card: str | None = None,
    half: bool = False,
) -> Path:
    """Write a model to a folder: config.json, model.safetensors and, if given, README.md.

    Each file is replaced as a whole. Equal weights give equal bytes.

    Args:
        network: on any device, in any precision.
        folder: made if missing; other files in it stay.
        card: text of README.md, see model_card.render_model_card.
        half: store float16 instead of float32: half the size, for a finished model.

    Returns:
        The folder.

    Raises:
        ModelError: there is a file where the folder should be.
        ValueError: half, and a weight is larger than float16 can hold.
    """
    from colorize_hub.network.weights import weights_bytes

    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"save writes a folder, but {folder} is a file; name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(network.config.to_dict(), indent=2, sort_keys=True) + "\n"
    write_atomically(folder / WEIGHTS, weights_bytes(network, half))
    write_atomically(folder / CONFIG, config)
    if card is not None:
        write_atomically(folder / CARD, card)
    return folder


def model_sha256(folder: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of config.json and model.safetensors together.

    metrics.json keeps it as "model_sha256", so that no model is published with another's figures.
    """
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS):
        content = (Path(folder) / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def stamp_metrics(folder: str | os.PathLike[str]) -> None:
    """Note in a model folder's metrics.json that it is about the weights and config there."""
    path = Path(folder) / METRICS
    metrics = json.loads(path.read_bytes()) | {"model_sha256": model_sha256(folder)}
    write_atomically(path, f"{json.dumps(metrics, indent=2)}\n")


def _read_config(source: Source) -> ColorizerConfig:
    path = source.file(CONFIG, _MOST_CONFIG)
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{CONFIG} of {source} is not JSON: {str(error)[:200]}. {impostor(path)}"
        ) from error
    try:
        return ColorizerConfig.from_dict(values)
    except ConfigError as error:
        raise ModelError(f"{CONFIG} of {source} cannot be used: {error}") from error
