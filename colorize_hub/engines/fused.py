"""The network on a CPU: convolutions that do what follows them in the same pass over memory.

Half of an EfficientNet's time on a CPU is not arithmetic: activations, additions and padding that
read and write whole maps again, float32 convolutions that torch gives to a slow routine, weights
that are put in the processor's order at every call. oneDNN, which comes with torch, does all of it
inside the convolution. These are the operators that torch.compile emits, without its compiler.
"""

import platform
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.engines.folded import FoldedAttention
from colorize_hub.network.colornet import ColorNet, Stage
from colorize_hub.network.efficientnet import (
    EfficientNetLite0,
    InvertedResidual,
    SameConv2d,
    Separable,
    same_padding,
    tapped,
)

_Activation = tuple[str, list[float]]  # oneDNN's name and numbers
_NONE: _Activation = ("none", [])
_RELU6: _Activation = ("hardtanh", [0.0, 6.0])
_SILU: _Activation = ("swish", [])
_FEW_PIXELS = 2048  # in maps this small, ordering the weights is much of the work
_ORDERS = 4  # kept of one convolution's weights


def fuse(network: ColorNet) -> ColorNet:
    """Fuse a network made `for_inference`, in place, where this machine can.

    It computes the same function (to rounding), and its weights keep their names.
    """
    if network.attention is not None and next(network.parameters()).device.type == "cpu":
        network.attention = FoldedAttention(network.attention)
    if not _can_fuse(network):
        return network
    for index, stage in enumerate(network.stages):
        if isinstance(stage, Stage):
            network.stages[index] = _FusedStage(stage)
    network.head = _Convolution(network.head)  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(network.encoder, EfficientNetLite0):
        network.encoder = _FusedEncoder(network.encoder)
    return network


def _can_fuse(network: ColorNet) -> bool:
    """Whether it is on an x86 CPU, and for its types of weights torch has these operators."""
    if platform.machine() not in ("x86_64", "AMD64") or not torch.backends.mkldnn.is_available():
        return False
    if any(weight.device.type != "cpu" for weight in network.parameters()):
        return False
    types = {weight.dtype for weight in network.parameters()}
    return types <= {torch.float32, torch.bfloat16} and all(map(_operators_work, types))


@cache
def _operators_work(dtype: torch.dtype) -> bool:
    """Whether torch's internal operators, which no version promises, do here what they should."""
    fan = torch.arange(8.0).to(dtype) / 8
    conv = SameConv2d(8, 8, 3, stride=2, device="cpu", dtype=dtype)
    features, other = torch.ones(1, 8, 6, 6, dtype=dtype) * fan[:, None, None], fan[None, :, None]
    other = other[..., None].expand(1, 8, 3, 3).contiguous()
    try:
        with torch.inference_mode():
            conv.weight.copy_((fan[:, None] - fan)[:, :, None, None].expand_as(conv.weight) / 8)
            plain = conv(features)
            pairs = (
                (_Convolution(conv, _RELU6)(features), F.relu6(plain)),
                (_Convolution(conv, _SILU)(features), F.silu(plain)),
                (_Convolution(conv)(features, other), plain + other),
            )
            return all(torch.allclose(one, two, 0.02, 0.02) for one, two in pairs)
    except (AttributeError, RuntimeError, TypeError):
        return False


class _Convolution(nn.Module):
    """A convolution and what follows it: an activation, or the addition of another map."""

    def __init__(self, conv: nn.Conv2d, activation: _Activation = _NONE) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self._same, self._padding = isinstance(conv, SameConv2d), conv.padding
        self._stride, self._groups = list(conv.stride), conv.groups
        self._activation = activation
        # By shape of the map and number of threads, on which oneDNN's order depends.
        self._orders: dict[tuple[int, ...], tuple[Tensor, list[int]]] = {}
        self.register_load_state_dict_pre_hook(_forget_orders)

    def forward(self, features: Tensor, other: Tensor | None = None) -> Tensor:
        """Convolved, then activated; or added to `other`, a map of the result's shape."""
        key = (*features.shape, torch.get_num_threads())
        weight, padding = self._orders.get(key) or self._keep(key)
        rest = (weight, self.bias, padding, self._stride, [1, 1], self._groups)
        convolve = torch.ops.mkldnn._convolution_pointwise
        if other is not None:
            return convolve.binary(features, other, *rest, "add", 1.0, None, [], None)
        return convolve(features, *rest, *self._activation, "")

    def _keep(self, key: tuple[int, ...]) -> tuple[Tensor, list[int]]:
        """Return the weights for maps of a shape, and the padding on every side of both axes."""
        shape, weight = list(key[:-1]), self.weight.detach()
        padding = [int(pad) for pad in self._padding]
        if self._same:
            pads = same_padding(shape[2:], weight.shape[2:], self._stride)
            padding = [after for _, after in pads]
            (top, bottom), (left, right) = pads  # a zero in the kernel is as good as one less there
            weight = F.pad(weight, (right - left, 0, bottom - top, 0))
        weight = weight.contiguous(memory_format=torch.channels_last)
        if shape[2] * shape[3] <= _FEW_PIXELS:
            weight = torch._C._nn.mkldnn_reorder_conv2d_weight(  # pyright: ignore
                weight.to_mkldnn(), padding, self._stride, [1, 1], self._groups, shape
            )
        latest = list(self._orders.items())[1 - _ORDERS :]
        self._orders = {**dict(latest), key: (weight, padding)}
        return weight, padding


def _forget_orders(convolution: _Convolution, *_: object) -> None:
    """Forget what was read of the weights: they are about to change."""
    convolution._orders = {}


class _FusedStage(nn.Module):
    """As `Stage`."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        below, (first, second) = stage.from_below, stage.refine
        self.from_below = _Convolution(below) if isinstance(below, nn.Conv2d) else below
        self.from_skip = _Convolution(stage.from_skip)
        self.from_hint = _Convolution(stage.from_hint)
        self.refine = nn.ModuleList((_Convolution(first, _SILU), _Convolution(second)))  # pyright: ignore

    def forward(self, skip: Tensor, below: Tensor, hint: Tensor | None) -> Tensor:
        below = self.from_below(below)
        if below.shape[2:] == (1, 1):
            joined = self.from_skip(skip) + below
        else:
            up = F.interpolate(below, size=skip.shape[2:], mode="bilinear")
            joined = self.from_skip(skip, up)
        if hint is not None:
            joined = self.from_hint(hint, joined)
        return self.refine[1](self.refine[0](F.silu(joined)), joined)


class _FusedEncoder(nn.Module):
    """As `EfficientNetLite0`."""

    def __init__(self, encoder: EfficientNetLite0) -> None:
        super().__init__()
        self.conv_stem = _Convolution(encoder.conv_stem, _RELU6)
        self.blocks = encoder.blocks
        for stage in self.blocks:
            for index, block in enumerate(stage):  # pyright: ignore[reportArgumentType]
                stage[index] = _FusedBlock(block)  # pyright: ignore

    def forward(self, rgb: Tensor) -> list[Tensor]:
        return tapped(self.blocks, self.conv_stem(rgb))


class _FusedBlock(nn.Module):
    """As `Separable` and `InvertedResidual`."""

    def __init__(self, block: Separable | InvertedResidual) -> None:
        super().__init__()
        self.has_skip = block.has_skip
        names = ("conv_pw", "conv_dw") if isinstance(block, InvertedResidual) else ("conv_dw",)
        self._activated, self._last = names, "conv_pwl" if len(names) == 2 else "conv_pw"
        for name in names:
            self.add_module(name, _Convolution(getattr(block, name), _RELU6))
        self.add_module(self._last, _Convolution(getattr(block, self._last)))

    def forward(self, features: Tensor) -> Tensor:
        wide = features
        for name in self._activated:
            wide = getattr(self, name)(wide)
        return getattr(self, self._last)(wide, features if self.has_skip else None)
