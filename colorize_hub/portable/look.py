"""OnnxLook: a Look whose model is in ONNX."""

from __future__ import annotations

import numpy as np

from colorize_hub.network.working import overview_shape, resized
from colorize_hub.portable.sessions import Graphs


class OnnxLook:
    """Pictures of one size, seen: see Look, whose attributes and methods these are."""

    plain: np.ndarray
    maps: np.ndarray

    def __init__(self, graphs: Graphs, lightness: np.ndarray, overview: int) -> None:
        """See (B, 1, H, W) L* 0..100; once more at short side `overview` where it is larger."""
        self._graphs, self._features = graphs, graphs.encode(lightness)
        maps = graphs.decode(self._features)
        self._shift = None
        shape = overview_shape(lightness.shape[2], lightness.shape[3], overview)
        if shape is not None:
            small = np.stack([resized(plane, shape) for plane in lightness[:, 0]])
            self._shift = graphs.shift(maps, graphs.decode(graphs.encode(small[:, None])))
        self.maps = self._shifted(maps)
        self.plain = graphs.logits(self.maps)

    def hinted(self, hint_map: np.ndarray) -> np.ndarray:
        """(B, Q, h, w) logits with (B, 3, h, w) hints."""
        return self._graphs.logits(self._shifted(self._graphs.decode(self._features, hint_map)))

    def _shifted(self, maps: np.ndarray) -> np.ndarray:
        return maps if self._shift is None else maps + self._shift
