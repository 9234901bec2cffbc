"""The decoder of an exported model in 8-bit integers: faster where processors multiply those fast.

Static, per channel, calibrated on pictures (Jacob et al., "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference", 2018). The encoder stays in float32: it
takes a third of the time, and rounding there costs more colour than in the decoder.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from colorize_hub.atomic import atomic_path
from colorize_hub.engines.compose import reduced_lightness
from colorize_hub.engines.onnx_network import OnnxNetwork
from colorize_hub.hub.sources import CONFIG, GRAPHS, Folder
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import ImageLike, read_picture

_PRINTS = Path(__file__).parent.parent / "demo" / "examples"
_EXACT = ("from_hint",)  # small, and what they answer is exact
_HINTED = 0.02  # share of cells with a hint, in every other run of the calibration
_REACH = 60.0  # ab of these hints


def quantize(folder: str | os.PathLike[str], pictures: Iterable[ImageLike] | None = None) -> None:
    """Turn the decoder of an exported model into 8-bit integers, in place.

    Args:
        folder: as `export` writes it.
        pictures: a few to find the ranges of activations on; colours in them are ignored. None
            takes the prints that come with the package.

    Raises:
        ModelNotFoundError: there is no exported model in the folder.
        PictureError: a picture cannot be read.
        ValueError: there is no picture.
    """
    folder = Path(folder)
    pictures = sorted(_PRINTS.glob("*.jpg")) if pictures is None else pictures
    config = ColorizerConfig.from_dict(json.loads((folder / CONFIG).read_text()))
    network = OnnxNetwork(Folder(folder), config)
    runs = _Runs(network, [_lightness(one, config.size) for one in pictures])
    decoder = folder / GRAPHS["decoder"]
    model = onnx.load(decoder)
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with atomic_path(decoder) as partial:
        quantize_static(
            model,
            partial,
            runs,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[n for n in convolutions if any(part in n for part in _EXACT)],
        )


def _lightness(image: ImageLike, size: int) -> np.ndarray:
    """(1, 1, h, w) L* at working size."""
    picture = read_picture(image)
    shape = working_shape(picture.height, picture.width, size)
    return reduced_lightness(picture.pixels, shape)[None]


class _Runs(CalibrationDataReader):
    """Inputs of the decoder for (1, 1, h, w) lightness of pictures, without hints and with some."""

    def __init__(self, network: OnnxNetwork, lightness: Sequence[np.ndarray]) -> None:
        if not lightness:
            raise ValueError("quantize needs a few pictures to find the ranges on, got none.")
        rng = np.random.default_rng(0)
        inputs: list[dict[str, np.ndarray]] = []
        for one in lightness:
            features = network.encode(one)
            maps = dict(zip(("f4", "f8", "f16", "f32"), features, strict=True))
            hint_map = rng.uniform(-_REACH, _REACH, (1, 3, *features[0].shape[2:]))
            hint_map[:, 2] = rng.uniform(size=hint_map[:, 2].shape) < _HINTED
            hint_map[:, :2] *= hint_map[:, 2:]
            inputs.append(maps | {"hint_map": np.zeros(hint_map.shape, np.float32)})
            inputs.append(maps | {"hint_map": hint_map.astype(np.float32)})
        self._left = iter(inputs)

    def get_next(self) -> dict[str, np.ndarray]:
        """Return the next inputs; nothing when all were given."""
        return next(self._left, {})
