"""Coloured pictures through the eyes of a classifier, beside the true ones.

The classifier is the encoder's own architecture with its pretrained weights, but it looks at
colour. Two losses stand on its maps: their distance from those of the true picture, and how well
a critic can tell them from true ones (Sauer et al. 2021, "Projected GANs Converge Faster").
"""

from typing import NamedTuple

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.colour.lab import lab_to_rgb
from colorize_hub.network.colornet import fold_batchnorm
from train.network.encoder_weights import load_encoder_weights
from train.network.model import training_layout

_LEVELS = 3  # the deepest maps, strides 8, 16 and 32: things, not edges
_WIDTH = 128


class Sight(NamedTuple):
    """What the classifier sees: maps (B, C, h, w) at strides 8, 16 and 32."""

    ours: list[Tensor]
    true: list[Tensor]


class PerceptualBackbone(nn.Module):
    """A frozen backbone that looks at colour pictures."""

    def __init__(
        self, name: str, weights: str, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        """Build it.

        Args:
            name: timm name of the backbone.
            weights: see `load_encoder_weights`; random ones see nothing.
            device: where it looks.
            dtype: of its arithmetic on a GPU; on a CPU that is always float32, in which the
                backward pass of depthwise convolutions takes half as long as in bfloat16.

        Raises:
            ValueError: weights is "none".
        """
        super().__init__()
        if weights == "none":
            raise ValueError(
                "--perception and --adversarial look through the pretrained encoder, which "
                "--encoder-weights none takes away; name its weights, or set both to 0."
            )
        network = timm.create_model(name, pretrained=False, features_only=True)
        load_encoder_weights(network, name, weights)
        fold_batchnorm(network.eval())
        self.network = network.requires_grad_(False).to(device)
        self._kind, self._dtype = device.type, dtype
        self._low = dtype != torch.float32 and device.type != "cpu"
        self._layout = training_layout(device)
        self.channels = tuple(network.feature_info.channels()[-_LEVELS:])  # pyright: ignore

    def forward(self, lightness: Tensor, ab: Tensor, rgb: Tensor) -> Sight:
        """Look at both.

        Args:
            lightness: (B, 1, H, W) L* 0..100.
            ab: (B, 2, h, w) our colours, of any resolution; gradients flow through them.
            rgb: (B, 3, H, W) the true picture, sRGB 0..1.
        """
        ab = F.interpolate(ab, size=lightness.shape[2:], mode="bilinear")
        ours = lab_to_rgb(torch.cat((lightness, ab), 1)).clamp(0, 1)
        with torch.no_grad():
            true = self._maps(rgb)
        return Sight(self._maps(ours), true)

    def _maps(self, rgb: Tensor) -> list[Tensor]:
        signed = (rgb * 2 - 1).contiguous(memory_format=self._layout)
        with torch.autocast(self._kind, self._dtype, enabled=self._low):
            maps = self.network(signed)[-_LEVELS:]
        return [one.float() for one in maps]


def perceptual_distance(sight: Sight) -> Tensor:
    """Mean squared distance of the maps, and of their means over the picture.

    Both relative to the true maps' own size and spread, so that each level counts the same.
    """
    distance = sight.ours[0].new_zeros(())
    for ours, true in zip(sight.ours, sight.true, strict=True):
        power = true.square().mean((1, 2, 3), keepdim=True) + 1e-6
        distance = distance + ((ours - true).square() / power).mean()
        mean, true_mean = ours.mean((2, 3)), true.mean((2, 3))
        spread = (true_mean - true_mean.mean(0)).square().mean().clamp_min(1e-6)
        distance = distance + (mean - true_mean).square().mean() / spread
    return distance / (2 * _LEVELS)


class Critic(nn.Module):
    """Learns to tell our pictures from true ones, patch by patch and as a whole."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.patches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, _WIDTH, 1), nn.LeakyReLU(0.2), nn.Conv2d(_WIDTH, 1, 1))
            for c in channels
        )
        self.whole = nn.Sequential(
            nn.Linear(sum(channels), 2 * _WIDTH), nn.LeakyReLU(0.2), nn.Linear(2 * _WIDTH, 1)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """(B, n) verdicts of each level, then (B, 1) of the whole: above 0 says true."""
        # Each level brought to unit size by its own mean power, ours and true ones alike.
        even = [m / (m.detach().square().mean((1, 2, 3), keepdim=True) + 1e-6).sqrt() for m in maps]
        verdicts = [patch(m).flatten(1) for patch, m in zip(self.patches, even, strict=True)]
        return [*verdicts, self.whole(torch.cat([m.mean((2, 3)) for m in even], 1))]

    def mistakes(self, sight: Sight) -> Tensor:
        """Return what the critic is trained to lessen: the hinge loss of its verdicts."""
        ours, true = self([m.detach() for m in sight.ours]), self(sight.true)
        pairs = zip(ours, true, strict=True)
        return torch.stack([F.relu(1 + o).mean() + F.relu(1 - t).mean() for o, t in pairs]).mean()
