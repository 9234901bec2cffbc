"""Look: what a network answers for a picture, seen at working size and once more as a whole.

A network that finds every edge at 256 pixels is often unsure there what the whole is, and right at
the smaller size it was trained at. So a large picture is seen once more, small, and the broad
layout of the logits is taken for the most part from there, and their detail from the large one.
That gives better colours, and colours that depend less on the working size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from colorize_hub.network.attention import HintAttention
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.working import overview_shape

_WEIGHT = 0.7  # of what the small picture says


class Look:
    """Pictures of one size, seen: what hints and decoding start from.

    Attributes:
        plain: (B, Q, h, w) logits at stride 4, without hints.
        maps: (B, C, h, w) float32, the decoder's last map; the logits are linear in it.
    """

    def __init__(self, network: ColorNet, lightness: Tensor) -> None:
        """See pictures.

        Args:
            network: the model; `config.overview` is the short side of the small picture.
            lightness: (B, 1, H, W), L* 0..100.
        """
        device = next(network.parameters()).device
        self._network = network
        self._features: Sequence[Tensor] = network.encode(lightness.to(device))
        maps = network.decode_features(self._features)
        self._shift = None
        shape = overview_shape(lightness.shape[2], lightness.shape[3], network.config.overview)
        if shape is not None:
            small = F.interpolate(lightness, size=shape, mode="bilinear", antialias=True)
            whole = network.decode_features(network.encode(small.to(device)))
            self._shift = broad_shift(maps.float(), whole.float())
        self.maps: Tensor = self._shifted(maps).float()
        self.plain: Tensor = network.logits(self.maps)

    @property
    def attention(self) -> HintAttention | None:
        """What the network learned about hints."""
        return self._network.attention

    def hinted(self, hint_map: Tensor) -> Tensor:
        """(B, Q, h, w) logits with (B, 3, h, w) hints; only the decoder runs again."""
        maps = self._network.decode_features(self._features, hint_map)
        return self._network.logits(self._shifted(maps))

    def _shifted(self, maps: Tensor) -> Tensor:
        return maps if self._shift is None else maps + self._shift


def broad_shift(maps: Tensor, whole: Tensor) -> Tensor:
    """What brings the broad layout of logits towards that of the small picture.

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
    broad = F.adaptive_avg_pool2d(_WEIGHT * apart, grid)
    return F.interpolate(broad, size=size, mode="bilinear")
