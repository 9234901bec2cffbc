"""A network as ONNX graphs: what torch.onnx traces, colour science and all.

Seven graphs, so that what is asked often runs alone: lab (pixels to L* and a*b*), encoder,
decoder, overview (what the small picture says of the large one), head (the decoder's last map to
logits and the strength of the colours), colours (logits to a*b*) and render (full-size L* and small
a*b* to pixels). A model with an attention to hints has that as the eighth.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.colour.lab import in_gamut, lab_to_rgb, largest_scale, rgb_to_lab
from colorize_hub.colour.palette import mean_colors, palette
from colorize_hub.colour.resizing import cubic
from colorize_hub.network.colornet import ColorNet, broad_shift
from colorize_hub.network.strength import strength


class Lab(nn.Module):
    """(B, 3, H, W) sRGB 0..1 to L* (B, 1, H, W) and a*b* (B, 2, H, W)."""

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """See rgb_to_lab."""
        lab = rgb_to_lab(rgb)
        return lab[:, :1], lab[:, 1:]


class Encoder(nn.Module):
    """(B, 1, H, W) L* to the four feature maps."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network
        for name, module in list(network.encoder.named_modules()):
            # Padding as in TensorFlow: SameConv2d here, Conv2dSame in timm.
            if type(module).__name__ in ("SameConv2d", "Conv2dSame"):
                network.encoder.set_submodule(name, _SamePadded(module))  # pyright: ignore

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """See ColorNet.encode."""
        return tuple(self.network.encode(lightness))


class Decoder(nn.Module):
    """Four feature maps and a hint map to the decoder's last map."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, f4: Tensor, f8: Tensor, f16: Tensor, f32: Tensor, hints: Tensor) -> Tensor:
        """See ColorNet.decode_features."""
        return self.network.decode_features((f4, f8, f16, f32), hints)


class Overview(nn.Module):
    """Last maps of a picture and of the same picture small to what is added to the former."""

    def forward(self, maps: Tensor, whole: Tensor) -> Tensor:
        """See colornet.broad_shift."""
        return broad_shift(maps, whole)


class Head(nn.Module):
    """The decoder's last map to logits, and how strong the colours of a picture may be."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """See ColorNet.logits and strength.py: (B, Q, h, w) and (B, 1, 1, 1)."""
        return self.network.logits(maps), strength(maps, self.network.config.strength)


class Colours(nn.Module):
    """Logits to a*b*, as palette.decode_bins does, with the vividness as a tensor."""

    palette: Tensor

    def __init__(self, step: int) -> None:
        super().__init__()
        self.register_buffer("palette", torch.from_numpy(palette(step)))

    def forward(self, logits: Tensor, vividness: Tensor, chroma_scale: Tensor) -> Tensor:
        """(B, Q, h, w), (), () to (B, 2, h, w)."""
        return mean_colors(logits, self.palette, vividness, chroma_scale)


class Render(nn.Module):
    """Full-size L* and a small a*b* to sRGB: enlarge, fit chroma to the gamut, convert."""

    def forward(self, lightness: Tensor, ab: Tensor, strip: Tensor) -> Tensor:
        """Return some rows of a picture, or all.

        Args:
            lightness: (B, 1, n, W), L* 0..100.
            ab: (B, 2, h, w) a*b* of the whole picture.
            strip: (2,) int64: first row and rows of the whole picture; the latter is 0 where
                lightness is the whole picture.

        Returns:
            (B, 3, n, W) sRGB 0..1.
        """
        rows, columns = lightness.shape[2], lightness.shape[3]
        height = torch.where(strip[1] > 0, strip[1], rows)
        down = _bicubic(strip[0] + torch.arange(rows), height, ab.shape[2])
        across = _bicubic(torch.arange(columns), torch.as_tensor(columns), ab.shape[3])
        colour = down @ (ab @ across.T)
        return lab_to_rgb(torch.cat((lightness, _fit(lightness, colour)), dim=1))


def _bicubic(target: Tensor, targets: Tensor, sources: int) -> Tensor:
    """(n, sources) weights that resize a line as F.interpolate(mode="bicubic") does.

    Args:
        target: (n,) int64 places on the resized line.
        targets: () int64, length of the resized line.
        sources: length of the line.
    """
    place = (target + 0.5) * (sources / targets) - 0.5
    base = place.floor()
    part = (place - base)[:, None]
    line = torch.arange(sources)
    weights = torch.zeros(1)
    for tap in range(-1, 3):
        nearest = (base + tap).clamp(min=0)
        nearest = torch.minimum(nearest, line[-1].float())[:, None]
        distance = (part - tap).abs()
        weights = weights + cubic(distance) * (nearest == line)
    return weights


def _fit(lightness: Tensor, ab: Tensor) -> Tensor:
    """lab.fit_gamut in operations that need no assignment."""
    outside = torch.nonzero(~in_gamut(lightness, ab).flatten())[:, 0]
    columns = ab.permute(0, 2, 3, 1).flatten(0, 2)[outside]
    found = largest_scale(lightness.flatten()[outside], columns)
    scale = torch.ones_like(lightness).flatten().scatter(0, outside, found)
    return ab * scale.view_as(lightness)


class _SamePadded(nn.Module):
    """A convolution with TensorFlow's padding, which ONNX knows as auto_pad."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.stride, self.groups = convolution.stride, convolution.groups

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, D, ceil(H / stride), ceil(W / stride))."""
        bias = self.weight.new_zeros(len(self.weight)) if self.bias is None else self.bias
        return _SameConvolution.apply(features, self.weight, bias, self.stride, self.groups)


class _SameConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: object,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        stride: tuple[int, int],
        groups: int,
    ) -> Tensor:
        pads = []
        for size, kernel, step in zip(
            features.shape[:1:-1], weight.shape[:1:-1], stride[::-1], strict=True
        ):
            missing = max((-(-int(size) // step) - 1) * step + kernel - int(size), 0)
            pads += [missing // 2, missing - missing // 2]
        return F.conv2d(F.pad(features, pads), weight, bias, stride, groups=groups)

    @staticmethod
    def symbolic(
        graph: object,
        features: object,
        weight: object,
        bias: object,
        stride: Sequence[int],
        groups: int,
    ) -> object:
        return graph.op(  # pyright: ignore
            "Conv",
            features,
            weight,
            bias,
            auto_pad_s="SAME_UPPER",
            strides_i=stride,
            group_i=groups,
        )


def window_means(graph: object, pictures: object, size: object) -> object:
    """ONNX for F.adaptive_avg_pool2d: means of windows of up to a whole map, as two matrices.

    Args:
        graph: of torch.onnx.
        pictures: (B, C, H, W) value of the graph.
        size: its list of h and w, which the exporter knows only for constants.

    Returns:
        (B, C, h, w) value of the graph.
    """
    op = graph.op  # pyright: ignore

    def matrix(axis: int, cells: object) -> object:
        """(cells, pixels): each row has 1 / n at the n pixels of a cell."""
        shape = op("Shape", pictures)
        pixels = op("Gather", shape, _constant(graph, axis), axis_i=0)
        zero, one = _constant(graph, 0), _constant(graph, 1)
        cell = op("Unsqueeze", op("Range", zero, cells, one), _constant(graph, [1]))
        pixel = op("Unsqueeze", op("Range", zero, pixels, one), _constant(graph, [0]))
        first = op("Div", op("Mul", cell, pixels), cells)
        round_up = op("Sub", op("Add", pixels, cells), one)
        end = op("Div", op("Add", op("Mul", cell, pixels), round_up), cells)
        inside = op("And", op("GreaterOrEqual", pixel, first), op("Less", pixel, end))
        inside = op("Cast", inside, to_i=1)
        return op("Div", inside, op("ReduceSum", inside, _constant(graph, [1]), keepdims_i=1))

    rows, columns = size.node().inputs()  # pyright: ignore
    across = op("Transpose", matrix(3, columns), perm_i=[1, 0])
    return op("MatMul", matrix(2, rows), op("MatMul", pictures, across))


def _constant(graph: object, value: float | list[int]) -> object:
    return graph.op("Constant", value_t=torch.tensor(value))  # pyright: ignore


# What the exporter lacks.
SYMBOLICS = {"aten::adaptive_avg_pool2d": window_means}
