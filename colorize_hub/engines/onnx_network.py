"""OnnxNetwork: a network in ONNX, as `export` writes it, run by onnxruntime on arrays. No torch."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.sources import ATTENTION, GRAPHS, Source
from colorize_hub.network.config import ColorizerConfig

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_MOST_BYTES = 2**31  # what a file in the format can hold
_SILENT_BELOW = 3  # errors only: it warns of inputs that have a default
_MAPS = ("f4", "f8", "f16", "f32")
_USED = ("encoder", "decoder", "overview", "head")  # the others are for programs without Python


class OnnxNetwork:
    """What a Look asks of a network, on arrays. Threads may share it, and a fork of the process.

    Attributes:
        config: the model's ColorizerConfig.
    """

    def __init__(self, source: Source, config: ColorizerConfig, threads: int | None = None) -> None:
        """Open the graphs.

        Args:
            source: of the files.
            config: of the model.
            threads: for one run; None takes the cores that this process may use.

        Raises:
            ModuleNotFoundError: onnxruntime is missing.
            ModelNotFoundError: a graph is missing.
            ModelError: a file is not such a graph.
        """
        used = {name: GRAPHS[name] for name in _USED}
        if config.hint_attention:
            used["attention"] = ATTENTION
        self._open(str(source), {n: _find(f, source) for n, f in used.items()}, config, threads)

    def _open(
        self, label: str, paths: Mapping[str, Path], config: ColorizerConfig, threads: int | None
    ) -> None:
        self.config, self._label, self._paths = config, label, paths
        self._usual = threads or _cores()
        self._in_thread, self._opening = threading.local(), threading.Lock()
        self._sessions: dict[tuple[int, int], dict[str, InferenceSession]] = {}
        self._opened()

    @property
    def threads(self) -> int:
        """For one run, in this thread."""
        return getattr(self._in_thread, "count", self._usual)

    def use_threads(self, count: int) -> None:
        """Have so many threads work for this one, and as many as before for all others."""
        self._in_thread.count = count

    def encode(self, lightness: np.ndarray) -> list[np.ndarray]:
        """(B, 1, H, W) L* to the maps at strides 4, 8, 16 and 32."""
        return self._run("encoder", lightness=lightness)

    def decode_features(
        self, features: Sequence[np.ndarray], hint_map: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the decoder's last map (B, C, h, w).

        Args:
            features: from `encode`.
            hint_map: (B, 3, h, w) at stride 4: a*, b* and mask; None is no hints.
        """
        if hint_map is None:
            batch, _, rows, columns = features[0].shape
            hint_map = np.zeros((batch, 3, rows, columns), np.float32)
        maps = dict(zip(_MAPS, features, strict=True))
        return self._run("decoder", **maps, hint_map=hint_map)[0]

    def broad_shift(self, maps: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """Return what the small picture's last map changes of the large one's; see colornet.py."""
        return self._run("overview", maps=maps, whole=whole)[0]

    def logits(self, maps: np.ndarray) -> np.ndarray:
        """(B, Q, h, w) of the decoder's last map (B, C, h, w)."""
        return self._run("head", maps=maps)[0]

    @property
    def attention(self) -> Callable[..., np.ndarray] | None:
        """What the model learned about hints, if it has learned that."""
        return self._attend if "attention" in self._paths else None

    def _attend(
        self,
        cells: np.ndarray,
        anchors: np.ndarray,
        hints: np.ndarray,
        spread: np.ndarray,
        relation: np.ndarray,
    ) -> np.ndarray:
        """See HintAttention.forward."""
        inputs = {"cells": cells, "anchors": anchors, "hints": hints}
        return self._run("attention", **inputs, spread=spread, relation=relation)[0]

    def _run(self, name: str, **inputs: np.ndarray) -> list[np.ndarray]:
        found = self._opened()[name].run(None, inputs)
        return cast("list[np.ndarray]", found)

    def _opened(self) -> dict[str, InferenceSession]:
        """Return the graphs for as many threads as this one takes, opened once in a process.

        Their own threads are lost in a fork, so there they are opened anew.
        """
        key = os.getpid(), self.threads
        if key not in self._sessions:
            with self._opening:
                if key not in self._sessions:
                    self._sessions[key] = {
                        name: _session(path, self._label, self.threads)
                        for name, path in self._paths.items()
                    }
        return self._sessions[key]

    def __reduce__(self) -> tuple[Any, ...]:
        values = self._label, dict(self._paths), self.config, self._usual
        return _reopen, (*values, _digest(self._paths))


def _reopen(
    label: str,
    paths: Mapping[str, Path],
    config: ColorizerConfig,
    threads: int,
    digest: str,
) -> OnnxNetwork:
    """Put together what OnnxNetwork.__reduce__ took apart.

    Raises:
        ModelError: the files have changed since.
    """
    if _digest(paths) != digest:
        raise ModelError(f"The files of {label} have changed since it was loaded. Load it anew.")
    network = OnnxNetwork.__new__(OnnxNetwork)
    network._open(label, paths, config, threads)
    return network


def _digest(paths: Mapping[str, Path]) -> str:
    """SHA-256 over all files."""
    whole = hashlib.sha256()
    for path in paths.values():
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _find(file: str, source: Source) -> Path:
    try:
        return source.file(file, _MOST_BYTES).absolute()
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"{source} has no {file}, so it is not a model in ONNX of this version. "
            f"Write one where torch is installed: colorize-hub export FOLDER --model MODEL"
        ) from error


def _session(path: Path, label: str, threads: int) -> InferenceSession:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "A model in ONNX needs onnxruntime: pip install 'colorize-hub[onnx]'",
            name="onnxruntime",
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
            f"{path.name} of {label} cannot be used: {str(error)[:200]}. Export it again."
        ) from error


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
