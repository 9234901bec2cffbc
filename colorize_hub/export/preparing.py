"""What every export begins with: the packages that it needs, its folder, the network made ready."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from colorize_hub.errors import ModelError
from colorize_hub.network.colornet import ColorNet, for_inference


def prepare_export(network: ColorNet, folder: str | os.PathLike[str]) -> tuple[ColorNet, Path]:
    """Return the network as it is traced, and the folder, made if missing.

    Raises:
        ModelError: there is a file where the folder should be.
        ModuleNotFoundError: the package `onnx` is missing.
    """
    try:
        import onnx  # noqa: F401 - torch.onnx needs it at the very end
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "export needs onnx: pip install 'colorize-hub[export]'", name="onnx"
        ) from error
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"export writes a folder, but {folder} is a file; name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    ready = for_inference(network.cpu()).to(memory_format=torch.contiguous_format)  # pyright: ignore
    return ready, folder
