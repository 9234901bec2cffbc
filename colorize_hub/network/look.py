"""Look: what a network answers for a picture, seen at working size and once more as a whole.

A network that finds every edge at 256 pixels is often unsure there what the whole is, and right at
the smaller size it was trained at. So a large picture is seen once more, small, and the broad
layout of the logits is taken for the most part from there, and their detail from the large one.
That gives better colours, and colours that depend less on the working size.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array
from colorize_hub.colour.resizing import resized
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.working import overview_shape


class Network(Protocol):
    """What a Look asks of a network: ColorNet on tensors, OnnxNetwork on arrays."""

    config: ColorizerConfig

    @property
    def attention(self) -> Callable[..., Array] | None:
        """What it learned about hints, see HintAttention; None where it has not."""
        ...

    def encode(self, lightness: Array) -> Sequence[Array]:
        """See ColorNet.encode."""
        ...

    def decode_features(self, features: Sequence[Array], hint_map: Array | None = None) -> Array:
        """See ColorNet.decode_features."""
        ...

    def broad_shift(self, maps: Array, whole: Array) -> Array:
        """See colornet.broad_shift."""
        ...

    def logits(self, maps: Array) -> Array:
        """See ColorNet.logits."""
        ...


class Look:
    """Pictures of one size, seen: what hints and decoding start from.

    Attributes:
        lightness: (B, 1, H, W), L* 0..100, as it was seen.
        plain: (B, Q, h, w) logits at stride 4, without hints.
        maps: (B, C, h, w) float32, the decoder's last map; the logits are linear in it.
    """

    def __init__(self, network: Network, lightness: Array) -> None:
        """See pictures.

        Args:
            network: the model; `config.overview` is the short side of the small picture.
            lightness: (B, 1, H, W), L* 0..100, where the network computes.
        """
        self._network, self.lightness = network, lightness
        self._features = network.encode(lightness)
        maps = network.decode_features(self._features)
        self._shift = None
        shape = overview_shape(lightness.shape[2], lightness.shape[3], network.config.overview)
        if shape is not None:
            whole = network.decode_features(network.encode(resized(lightness, shape)))
            self._shift = network.broad_shift(_precise(maps), _precise(whole))
        self.maps: Array = _precise(self._shifted(maps))
        self.plain: Array = network.logits(self.maps)

    @property
    def attention(self) -> Callable[..., Array] | None:
        """What the network learned about hints."""
        return self._network.attention

    def hinted(self, hint_map: Array) -> Array:
        """(B, Q, h, w) logits with (B, 3, h, w) hints; only the decoder runs again."""
        maps = self._network.decode_features(self._features, hint_map)
        return self._network.logits(self._shifted(maps))

    def _narrow(self, which: slice) -> None:
        """Leave only some of the pictures."""
        self.lightness, self.plain = self.lightness[which], self.plain[which]
        self.maps, self._features = self.maps[which], [one[which] for one in self._features]
        self._shift = None if self._shift is None else self._shift[which]

    def _shifted(self, maps: Array) -> Array:
        return maps if self._shift is None else maps + self._shift


def _precise(maps: Array) -> Array:
    """In float32."""
    xp = array_namespace(maps)
    return xp.astype(maps, xp.float32, copy=False)
