"""OnnxEngine: a network in ONNX on the CPU. It runs where torch is not installed."""

import numpy as np

from colorize_hub.colour.arrays import Array, to_numpy
from colorize_hub.engines.engine import Engine
from colorize_hub.engines.onnx_network import OnnxNetwork


class OnnxEngine(Engine[OnnxNetwork]):
    """A trained network in ONNX. It can be pickled where its files stay."""

    device = "cpu"

    def __init__(self, network: OnnxNetwork) -> None:
        self.network, self.config = network, network.config

    @property
    def threads(self) -> int:
        """See Engine."""
        return self.network.threads

    def use_threads(self, count: int) -> None:
        """See Engine."""
        self.network.use_threads(count)

    def asarray(self, values: Array) -> np.ndarray:
        """See Engine."""
        return np.ascontiguousarray(to_numpy(values), np.float32)
