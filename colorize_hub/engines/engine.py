"""Engine: what computes. It alone knows the machine that it runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Generic, TypeVar

import numpy as np
from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array, to_numpy
from colorize_hub.colour.palette import decode_bins, palette
from colorize_hub.colour.resizing import cell_means
from colorize_hub.engines.compose import Original, recolor, reduced_lightness
from colorize_hub.hints.cells import Cells
from colorize_hub.hints.hint import Hint
from colorize_hub.hints.kriging import spread_hints
from colorize_hub.hints.variation import tilt_logits
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.look import Look, Network
from colorize_hub.network.strength import strength

AnyNetwork = TypeVar("AnyNetwork", bound=Network)
Held = Any  # pictures where an engine computes, see Engine.hold


NOT_FINITE = "The model predicted NaN; its weights are damaged. Load it anew."


class Seen(Look):
    """A Look, with what spreading hints over its pictures needs to know.

    Attributes:
        strength: (B, 1, 1, 1) factor on the colours of each picture, 0..1, see strength.py.
    """

    def __init__(self, network: Network, lightness: Array) -> None:
        """See Look."""
        super().__init__(network, lightness)
        self._step = network.config.bin_step
        rows, columns = self.plain.shape[2:]
        self._small = cell_means(lightness, (rows, columns))[:, 0]  # mean L* of each cell
        self._cells: dict[int, Cells] = {}
        self._decoded: tuple[float, Array] | None = None
        self.strength: Array = strength(self.maps, network.config.strength)

    def decoded(self, vividness: float) -> Array:
        """(B, 2, h, w) a*b* of `plain`, chroma not scaled; the last ones are kept."""
        kept = self._decoded  # another thread may replace it
        if kept is None or kept[0] != vividness:
            kept = vividness, decode_bins(self.plain, self._step, vividness)
            self._decoded = kept
        return kept[1]

    def cells(self, index: int) -> Cells:
        """Of one of the pictures: the same for all hints, so they are kept."""
        if index not in self._cells:
            parts = self.plain[index], self.maps[index], self._small[index]
            self._cells[index] = Cells.read(*parts, self._step)
        return self._cells[index]

    def one(self, index: int) -> Seen:
        """Give one of the pictures alone."""
        other = copy(self)
        other._narrow(slice(index, index + 1))
        other._small = self._small[index : index + 1]
        other.strength = self.strength[index : index + 1]
        other._cells, other._decoded = {}, None
        return other

    def tilted(self, take: int) -> Seen:
        """Give the same pictures with the logits of a variation, see `tilt_logits`."""
        other, centres = copy(self), palette(self._step)
        tilted = [tilt_logits(one, centres, take)[None] for one in self.plain]
        other.plain = array_namespace(self.plain).concat(tilted)
        other._cells, other._decoded = {}, None
        return other


class Engine(ABC, Generic[AnyNetwork]):
    """What computes, from pixels to pixels. Holds no state between calls: threads may share it.

    Arrays that it returns stay where it computes, and are of its own kind; what it takes may be of
    any. This class works at full size on the CPU, in strips.

    Attributes:
        config: the model's ColorizerConfig.
        network: the model.
        device: where it computes: "cpu", "cuda:0", "mps".
        batch: pictures that it is fastest with at once.
        side_by_side: whether threads that take a picture each are faster than a batch.
    """

    config: ColorizerConfig
    network: AnyNetwork
    device: str
    batch: int = 8
    side_by_side: bool = True

    @property
    @abstractmethod
    def threads(self) -> int:
        """How many threads work for this one."""

    @abstractmethod
    def use_threads(self, count: int) -> None:
        """Have so many threads work for this one, and as many as before for all others."""

    @abstractmethod
    def asarray(self, values: Array) -> Array:
        """Values in float32, where it computes."""

    def hold(self, pictures: Sequence[np.ndarray]) -> Held:
        """Bring B pictures (H, W, 1 or 3) uint8 or uint16, of any sizes, where it computes."""
        return [Original(pixels) for pixels in pictures]

    def apart(self, held: Held) -> list[Held]:
        """Give each of the pictures alone; none is copied."""
        return [[one] for one in held]

    def together(self, several: Sequence[Held]) -> Held:
        """Give all of these pictures as one batch, in their order."""
        return [one for held in several for one in held]

    def lightness(self, held: Held, shape: tuple[int, int]) -> Array:
        """(B, 1, h, w) L* 0..100 at working size of B pictures."""
        small = [reduced_lightness(one.pixels, shape, self.threads) for one in held]
        return self.asarray(np.stack(small))

    def see(self, lightness: Array) -> Seen:
        """Run the network on (B, 1, h, w) L* 0..100."""
        return Seen(self.network, lightness)

    def logits(self, seen: Seen, hint_maps: Array) -> Array:
        """(B, Q, h, w) that the decoder answers with (B, 3, h, w) hints, see `draw_hints`."""
        return seen.hinted(self.asarray(hint_maps))

    def colors(
        self,
        seen: Seen,
        hint_maps: Array | None = None,
        vividness: float | None = None,
        take: int | None = None,
        strength: Array | None = None,
    ) -> Array:
        """Colours of pictures at stride 4.

        Args:
            seen: of `see`.
            hint_maps: (B, 3, h, w), see `draw_hints`; hints are spread, see kriging.py.
            vividness: 0..1; None takes the model's calibrated value.
            take: a variation, see `tilt_logits`; None is none.
            strength: (B, 1, 1, 1) of the network's colours, 0..1; None takes that of `seen`.

        Returns:
            (B, 2, h, w) a*b*, float32, not yet fitted to the gamut of sRGB.

        Raises:
            ValueError: vividness out of range.
        """
        if take is not None:
            seen = seen.tilted(take)
        config, hinted = self.config, _hinted(hint_maps)
        vividness = config.vividness if vividness is None else vividness
        strong = seen.strength if strength is None else strength
        colors: list[Array] = []
        if len(hinted) < len(seen.plain):
            scale = config.chroma_scale
            colors = [*(decode_bins(seen.plain, config.bin_step, vividness, scale) * strong)]
        maps = self.asarray(hint_maps) if hinted else []
        for i in hinted:
            own, cells = seen.decoded(vividness)[i] * strong[i, 0], seen.cells(i)
            spread = spread_hints(maps[i], own, cells, config.chroma_scale, seen.attention)
            colors[i : i + 1] = [spread]
        return array_namespace(seen.plain).stack(colors)

    def paint(self, held: Held, ab: Array, hints: Sequence[Hint] = ()) -> list[np.ndarray]:
        """Join the lightness of pictures with (B, 2, h, w) a*b*, fitted to the gamut of sRGB.

        Args:
            held: B pictures.
            ab: of them, of any size.
            hints: the pixels that they fix get their a*b*, in every picture.

        Returns:
            (H, W, 3) of each, of its own type.

        Raises:
            ValueError: the colours are not finite, or a hint lies outside a picture.
        """
        return self.begin_painting(held, ab, hints)()

    def begin_painting(
        self, held: Held, ab: Array, hints: Sequence[Hint] = ()
    ) -> Callable[[], list[np.ndarray]]:
        """Begin what `paint` does; what comes back waits for it to end, and gives its result.

        Until then other pictures can be begun. Errors come at once or in the end.
        """
        if not array_namespace(ab).isfinite(ab).all():
            raise ValueError(NOT_FINITE)
        painted = [
            recolor(original, one, hints, self.threads)
            for original, one in zip(held, to_numpy(ab), strict=True)
        ]
        return lambda: painted


def _hinted(hint_maps: Array | None) -> list[int]:
    """Which of (B, 3, h, w) maps hold a hint."""
    if hint_maps is None:
        return []
    return np.flatnonzero(to_numpy(hint_maps[:, 2]).any((1, 2))).tolist()
