"""OnnxColorizer: a Colorizer whose model is in ONNX. It runs where torch is not installed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from PIL import Image

from colorize_hub.colour.resizing import bicubic
from colorize_hub.hints.hint import HINT_STRIDE, Hint
from colorize_hub.hints.kriging_numpy import spread_hints
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.working import GRID, cell_means
from colorize_hub.pictures.picture import ImageLike
from colorize_hub.portable.canvas import OnnxCanvas, read_cells
from colorize_hub.portable.look import OnnxLook
from colorize_hub.portable.picture import PreparedPicture
from colorize_hub.portable.sessions import Graphs

_BATCH = 8


class OnnxColorizer:
    """A trained model in ONNX, ready to colour. Holds no state: safe to share by threads.

    Methods, arguments and errors are those of Colorizer; what is a tensor there is an array here.

    Attributes:
        config: the model's ColorizerConfig.
    """

    def __init__(self, graphs: Graphs, config: ColorizerConfig) -> None:
        self._graphs = graphs
        self.config = config

    def colorize(
        self,
        image: ImageLike | Sequence[ImageLike],
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> Image.Image | np.ndarray | list[Image.Image | np.ndarray]:
        """Colour a picture, or a list of pictures; see Colorizer.colorize."""
        if not isinstance(image, Sequence) or isinstance(image, str | bytes):
            return self.canvas(image, size).render(hints, vividness)
        if hints:
            raise ValueError(
                "hints belong to one picture, got a list of pictures; colour them one by one."
            )
        size = self._size(size)
        pictures = [PreparedPicture.read(self._graphs, one, size) for one in image]
        same_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, prepared in enumerate(pictures):
            same_shape[prepared.working.shape].append(index)
        coloured: dict[int, Image.Image | np.ndarray] = {}
        for indices in same_shape.values():
            for first in range(0, len(indices), _BATCH):
                batch = indices[first : first + _BATCH]
                working = np.concatenate([pictures[i].working for i in batch])
                look = OnnxLook(self._graphs, working, self.config.overview)
                for i, ab in zip(batch, self._colours(look.plain, vividness), strict=True):
                    coloured[i] = pictures[i].paint(ab)
        return [coloured[i] for i in range(len(pictures))]

    def canvas(self, image: ImageLike, size: int | None = None) -> OnnxCanvas:
        """Encode a picture once, to be rendered many times; see Colorizer.canvas."""
        prepared = PreparedPicture.read(self._graphs, image, self._size(size))
        return OnnxCanvas(self._graphs, self.config, prepared)

    def predict_ab(
        self,
        lightness: np.ndarray,
        hint_map: np.ndarray | None = None,
        vividness: float | None = None,
    ) -> np.ndarray:
        """Colours of lightness at stride 4 of the network, array to array.

        Args:
            lightness: (B, 1, H, W) float, L* 0..100.
            hint_map: (B, 3, ceil(H / 4), ceil(W / 4)): a*, b* and mask; hinted cells get exactly
                these colours.
            vividness: 0..1; None takes the model's calibrated value.

        Returns:
            (B, 2, H, W) float32 a*b*, not yet fitted to the gamut of sRGB.

        Raises:
            ValueError: wrong shape, or lightness that is not finite.
        """
        lightness = np.asarray(lightness, np.float32)
        if lightness.ndim != 4 or lightness.shape[1] != 1 or not lightness.size:
            raise ValueError(
                f"predict_ab expects lightness of shape (B, 1, H, W), got {lightness.shape}."
            )
        if not np.isfinite(lightness).all():
            raise ValueError("predict_ab expects finite L* in 0..100, got NaN or infinity.")
        batch, _, height, width = lightness.shape
        grid = (batch, 3, -(-height // HINT_STRIDE), -(-width // HINT_STRIDE))
        if hint_map is not None and np.shape(hint_map) != grid:
            raise ValueError(
                f"predict_ab expects a hint_map of shape {grid}, got {np.shape(hint_map)}."
            )
        look = OnnxLook(self._graphs, lightness, self.config.overview)
        plain = look.plain
        ab = self._colours(plain, vividness)
        if hint_map is not None:
            hint_map = np.asarray(hint_map, np.float32)
            own = self._colours(plain, vividness, 1.0)
            attention = self._graphs.attention
            small = cell_means(lightness[:, 0], grid[2:])
            for i, one in enumerate(hint_map):
                if one[2].any():
                    cells = read_cells(self._graphs, plain[i], look.maps[i], small[i])
                    scale = self.config.chroma_scale
                    ab[i] = spread_hints(one, own[i], cells, scale, attention)
        return bicubic(ab.shape[2], height).weights @ ab @ bicubic(ab.shape[3], width).weights.T

    def _colours(
        self, logits: np.ndarray, vividness: float | None, chroma_scale: float | None = None
    ) -> np.ndarray:
        vividness = self.config.vividness if vividness is None else vividness
        scale = self.config.chroma_scale if chroma_scale is None else chroma_scale
        return self._graphs.colours(logits, vividness, scale)

    def _size(self, size: int | None) -> int:
        size = self.config.size if size is None else size
        if isinstance(size, bool) or not isinstance(size, int) or not GRID <= size <= 2048:
            raise ValueError(f"size must be an integer {GRID}..2048 (pixels), got {size!r}.")
        return size
