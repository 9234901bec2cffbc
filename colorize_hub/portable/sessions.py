"""A model in ONNX, as `export` writes it, run by onnxruntime on arrays. No torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.sources import ATTENTION, GRAPHS, Source

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_MOST_BYTES = 2**31  # what a file in the format can hold
_SILENT_BELOW = 3  # errors only: it warns of inputs that have a default
_MAPS = ("f4", "f8", "f16", "f32")


class Graphs:
    """The graphs of a model. Threads may share it.

    Args:
        source: of the files.
        threads: for one run; None takes the cores that this process may use.
        attention: whether the model has an attention to hints.

    Attributes:
        threads: for one run.

    Raises:
        ModuleNotFoundError: onnxruntime is missing.
        ModelNotFoundError: a graph is missing.
        ModelError: a file is not such a graph.
    """

    def __init__(self, source: Source, threads: int | None = None, attention: bool = False) -> None:
        self.threads = threads or _cores()
        files = GRAPHS | ({"attention": ATTENTION} if attention else {})
        self._runs = {name: _open(file, source, self.threads) for name, file in files.items()}

    def lab(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(B, 3, H, W) sRGB 0..1 to L* (B, 1, H, W) and a*b* (B, 2, H, W)."""
        lightness, ab = self._run("lab", rgb=rgb)
        return lightness, ab

    def encode(self, lightness: np.ndarray) -> list[np.ndarray]:
        """(B, 1, H, W) L* to the maps at strides 4, 8, 16 and 32."""
        return self._run("encoder", lightness=lightness)

    def decode(
        self, features: Sequence[np.ndarray], hint_map: np.ndarray | None = None
    ) -> np.ndarray:
        """The decoder's last map (B, C, h, w).

        Args:
            features: from `encode`.
            hint_map: (B, 3, h, w) at stride 4: a*, b* and mask; None is no hints.
        """
        if hint_map is None:
            batch, _, rows, columns = features[0].shape
            hint_map = np.zeros((batch, 3, rows, columns), np.float32)
        maps = dict(zip(_MAPS, features, strict=True))
        return self._run("decoder", **maps, hint_map=hint_map)[0]

    def shift(self, maps: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """What the small picture's last map changes of the large one's; see look.broad_shift."""
        return self._run("overview", maps=maps, whole=whole)[0]

    def logits(self, maps: np.ndarray) -> np.ndarray:
        """(B, Q, h, w) of the decoder's last map (B, C, h, w)."""
        return self._run("head", maps=maps)[0]

    def colours(self, logits: np.ndarray, vividness: float, chroma_scale: float) -> np.ndarray:
        """(B, Q, h, w) to (B, 2, h, w) a*b*; see palette.decode_bins.

        Raises:
            ValueError: vividness outside 0..1.
        """
        if not 0 <= vividness <= 1:
            raise ValueError(f"vividness must be 0..1, got {vividness}.")
        scalars = {"vividness": np.float32(vividness), "chroma_scale": np.float32(chroma_scale)}
        return self._run("colours", logits=logits, **scalars)[0]

    @property
    def attention(self) -> Callable[..., np.ndarray] | None:
        """What the model learned about hints: `attend`, if it has learned that."""
        return self.attend if "attention" in self._runs else None

    def attend(
        self,
        cells: np.ndarray,
        anchors: np.ndarray,
        hints: np.ndarray,
        spread: np.ndarray,
        relation: np.ndarray,
    ) -> np.ndarray:
        """(P, 2) a*b* of cells; arguments as for HintAttention, of one picture."""
        inputs = {"cells": cells, "anchors": anchors, "hints": hints, "spread": spread}
        batch = {name: one[None] for name, one in (inputs | {"relation": relation}).items()}
        return self._run("attention", **batch)[0][0]

    def render(self, lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
        """L* (B, 1, H, W) and a smaller a*b* (B, 2, h, w) to sRGB (B, 3, H, W), 0..1."""
        return self._run("render", lightness=lightness, ab=ab)[0]

    @cached_property
    def palette(self) -> np.ndarray:
        """(Q, 2) a*b* of the bins: what is decoded where one bin is sure."""
        bins = self._runs["colours"].get_inputs()[0].shape[1]
        sure = np.where(np.eye(bins, dtype=bool), np.float32(1e4), np.float32(0))
        return self.colours(sure[None, :, None], 0.5, 1.0)[0, :, 0].T

    def _run(self, name: str, **inputs: np.ndarray | np.generic) -> list[np.ndarray]:
        arrays = {key: np.asarray(value) for key, value in inputs.items()}
        found = self._runs[name].run(None, arrays)
        return cast("list[np.ndarray]", found)


def _open(file: str, source: Source, threads: int) -> InferenceSession:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "A model in ONNX needs onnxruntime: pip install 'colorize-hub[onnx]'",
            name="onnxruntime",
        ) from error
    try:
        path = source.file(file, _MOST_BYTES)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"{source} has no {file}, so it is not a model in ONNX of this version. "
            f"Write one where torch is installed: colorize-hub export FOLDER --model MODEL"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT_BELOW
    options.intra_op_num_threads = threads
    # Threads that wait in a loop take the cores from whatever computes between two runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many kinds, RuntimeError their only common base
        raise ModelError(
            f"{file} of {source} cannot be used: {str(error)[:200]}. Export it again."
        ) from error


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
