"""TorchEngine: a network of torch, on any device that torch has."""

from __future__ import annotations

import os
import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial, wraps
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from colorize_hub.colour.arrays import Array
from colorize_hub.engines.engine import NOT_FINITE, Engine, Held
from colorize_hub.engines.failures import failures_in_words, why_not
from colorize_hub.engines.fused import fuse
from colorize_hub.engines.on_device import batch_colors, small_lightness
from colorize_hub.engines.threads import use_threads
from colorize_hub.engines.transfers import Transfers, as_levels, levels_of
from colorize_hub.hints.hint import Hint, hint_ab, hinted_pixels
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.config import ColorizerConfig

# Threads do not survive a fork: with more than one, the first convolution of the child would hang.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


_Method = TypeVar("_Method", bound=Callable[..., Any])

_BATCH = 64  # on a device: eight take it as long as one, 64 half as long again


@dataclass(frozen=True)
class _Alike:
    """Pictures of one size and type on a device.

    Attributes:
        places: theirs among all that are held.
        pixels: (B, H, W, 1 or 3), levels 0..most.
        most: 255 or 65535.
    """

    places: list[int]
    pixels: Tensor
    most: int


def _at_work(method: _Method) -> _Method:
    """Have a method run without gradients, and say in words what fails.

    Off the CPU one thread works at a time: the device does one thing after the other anyway, and
    threads that give it work by turns hold each other up.
    """

    @wraps(method)
    def work(self: TorchEngine, *args: object, **named: object) -> object:
        with torch.inference_mode(), self._turn, failures_in_words(self.device):
            return method(self, *args, **named)

    return cast("_Method", work)


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
            DeviceError: it does not work with this PyTorch.
            DeviceMemoryError: it has not enough memory.
        """
        self._device = _best_device() if device is None else find_device(device)
        self.device, self.config = str(self._device), network.config
        self._dtype = fast_dtype(self._device) if dtype is None else dtype
        self._in_strips = self._device.type == "cpu" if in_strips is None else in_strips
        with failures_in_words(self.device):
            self.network = fuse(for_inference(network, self._dtype).to(self._device))
            self.transfers = Transfers(self._device)
        self.side_by_side = self._in_strips
        self._turn = nullcontext() if self._in_strips else threading.RLock()
        if not self._in_strips:
            self.batch = _BATCH

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

    @_at_work
    def hold(self, pictures: Sequence[np.ndarray]) -> Held:
        """See Engine."""
        if self._in_strips:
            return super().hold(pictures)
        alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for place, pixels in enumerate(pictures):
            alike[pixels.shape, pixels.dtype].append(place)
        return [
            _Alike(places, self.transfers.up([pictures[i] for i in places]), np.iinfo(dtype).max)
            for (_, dtype), places in alike.items()
        ]

    @_at_work
    def apart(self, held: Held) -> list[Held]:
        """See Engine."""
        if self._in_strips:
            return super().apart(held)
        alone = [
            [[_Alike([0], one.pixels[i : i + 1], one.most)] for i in range(len(one.places))]
            for one in held
        ]
        return _in_order(held, alone)

    @_at_work
    def together(self, several: Sequence[Held]) -> Held:
        """See Engine."""
        if self._in_strips:
            return super().together(several)
        if len(several) == 1:
            return several[0]
        alike: dict[tuple[Any, ...], list[tuple[int, Tensor]]] = defaultdict(list)
        for place, (one,) in enumerate(several):
            alike[one.pixels.shape[1:], one.most].append((place, one.pixels))
        return [
            _Alike([place for place, _ in group], torch.cat([pixels for _, pixels in group]), most)
            for (_, most), group in alike.items()
        ]

    @_at_work
    def lightness(self, held: Held, shape: tuple[int, int]) -> Tensor:
        """See Engine."""
        if self._in_strips:
            return super().lightness(held, shape)
        small = [small_lightness(one.pixels, one.most, shape) for one in held]
        return torch.stack(_in_order(held, small))

    @_at_work
    def begin_painting(
        self, held: Held, ab: Array, hints: Sequence[Hint] = ()
    ) -> Callable[[], list[np.ndarray]]:
        """See Engine."""
        if self._in_strips:
            return super().begin_painting(held, ab, hints)
        small, painted = self.asarray(ab), []
        for one in held:
            owners = fixed = None
            if hints:
                _, height, width, _ = one.pixels.shape
                owners = self.transfers.up([hinted_pixels(hints, (height, width))])[0].long()
                fixed = self.asarray(hint_ab(hints))
            rgb = batch_colors(
                one.pixels,
                one.most,
                small if len(held) == 1 else torch.stack([small[i] for i in one.places]),
                owners,
                fixed,
            )
            painted.append(as_levels(rgb, one.most))
        coming = self.transfers.down([small.isfinite().all(), *painted])

        def wait() -> list[np.ndarray]:
            with failures_in_words(self.device):
                finite, *levels = coming()
            if not finite:
                raise ValueError(NOT_FINITE)
            return _in_order(held, [levels_of(one) for one in levels])

        return wait

    see = _at_work(Engine.see)
    logits = _at_work(Engine.logits)
    colors = _at_work(Engine.colors)

    def __reduce__(self) -> tuple[Any, ...]:
        weights = {name: value.cpu() for name, value in self.network.state_dict().items()}
        return _revive, (self.config, self.device, self._dtype, self._in_strips, weights)


def find_device(name: str | torch.device) -> torch.device:
    """Find the device of that name.

    Raises:
        ValueError: torch knows no such name, or this machine has no such device.
    """
    here, (cuda, reason) = ["cpu"], _cuda()
    if cuda:
        here += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here += ["mps", "mps:0"]
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or str(device) not in here:
        missing = f"There is no device {str(name)!r} here; there is {', '.join(here)}."
        if reason and str(name).startswith("cuda"):
            missing += f" No GPU works: {reason}"
        raise ValueError(missing)
    return device


@cache
def _cuda() -> tuple[bool, str]:
    """Whether CUDA works, and why not where there would be a GPU. Torch says it only once."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        works = torch.cuda.is_available()
    return works, "" if works else why_not(" ".join(str(one.message) for one in said))


def _best_device() -> torch.device:
    works, reason = _cuda()
    if works:
        return torch.device("cuda")
    if reason:
        warnings.warn(f"Computing on the CPU: no GPU works, {reason}", stacklevel=3)
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


def _in_order(held: Sequence[_Alike], parts: Sequence[Any]) -> list[Any]:
    """Give what was made of each picture, in their order."""
    found: dict[int, Any] = {}
    for alike, part in zip(held, parts, strict=True):
        found.update(zip(alike.places, part, strict=True))
    return [found[place] for place in sorted(found)]
