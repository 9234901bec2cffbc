"""TorchEngine: a network of torch, on any device that torch has."""

import os
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from colorize_hub.colour.arrays import Array
from colorize_hub.engines.engine import Engine
from colorize_hub.engines.fused import fuse
from colorize_hub.engines.threads import use_threads
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.config import ColorizerConfig

# Threads do not survive a fork: with more than one, the first convolution of the child would hang.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


class TorchEngine(Engine[ColorNet]):
    """A trained network of torch. It can be pickled; equal ones give equal bytes."""

    def __init__(
        self,
        network: ColorNet,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Prepare a network for use.

        Args:
            network: trained; it is copied, with BatchNorm folded.
            device: None takes CUDA, then MPS, then the CPU.
            dtype: None takes bfloat16 where the device is fast in it, else float32.

        Raises:
            ValueError: there is no such device here.
        """
        self._device = _best_device() if device is None else find_device(device)
        self.device, self.config = str(self._device), network.config
        self._dtype = fast_dtype(self._device) if dtype is None else dtype
        self.network = fuse(for_inference(network, self._dtype).to(self._device))

    @property
    def threads(self) -> int:
        """See Engine."""
        return torch.get_num_threads()

    def use_threads(self, count: int) -> None:
        """See Engine."""
        use_threads(count)

    def asarray(self, values: Array) -> Tensor:
        """See Engine."""
        if isinstance(values, np.ndarray):
            values = np.require(values, requirements="W")  # torch warns of what it cannot write to
        return torch.as_tensor(values, dtype=torch.float32, device=self._device)

    lightness = torch.inference_mode()(Engine.lightness)
    see = torch.inference_mode()(Engine.see)
    logits = torch.inference_mode()(Engine.logits)
    colors = torch.inference_mode()(Engine.colors)
    paint = torch.inference_mode()(Engine.paint)

    def __reduce__(self) -> tuple[Any, ...]:
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        return _revive, (self.config, self.device, self._dtype, weights)


def find_device(name: str | torch.device) -> torch.device:
    """Find the device of that name.

    Raises:
        ValueError: torch knows no such name, or this machine has no such device.
    """
    here = ["cpu"]
    if torch.cuda.is_available():
        here += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here += ["mps", "mps:0"]
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or str(device) not in here:
        raise ValueError(f"There is no device {str(name)!r} here; there is {', '.join(here)}.")
    return device


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _revive(
    config: ColorizerConfig, device: str, dtype: torch.dtype, weights: dict[str, Tensor]
) -> TorchEngine:
    """Put together what TorchEngine.__reduce__ took apart."""
    engine = TorchEngine(ColorNet(config), device, dtype)
    engine.network.load_state_dict(weights)
    return engine
