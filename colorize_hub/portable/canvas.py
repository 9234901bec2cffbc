"""OnnxCanvas: a Canvas whose model is in ONNX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from PIL import Image

from colorize_hub.hints.hint import Hint, draw_colours
from colorize_hub.hints.kriging_numpy import CellArrays, softmax, spread_hints
from colorize_hub.hints.suggestion import check_place, clusters
from colorize_hub.hints.variation import takes, tilt_logits
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.working import cell_means, resized
from colorize_hub.portable.look import OnnxLook
from colorize_hub.portable.picture import PreparedPicture, hint_ab
from colorize_hub.portable.sessions import Graphs


class OnnxCanvas:
    """One picture, encoded: see Canvas, whose methods these are. Made by `OnnxColorizer.canvas`.

    Attributes:
        width: of the original picture, pixels.
        height: of the original picture, pixels.
    """

    def __init__(self, graphs: Graphs, config: ColorizerConfig, prepared: PreparedPicture) -> None:
        self._graphs, self._config, self._prepared = graphs, config, prepared
        self.width, self.height = prepared.picture.width, prepared.picture.height
        self._look = OnnxLook(graphs, prepared.working, config.overview)
        self._plain = self._look.plain
        rows, columns = self._plain.shape[2:]
        self._lightness = cell_means(prepared.working[0], (rows, columns))[0]  # mean L* of each

    def render(
        self, hints: Sequence[Hint] = (), vividness: float | None = None
    ) -> Image.Image | np.ndarray:
        """See Canvas.render."""
        ab = self._ab(self._plain, vividness, self._draw(hints))
        return self._prepared.paint(ab, hints)

    def variations(
        self,
        n: int = 4,
        seed: int = 0,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
    ) -> list[Image.Image | np.ndarray]:
        """See Canvas.variations."""
        hint_map, pictures = self._draw(hints), []
        for take in takes(n, seed):
            taken = tilt_logits(self._plain[0], self._graphs.palette, take)[None]
            cells = None if hint_map is None else self._read_cells(taken)
            pictures.append(
                self._prepared.paint(self._ab(taken, vividness, hint_map, cells), hints)
            )
        return pictures

    def logits(self, hints: Sequence[Hint] = ()) -> np.ndarray:
        """(1, Q, h, w); see Canvas.logits."""
        return self._decode(self._draw(hints)).copy()

    def suggest(
        self, x: float, y: float, k: int = 5, hints: Sequence[Hint] = ()
    ) -> list[tuple[tuple[int, int, int], float]]:
        """See Canvas.suggest."""
        check_place(x, y, self.width, self.height, k)
        logits = self._decode(self._draw(hints))[0]
        rows, columns = logits.shape[1:]
        here = logits[:, int(y * rows / self.height), int(x * columns / self.width)]
        ab, mass = clusters(softmax(here), self._graphs.palette, k)
        level = np.full((1, 1, 1, len(ab)), self._prepared.lightness_at(int(x), int(y)), np.float32)
        rgb = self._graphs.render(level, ab.T[None, :, None])[0, :, 0].T
        levels = np.rint(rgb * 255).astype(int).tolist()
        return [((r, g, b), float(m)) for (r, g, b), m in zip(levels, mass, strict=True)]

    def confidence(self) -> np.ndarray:
        """See Canvas.confidence."""
        share = softmax(self._plain[0])
        entropy = -(share * np.log(np.maximum(share, 1e-30))).sum(0)
        sure = (1 - entropy / math.log(len(share))).clip(0, 1)
        return resized(sure, (self.height, self.width))

    def _ab(
        self,
        logits: np.ndarray,
        vividness: float | None,
        hint_map: np.ndarray | None,
        cells: CellArrays | None = None,
    ) -> np.ndarray:
        """(2, h, w) a*b* of logits; with hints, these are spread over the cells."""
        config = self._config
        vividness = config.vividness if vividness is None else vividness
        if hint_map is None:
            return self._graphs.colours(logits, vividness, config.chroma_scale)[0]
        own_ab, cells = self._graphs.colours(logits, vividness, 1.0)[0], cells or self._cells
        attention = self._graphs.attention
        return spread_hints(hint_map, own_ab, cells, config.chroma_scale, attention)

    def _decode(self, hint_map: np.ndarray | None) -> np.ndarray:
        if hint_map is None:
            return self._plain
        return self._look.hinted(hint_map[None])

    @cached_property
    def _cells(self) -> CellArrays:
        return self._read_cells(self._plain)

    def _read_cells(self, logits: np.ndarray) -> CellArrays:
        return read_cells(self._graphs, logits[0], self._look.maps[0], self._lightness)

    def _draw(self, hints: Sequence[Hint]) -> np.ndarray | None:
        """(3, h, w) map of the hints on the decoder's grid; None without."""
        if not hints:
            return None
        ab, size = hint_ab(self._graphs, hints), (self.height, self.width)
        rows, columns = self._lightness.shape
        return draw_colours(hints, ab, size, (rows, columns))


def read_cells(
    graphs: Graphs, logits: np.ndarray, maps: np.ndarray, lightness: np.ndarray
) -> CellArrays:
    """What spreading needs to know, of logits (Q, h, w), maps (C, h, w) and lightness (h, w)."""
    mean = graphs.colours(logits[None], 0.5, 1.0)[0]
    return CellArrays.read(logits, maps, mean, lightness)
