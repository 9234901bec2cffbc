"""ColorNet: lightness (and hints) to a distribution over ab bins.

A convolutional auto-encoder. The encoder, any timm backbone, takes lightness through strided
convolutions down to stride 32; the decoder goes back up by interpolation and convolutions to
stride 4 and ends in logits over the ab palette. Hints enter the decoder only, so a new hint never
runs the encoder again.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.fx.proxy import TraceError

from colorize_hub.colour.palette import palette
from colorize_hub.colour.resizing import cell_means
from colorize_hub.network.attention import HintAttention
from colorize_hub.network.config import OWN_ENCODER, ColorizerConfig, ConfigError
from colorize_hub.network.efficientnet import EfficientNetLite0

STRIDES = (4, 8, 16, 32)
_POOLING = ("cpu", "cuda", "meta")
_OVERVIEW_WEIGHT = 0.7  # of what a picture says when it is seen small
_AB_UNIT = 110.0  # hints reach the network as a*b* / 110, about -1..1


class ColorNet(nn.Module):
    """The network. Building it reads no file and needs no connection; weights are random.

    Raises:
        ConfigError: timm has no such encoder or is not installed, or the encoder lacks a stride of
            4, 8, 16 or 32.
    """

    def __init__(self, config: ColorizerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _build_encoder(config.encoder)
        skips = self.encoder.feature_info.channels()  # pyright: ignore
        widths = config.decoder_channels
        self.stages = nn.ModuleList(
            Stage(skip, below, width)
            for skip, below, width in zip(
                reversed(skips), (None, *widths[:-1]), widths, strict=True
            )
        )
        # The mean of the deepest map, for the mood of the whole scene.
        self.scene = nn.Linear(skips[-1], widths[0])
        self.head = nn.Conv2d(widths[-1], len(palette(config.bin_step)), 1)
        self.attention = None
        if config.hint_attention:
            self.attention = HintAttention(widths[-1], config.hint_attention)

    def encode(self, lightness: Tensor) -> list[Tensor]:
        """Features of a grey picture.

        Args:
            lightness: (B, 1, H, W), L* 0..100, any size.

        Returns:
            Four maps (B, C, ceil(H / s), ceil(W / s)) at strides s = 4, 8, 16, 32.
        """
        stem, rest = next(self.encoder.parameters()), self.scene.weight.dtype
        # Normalised before it is rounded: in bfloat16, L* above 64 comes in steps of 0.5.
        grey = (lightness.float() / 50 - 1).to(stem.dtype).expand(-1, 3, -1, -1)
        maps = self.encoder(grey.contiguous(memory_format=_layout(stem)))
        return [features.to(rest) for features in maps]

    def decode(self, features: Sequence[Tensor], hint_map: Tensor | None = None) -> Tensor:
        """Logits over the ab palette at stride 4.

        Args:
            features: from `encode`.
            hint_map: (B, 3, h, w) at stride 4: a*, b* in CIE units and mask 0..1 (see
                hint.draw_hints); None means no hints and equals a map of zeros.

        Returns:
            (B, Q, h, w).
        """
        return self.logits(self.decode_features(features, hint_map))

    def decode_features(self, features: Sequence[Tensor], hint_map: Tensor | None = None) -> Tensor:
        """Return the decoder up to its last map, (B, C, h, w) at stride 4, before the head."""
        below = self.scene(features[-1].mean((2, 3)))[:, :, None, None]
        for stage, skip in zip(self.stages, reversed(features), strict=True):
            hint = None if hint_map is None else _pool_hints(hint_map, skip)
            below = stage(skip, below, hint)
        return below

    def broad_shift(self, maps: Tensor, whole: Tensor) -> Tensor:
        """See the function of this name."""
        return broad_shift(maps, whole)

    def logits(self, maps: Tensor) -> Tensor:
        """(B, Q, h, w) of the decoder's last map (B, C, h, w)."""
        return self.head(maps.to(self.head.weight.dtype))

    def forward(self, lightness: Tensor, hint_map: Tensor | None = None) -> Tensor:
        """encode, then decode: (B, 1, H, W) to (B, Q, H / 4, W / 4)."""
        return self.decode(self.encode(lightness), hint_map)


class Stage(nn.Module):
    """One step up: join what comes from below, the encoder's map and the hints; then refine."""

    def __init__(self, skip: int, below: int | None, width: int) -> None:
        super().__init__()
        self.from_below = nn.Identity() if below is None else nn.Conv2d(below, width, 1)
        self.from_skip = nn.Conv2d(skip, width, 1)
        self.from_hint = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.refine = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        # Without normalisation: refine starts as the identity, and encoder maps (std 3 to 8 in
        # ImageNet backbones) enter at a scale where silu is curved.
        with torch.no_grad():
            self.refine[1].weight.zero_()  # pyright: ignore
            self.from_skip.weight.mul_(0.2)

    def forward(self, skip: Tensor, below: Tensor, hint: Tensor | None) -> Tensor:
        """(B, S, h, w), (B, C, h/2, w/2), (B, 3, h, w) to (B, width, h, w)."""
        joined = self.from_skip(skip)
        if below.shape[2:] == (1, 1):
            joined = joined + self.from_below(below)
        else:
            # 1x1 before the interpolation: the same result at a quarter of the work.
            up = F.interpolate(self.from_below(below), size=skip.shape[2:], mode="bilinear")
            joined = joined + up
        if hint is not None:
            joined = joined + self.from_hint(hint)
        return joined + self.refine[1](F.silu(self.refine[0](F.silu(joined))))


def _build_encoder(name: str) -> nn.Module:
    if name == OWN_ENCODER:
        return EfficientNetLite0()
    try:
        import timm  # brings torchvision; costs more than torch itself
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"encoder {name!r} needs {error.name}: pip install 'colorize-hub[encoders]'; only "
            f"{OWN_ENCODER} is built in."
        ) from error
    try:
        if not timm.is_model(name):  # create_model would follow "hf-hub:" and "local-dir:" names
            raise ValueError("timm has no model of this name")
        with torch.device("meta"):  # only to ask which of its levels are wanted
            encoder = timm.create_model(name, pretrained=False, features_only=True)
        strides = encoder.feature_info.reduction()  # pyright: ignore
        levels = tuple(strides.index(stride) for stride in STRIDES)
        return timm.create_model(name, pretrained=False, features_only=True, out_indices=levels)
    except (RuntimeError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"encoder {name!r} cannot be used: it must be a timm model with features_only and "
            f"feature maps at strides {STRIDES} ({error})."
        ) from error


def _layout(weight: Tensor) -> torch.memory_format:
    """How the weights lie, which is how pictures must lie for a convolution to follow them."""
    plain = weight.is_contiguous() or weight.ndim != 4
    return torch.contiguous_format if plain else torch.channels_last


def _pool_hints(hint_map: Tensor, like: Tensor) -> Tensor:
    """Bring a hint map to a feature map's size: mean ab of the hints in a cell, and whether any.

    A plain average would thin one hint to 1/64 at stride 32; dividing by the pooled mask keeps
    its colour at full strength at every stride.
    """
    ab, mask = hint_map[:, :2] / _AB_UNIT, hint_map[:, 2:]
    if ab.shape[2:] != like.shape[2:]:
        size = (like.shape[2], like.shape[3])
        ab, mask = _pooled(ab * mask, size), _pooled(mask, size)
        ab = ab / mask.clamp_min(1e-6)
    present = (mask > 0).to(ab)
    return torch.cat((ab * present, present), dim=1).to(like)


def broad_shift(maps: Tensor, whole: Tensor) -> Tensor:
    """Return what brings the broad layout of logits towards that of the same picture, seen small.

    Both are compared on the small picture's grid, so that detail of the large one stays. It is
    linear, as the head is: done on the decoder's last maps, it does the same to the logits.

    Args:
        maps: (B, C, h, w), at working size.
        whole: (B, C, h', w') of the small picture.

    Returns:
        (B, C, h, w), to be added to the maps.
    """
    size, grid = (maps.shape[2], maps.shape[3]), (whole.shape[2], whole.shape[3])
    apart = F.interpolate(whole, size=size, mode="bilinear") - maps
    broad = _pooled(_OVERVIEW_WEIGHT * apart, grid)
    return F.interpolate(broad, size=size, mode="bilinear")


def _pooled(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """F.adaptive_avg_pool2d, which MPS has only where the one size divides the other."""
    if maps.device.type in _POOLING:
        return F.adaptive_avg_pool2d(maps, size)
    return cell_means(maps, size)


def for_inference(network: ColorNet, dtype: torch.dtype = torch.float32) -> ColorNet:
    """Copy it for speed: BatchNorm folded, channels_last, eval, no gradients.

    The result computes the same function (to rounding) and cannot be trained.
    """
    copy = deepcopy(network).eval().requires_grad_(False)
    fold_batchnorm(copy.encoder)
    copy = copy.to(dtype)
    copy.head.float()  # sharpening amplifies rounding of the logits
    if copy.attention is not None:
        copy.attention.float()  # but for what costs most and changes little
        for layer in copy.attention.layers:
            for part in (layer.query, layer.read, layer.think):
                part.to(dtype)
    _keep_first_stages_exact(copy.encoder)
    return copy.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the machine computes faster in it (GPU; AMX or AVX512-BF16), else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type != "cpu":
        return torch.float32
    fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def _keep_first_stages_exact(encoder: nn.Module) -> None:
    """Stem and two stages of an EfficientNet or MobileNet in float32, in place, whatever the rest.

    Most of what bfloat16 costs in colour is rounded off there, and hardly any of the time.
    """
    stem, stages = getattr(encoder, "conv_stem", None), getattr(encoder, "blocks", None)
    if not isinstance(stem, nn.Conv2d) or not isinstance(stages, nn.Sequential) or len(stages) < 3:
        return
    dtype = stem.weight.dtype
    for module in (stem, encoder.bn1, stages[0], stages[1]):
        module.float()
    stages[2].register_forward_pre_hook(lambda _, inputs: (inputs[0].to(dtype),))


class _OpaqueNorms(torch.fx.Tracer):
    """Traces a backbone down to its convolutions and normalisations, subclasses included."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        opaque = isinstance(m, nn.Conv2d | nn.BatchNorm2d)
        return opaque or super().is_leaf_module(m, module_qualified_name)


def fold_batchnorm(encoder: nn.Module) -> None:
    """Fold each BatchNorm that directly follows a convolution into it, in place.

    An encoder that torch.fx cannot trace is left as it is: slower, not wrong.
    """
    try:
        graph = _OpaqueNorms().trace(encoder)
    except (TraceError, TypeError, RuntimeError):
        return
    modules = dict(encoder.named_modules())
    for node in graph.nodes:
        norm = modules.get(str(node.target)) if node.op == "call_module" else None
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        source = node.args[0]
        conv = modules.get(str(source.target)) if source.op == "call_module" else None
        if not isinstance(conv, nn.Conv2d) or len(source.users) > 1:
            continue
        fused = torch.nn.utils.fuse_conv_bn_eval(conv, norm)
        conv.weight, conv.bias = fused.weight, fused.bias
        # timm's BatchNormAct2d carries the activation that follows it.
        after = getattr(norm, "act", nn.Identity())
        encoder.set_submodule(str(node.target), after)
