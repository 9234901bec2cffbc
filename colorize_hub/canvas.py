"""Canvas: one picture, encoded once, coloured as often as a person changes their mind."""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub.bins import decode_bins, suggest_colours
from colorize_hub.compose import Prepared
from colorize_hub.hints import Hint, draw_hints
from colorize_hub.network import ColorNet
from colorize_hub.spread import spread_hints
from colorize_hub.variation import tilt_logits


class Canvas:
    """One picture, encoded: each call below runs the decoder at most. Made by `Colorizer.canvas`.

    Nothing changes after it is made, so threads may share it.

    Attributes:
        width: of the original picture, pixels.
        height: of the original picture, pixels.
    """

    @torch.inference_mode()
    def __init__(self, network: ColorNet, prepared: Prepared, features: Sequence[Tensor]) -> None:
        self._network, self._prepared, self._features = network, prepared, features
        self.width, self.height = prepared.picture.width, prepared.picture.height
        self._plain = network.decode(features)  # (1, Q, h, w), without hints
        rows, columns = self._plain.shape[2:]
        small = F.adaptive_avg_pool2d(prepared.working, (rows, columns))  # mean L* of each cell
        self._lightness = small[0, 0].to(self._plain)

    def render(
        self, hints: Sequence[Hint] = (), vividness: float | None = None
    ) -> Image.Image | np.ndarray:
        """The picture in colour, as the kind of thing it was given as.

        A hinted pixel has exactly the a* and b* of its hint, as far as sRGB can show them at the
        picture's lightness; the colour spreads over what the hint lies on (see spread.py).

        Args:
            hints: colours to fix; later ones lie over earlier ones.
            vividness: 0..1; None takes the model's calibrated value.

        Raises:
            ValueError: vividness out of range, or a hint outside the picture.
        """
        return self._paint(self._plain, self._hinted(hints), hints, vividness)

    @torch.inference_mode()
    def variations(
        self,
        n: int = 4,
        seed: int = 0,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
    ) -> list[Image.Image | np.ndarray]:
        """Varied, plausible colourings, as far as the predicted distribution supports them.

        Args:
            n: how many, 1 or more.
            seed: 0 or more. Result k is take seed + k, whatever n is; takes 4k to 4k + 3 are made
                to differ most.
            hints: colours to fix, in every one of them.
            vividness: 0..1; None takes the model's calibrated value.

        Returns:
            n pictures such as `render` gives; the same for the same arguments.

        Raises:
            ValueError: n or seed is not such a whole number, or as for `render`.
        """
        for name, value, least in (("n", n, 1), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number from {least}, got {value!r}.")
        hinted, step = self._hinted(hints), self._network.config.bin_step
        pictures = []
        for take in range(seed, seed + n):
            plain = tilt_logits(self._plain[0], step, take)[None]
            taken = None if hinted is None else tilt_logits(hinted[0], step, take)[None]
            pictures.append(self._paint(plain, taken, hints, vividness))
        return pictures

    def logits(self, hints: Sequence[Hint] = ()) -> Tensor:
        """What the decoder answers: (1, Q, h, w) logits over the ab palette, at stride 4."""
        hinted = self._hinted(hints)
        return self._plain.clone() if hinted is None else hinted

    def suggest(
        self, x: float, y: float, k: int = 5, hints: Sequence[Hint] = ()
    ) -> list[tuple[tuple[int, int, int], float]]:
        """Colours the model finds likely at a place of the original picture.

        Args:
            x: pixels, rightwards.
            y: pixels, downwards.
            k: how many at most.
            hints: colours that are fixed already; the model takes them into account.

        Returns:
            Up to k of [((r, g, b) 0..255, share 0..1)], most likely first, shown at the lightness
            of that place.

        Raises:
            ValueError: the place or a hint lies outside the picture, or k < 1.
        """
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise ValueError(
                f"({x}, {y}) lies outside the picture of {self.width} x {self.height} pixels."
            )
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}.")
        logits = self.logits(hints)[0]
        rows, columns = logits.shape[1:]
        here = logits[:, int(y * rows / self.height), int(x * columns / self.width)]
        lightness = float(self._prepared.lightness[0, int(y), int(x)])
        return suggest_colours(here.cpu(), self._network.config.bin_step, lightness, k)

    @torch.inference_mode()
    def confidence(self) -> np.ndarray:
        """How sure the model is of each pixel's colour: (H, W) float32, 0 (any bin) to 1 (one bin).

        1 minus the entropy of the predicted distribution over that of the uniform one.
        """
        entropy = torch.special.entr(self._plain.softmax(1)).sum(1, keepdim=True)
        sure = (1 - entropy / math.log(self._plain.shape[1])).clamp(0, 1)
        full = F.interpolate(sure, size=(self.height, self.width), mode="bilinear")
        return full[0, 0].cpu().numpy()

    @torch.inference_mode()
    def _hinted(self, hints: Sequence[Hint]) -> Tensor | None:
        """(1, Q, h, w) logits with hints; None without."""
        if not hints:
            return None
        return self._network.decode(self._features, self._draw(hints))

    @torch.inference_mode()
    def _paint(
        self,
        plain: Tensor,
        hinted: Tensor | None,
        hints: Sequence[Hint],
        vividness: float | None,
    ) -> Image.Image | np.ndarray:
        """Decode logits without and with hints, spread the hints, and join with the lightness."""
        config = self._network.config
        vividness = config.vividness if vividness is None else vividness
        if hinted is None:
            ab = decode_bins(plain, config.bin_step, vividness, config.chroma_scale)[0]
        else:
            ab = spread_hints(
                self._draw(hints)[0],
                decode_bins(hinted, config.bin_step, vividness)[0],
                plain[0],
                self._lightness,
                config.bin_step,
                config.chroma_scale,
            )
        return self._prepared.paint(ab, hints)

    def _draw(self, hints: Sequence[Hint]) -> Tensor:
        rows, columns = self._lightness.shape
        hint_map = draw_hints(hints, (self.height, self.width), (rows, columns))
        return hint_map.to(self._lightness)
