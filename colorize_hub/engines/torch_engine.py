"""TorchEngine: a network of torch, on any device that torch has."""

import os
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from colorize_hub.colour.arrays import Array
from colorize_hub.colour.resizing import resized
from colorize_hub.engines.engine import Engine, check_finite
from colorize_hub.engines.fused import fuse
from colorize_hub.engines.on_device import batch_colors, batch_lightness
from colorize_hub.engines.threads import use_threads
from colorize_hub.hints.hint import Hint, hint_ab, hinted_pixels
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
        in_strips: bool | None = None,
    ) -> None:
        """Prepare a network for use.

        Args:
            network: trained; it is copied, with BatchNorm folded.
            device: None takes CUDA, then MPS, then the CPU.
            dtype: None takes bfloat16 where the device is fast in it, else float32.
            in_strips: do the full-size work on the CPU, in strips, and not on the device; None does
                so where the device is the CPU.

        Raises:
            ValueError: there is no such device here.
        """
        self._device = _best_device() if device is None else find_device(device)
        self.device, self.config = str(self._device), network.config
        self._dtype = fast_dtype(self._device) if dtype is None else dtype
        self._in_strips = self._device.type == "cpu" if in_strips is None else in_strips
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
            values = np.require(values, requirements=["W"])  # torch warns of the others
        return torch.as_tensor(values, dtype=torch.float32, device=self._device)

    @torch.inference_mode()
    def lightness(self, pictures: Sequence[np.ndarray], shape: tuple[int, int]) -> Tensor:
        """See Engine."""
        if self._in_strips:
            return super().lightness(pictures, shape)
        planes = []
        for places, pixels in _stacked(pictures):
            whole = batch_lightness(self._upload(pixels), np.iinfo(pixels.dtype).max)
            planes.append((places, resized(whole, shape)))
        return torch.stack(_in_order(planes))

    @torch.inference_mode()
    def paint(
        self, pictures: Sequence[np.ndarray], ab: Array, hints: Sequence[Hint] = ()
    ) -> list[np.ndarray]:
        """See Engine."""
        if self._in_strips:
            return super().paint(pictures, ab, hints)
        small, painted = check_finite(self.asarray(ab)), []
        for places, pixels in _stacked(pictures):
            owners = fixed = None
            if hints:
                owners = self._upload(hinted_pixels(hints, pixels.shape[1:3])).long()
                fixed = self.asarray(hint_ab(hints))
            most = np.iinfo(pixels.dtype).max
            rgb = batch_colors(self._upload(pixels), most, small[places], owners, fixed)
            levels = rgb.to(torch.uint8 if most == 255 else torch.uint16).cpu().numpy()
            painted.append((places, levels))
        return _in_order(painted)

    def _upload(self, values: np.ndarray) -> Tensor:
        """Integers, where the network is; wider ones of those that torch can do little with."""
        wide = values.astype(np.int32) if values.dtype == np.uint16 else values
        return torch.from_numpy(np.require(wide, requirements=["C", "W"])).to(self._device)

    see = torch.inference_mode()(Engine.see)
    logits = torch.inference_mode()(Engine.logits)
    colors = torch.inference_mode()(Engine.colors)

    def __reduce__(self) -> tuple[Any, ...]:
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        return _revive, (self.config, self.device, self._dtype, self._in_strips, weights)


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
    config: ColorizerConfig,
    device: str,
    dtype: torch.dtype,
    in_strips: bool,
    weights: dict[str, Tensor],
) -> TorchEngine:
    """Put together what TorchEngine.__reduce__ took apart."""
    engine = TorchEngine(ColorNet(config), device, dtype, in_strips)
    engine.network.load_state_dict(weights)
    return engine


def _stacked(pictures: Sequence[np.ndarray]) -> list[tuple[list[int], np.ndarray]]:
    """Pictures of one size and type together, (B, H, W, C), with their places in the list."""
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, pixels in enumerate(pictures):
        alike[pixels.shape, pixels.dtype].append(place)
    return [(places, np.stack([pictures[i] for i in places])) for places in alike.values()]


def _in_order(parts: list[tuple[list[int], Any]]) -> list[Any]:
    """Give what belongs to each place, one after the other."""
    found = {place: one for places, part in parts for place, one in zip(places, part, strict=True)}
    return [found[place] for place in sorted(found)]
