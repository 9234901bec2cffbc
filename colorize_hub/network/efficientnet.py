"""EfficientNet-Lite0 as timm builds it, without timm, whose import costs more than that of torch.

Tan and Le, "EfficientNet" (2019), in the Lite variant: inverted residual blocks with ReLU6 and no
squeeze-and-excitation, TensorFlow's "same" padding. Names of weights, values and results are those
of timm's `tf_efficientnet_lite0` with `features_only`, so weights fit both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_NORM_EPS = 1e-3
_STEM = 32
# Per stage: blocks, kernel, stride of the first block, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_TAPPED = (1, 2, 4, 6)  # the last stage at strides 4, 8, 16 and 32


@dataclass(frozen=True)
class Levels:
    """What the feature maps are like, as timm's FeatureInfo tells it."""

    widths: tuple[int, ...]

    def channels(self) -> list[int]:
        """Channels of the maps, finest first."""
        return list(self.widths)


class EfficientNetLite0(nn.Module):
    """(B, 3, H, W) to four maps at strides 4, 8, 16 and 32, of 24, 40, 112 and 320 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = SameConv2d(3, _STEM, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM, _NORM_EPS)
        stages, below = [], _STEM
        for blocks, kernel, stride, expansion, width in _STAGES:
            kind = Separable if expansion == 1 else InvertedResidual
            stage = []
            for index in range(blocks):
                stage.append(kind(below, width, kernel, stride if index == 0 else 1, expansion))
                below = width
            stages.append(nn.Sequential(*stage))
        self.blocks = nn.Sequential(*stages)
        self.feature_info = Levels(tuple(_STAGES[stage][-1] for stage in _TAPPED))
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
                    module.weight.normal_(std=math.sqrt(2 / fan_out))

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Return maps at strides 4, 8, 16 and 32, each of ceil(side / stride)."""
        return tapped(self.blocks, F.relu6(self.bn1(self.conv_stem(rgb))))


def tapped(stages: nn.Sequential, features: Tensor) -> list[Tensor]:
    """Run the stages on the stem's map and keep what the decoder sees, at strides 4, 8, 16, 32."""
    maps = []
    for index, stage in enumerate(stages):
        features = stage(features)
        if index in _TAPPED:
            maps.append(features)
    return maps


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's padding: the odd pixel goes to the right and the bottom."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to (B, D, ceil(H / stride), ceil(W / stride))."""
        down, across = same_padding(input.shape[2:], self.kernel_size, self.stride)
        return super().forward(F.pad(input, (*across, *down)))


def same_padding(
    shape: Sequence[int], kernel: Sequence[int], stride: Sequence[int]
) -> list[tuple[int, int]]:
    """Pixels before and after, for each axis."""
    pads = []
    for size, taps, step in zip(shape, kernel, stride, strict=True):
        missing = max((-(-size // step) - 1) * step + taps - size, 0)
        pads.append((missing // 2, missing - missing // 2))
    return pads


class Separable(nn.Module):
    """A depthwise and a pointwise convolution."""

    def __init__(self, below: int, width: int, kernel: int, stride: int, _: int) -> None:
        super().__init__()
        self.conv_dw = _depthwise(below, kernel, stride)
        self.bn1 = nn.BatchNorm2d(below, _NORM_EPS)
        self.conv_pw = nn.Conv2d(below, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, _NORM_EPS)
        self.has_skip = stride == 1 and below == width

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, width, ceil(H / stride), ceil(W / stride))."""
        refined = self.bn2(self.conv_pw(F.relu6(self.bn1(self.conv_dw(features)))))
        return refined + features if self.has_skip else refined


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; a residual where the shapes allow it."""

    def __init__(self, below: int, width: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = below * expansion
        self.conv_pw = nn.Conv2d(below, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle, _NORM_EPS)
        self.conv_dw = _depthwise(middle, kernel, stride)
        self.bn2 = nn.BatchNorm2d(middle, _NORM_EPS)
        self.conv_pwl = nn.Conv2d(middle, width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width, _NORM_EPS)
        self.has_skip = stride == 1 and below == width

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, width, ceil(H / stride), ceil(W / stride))."""
        wide = F.relu6(self.bn1(self.conv_pw(features)))
        wide = F.relu6(self.bn2(self.conv_dw(wide)))
        refined = self.bn3(self.conv_pwl(wide))
        return refined + features if self.has_skip else refined


def _depthwise(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    if stride == 1:
        return nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False
        )
    return SameConv2d(channels, channels, kernel, stride, groups=channels, bias=False)
