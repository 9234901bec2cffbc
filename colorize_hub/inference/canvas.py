"""Canvas: one picture, encoded once, coloured as often as a person changes their mind."""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb
from colorize_hub.colour.palette import decode_bins, palette
from colorize_hub.hints.hint import Hint, draw_hints
from colorize_hub.hints.kriging import Cells, spread_hints
from colorize_hub.hints.suggestion import check_place, clusters
from colorize_hub.hints.variation import takes, tilt_logits
from colorize_hub.inference.compose import Prepared
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.look import Look


class Canvas:
    """One picture, encoded: none of the calls below runs the encoder. Made by `Colorizer.canvas`.

    Nothing that it answers changes after it is made, so threads may share it.

    Attributes:
        width: of the original picture, pixels.
        height: of the original picture, pixels.
        prepared: the picture, with its lightness at full and at working size.
    """

    @torch.inference_mode()
    def __init__(self, look: Look, prepared: Prepared, config: ColorizerConfig) -> None:
        self._look, self.prepared, self._config = look, prepared, config
        self.width, self.height = prepared.picture.width, prepared.picture.height
        self._plain = look.plain  # (1, Q, h, w), without hints
        rows, columns = self._plain.shape[2:]
        small = F.adaptive_avg_pool2d(prepared.working, (rows, columns))  # mean L* of each cell
        self._lightness = small[0, 0].to(self._plain)

    @torch.inference_mode()
    def render(
        self, hints: Sequence[Hint] = (), vividness: float | None = None
    ) -> Image.Image | np.ndarray:
        """The picture in colour, as the kind of thing it was given as.

        A hinted pixel has exactly the a* and b* of its hint, as far as sRGB can show them at the
        picture's lightness; the colour spreads over what the hint lies on (see kriging.py).

        Args:
            hints: colours to fix; later ones lie over earlier ones.
            vividness: 0..1; None takes the model's calibrated value.

        Raises:
            ValueError: vividness out of range, or a hint outside the picture.
        """
        return self.prepared.paint(self.predict(hints, vividness), hints)

    @torch.inference_mode()
    def predict(self, hints: Sequence[Hint] = (), vividness: float | None = None) -> Tensor:
        """(2, h, w) a*b* that `render` paints, at stride 4; arguments and errors as there."""
        return self._ab(self._plain, vividness, self._draw(hints))

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
        hint_map, pictures = self._draw(hints), []
        for take in takes(n, seed):
            taken = self._tilted(self._plain, take)
            cells = None if hint_map is None else self._read_cells(taken)
            ab = self._ab(taken, vividness, hint_map, cells)
            pictures.append(self.prepared.paint(ab, hints))
        return pictures

    def logits(self, hints: Sequence[Hint] = ()) -> Tensor:
        """What the decoder answers: (1, Q, h, w) logits over the ab palette, at stride 4."""
        logits = self._decode(self._draw(hints))
        return logits if hints else logits.clone()

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
        check_place(x, y, self.width, self.height, k)
        logits = self._decode(self._draw(hints))[0]
        rows, columns = logits.shape[1:]
        here = logits[:, int(y * rows / self.height), int(x * columns / self.width)]
        lightness = self.prepared.lightness_at(int(x), int(y))
        return suggest_colours(here.cpu(), self._config.bin_step, lightness, k)

    @torch.inference_mode()
    def confidence(self) -> np.ndarray:
        """How sure the model is of each pixel's colour: (H, W) float32, 0 (any bin) to 1 (one bin).

        1 minus the entropy of the predicted distribution over that of the uniform one.
        """
        entropy = torch.special.entr(self._plain.softmax(1)).sum(1, keepdim=True)
        sure = (1 - entropy / math.log(self._plain.shape[1])).clamp(0, 1)
        full = F.interpolate(sure, size=(self.height, self.width), mode="bilinear")
        return full[0, 0].cpu().numpy()

    def _tilted(self, logits: Tensor, take: int) -> Tensor:
        """(1, Q, h, w) logits of a varied colouring."""
        centres = palette(self._config.bin_step)
        tilted = tilt_logits(logits[0].float().cpu().numpy(), centres.numpy(), take)
        return torch.from_numpy(tilted)[None].to(logits)

    @torch.inference_mode()
    def _decode(self, hint_map: Tensor | None) -> Tensor:
        """(1, Q, h, w) logits."""
        return self._plain if hint_map is None else self._look.hinted(hint_map)

    def _ab(
        self,
        logits: Tensor,
        vividness: float | None,
        hint_map: Tensor | None,
        cells: Cells | None = None,
    ) -> Tensor:
        """(2, h, w) a*b* of logits; with hints, these are spread over the cells."""
        config = self._config
        vividness = config.vividness if vividness is None else vividness
        if hint_map is None:
            return decode_bins(logits, config.bin_step, vividness, config.chroma_scale)[0]
        own_ab, cells = decode_bins(logits, config.bin_step, vividness)[0], cells or self._cells
        attention = self._look.attention
        return spread_hints(hint_map[0], own_ab, cells, config.chroma_scale, attention)

    @cached_property
    def _cells(self) -> Cells:
        """What spreading needs to know of the picture: the same for all hints."""
        return self._read_cells(self._plain)

    def _read_cells(self, logits: Tensor) -> Cells:
        step = self._config.bin_step
        return Cells.read(logits[0], self._look.maps[0], self._lightness, step)

    def _draw(self, hints: Sequence[Hint]) -> Tensor | None:
        """(1, 3, h, w) map of the hints on the decoder's grid; None without."""
        if not hints:
            return None
        rows, columns = self._lightness.shape
        hint_map = draw_hints(hints, (self.height, self.width), (rows, columns))
        return hint_map.to(self._lightness)


def suggest_colours(
    logits: Tensor, step: int, lightness: float, k: int
) -> list[tuple[tuple[int, int, int], float]]:
    """The k colours a pixel most likely has: weighted k-means over its predicted distribution.

    Args:
        logits: (Q,) of one place.
        step: grid spacing of the palette.
        lightness: L* of the pixel, so that the colours can be shown there.
        k: how many, 1 or more; fewer come back where the distribution has fewer clusters.

    Returns:
        [((r, g, b) 0..255, share 0..1)], most likely first.
    """
    share = torch.softmax(logits.float(), dim=0).cpu().numpy()
    means, mass = clusters(share, palette(step).numpy(), k)
    ab = torch.from_numpy(means).T[:, None]  # (2, 1, K)
    level = torch.full_like(ab[:1], lightness)
    rgb = lab_to_rgb(torch.cat((level, fit_gamut(level, ab))))
    rgb = (rgb * 255).round().int()[:, 0].T.tolist()
    return [((r, g, b), float(m)) for (r, g, b), m in zip(rgb, mass, strict=True)]
