"""`python -m bench.backends`: torch and onnxruntime side by side, from start-up to picture."""

import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from tyro.conf import arg

from bench.clock import Row, Work, compare, fresh_python, table
from bench.measures import make_photograph
from colorize_hub.engines.fused import fuse
from colorize_hub.engines.onnx_engine import OnnxEngine, OnnxNetwork
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.export.export import export
from colorize_hub.export.quantize import quantize
from colorize_hub.hub.sources import Folder
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import read_model
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference

SIDE = 256


def bench(
    *,
    model: Annotated[Path | None, arg(metavar="FOLDER")] = None,
    threads: int = 2,
    turns: int = 15,
) -> None:
    """Measure every backend in turns with torch in float32, in one run.

    Args:
        model: Folder of a model; the default is the built-in model.
        threads: Threads that a backend may use.
        turns: Measurements of which the median is taken.
    """
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of the fresh processes
    network = read_model(model)
    with tempfile.TemporaryDirectory() as name:
        folders = {"onnx fp32": Path(name) / "fp32", "onnx int8": Path(name) / "int8"}
        for folder in folders.values():
            export(network, folder)
        quantize(folders["onnx int8"])
        config = network.config
        graphs = {n: OnnxNetwork(Folder(one), config, threads) for n, one in folders.items()}
        rows = _network_rows(network, graphs, turns) + _picture_rows(network, graphs, turns)
        print(table(rows + _start_rows(folders["onnx fp32"], Path(name), turns)))


@torch.inference_mode()
def _network_rows(network: ColorNet, graphs: dict[str, OnnxNetwork], turns: int) -> list[Row]:
    grey = torch.rand(1, 1, SIDE, SIDE) * 100
    rows = []
    dtypes = {"torch fp32": torch.float32}
    if fast_dtype(torch.device("cpu")) != torch.float32:
        dtypes["torch bf16"] = torch.bfloat16
    tensors = {name: fuse(for_inference(network, dtype)) for name, dtype in dtypes.items()}
    encode: dict[str, Work] = {n: partial(net.encode, grey) for n, net in tensors.items()}
    decode: dict[str, Work] = {
        n: partial(net.decode, net.encode(grey)) for n, net in tensors.items()
    }
    for name, one in graphs.items():
        encode[name] = partial(one.encode, grey.numpy())
        decode[name] = partial(_decoded, one, one.encode(grey.numpy()))
    for part, works in (("encode", encode), ("decode", decode)):
        other = works.pop("torch fp32")
        named = {f"{part} {SIDE} px, {name}": work for name, work in works.items()}
        rows += compare(named, "torch fp32", other, turns)
    return rows


def _decoded(graphs: OnnxNetwork, features: list[np.ndarray]) -> np.ndarray:
    return graphs.logits(graphs.decode_features(features))


def _picture_rows(network: ColorNet, graphs: dict[str, OnnxNetwork], turns: int) -> list[Row]:
    rows = []
    exact, usual = (
        Colorizer(TorchEngine(network, "cpu", dtype)) for dtype in (torch.float32, None)
    )
    others = {name: Colorizer(OnnxEngine(one)) for name, one in graphs.items()}
    for megapixels in (0.3, 12):
        photo = np.asarray(make_photograph(megapixels))
        works: dict[str, Work] = {"torch as it chooses": partial(usual.colorize, photo)}
        works |= {name: partial(one.colorize, photo) for name, one in others.items()}
        named = {f"{megapixels:g} megapixels, {name}": work for name, work in works.items()}
        rows += compare(named, "torch fp32", partial(exact.colorize, photo), min(turns, 5))
    return rows


def _start_rows(exported: Path, folder: Path, turns: int) -> list[Row]:
    """Fresh processes, from nothing to the first picture."""
    make_photograph(0.3).save(folder / "small.png")
    code = "from colorize_hub import load; load({}).colorize({})"
    picture = json.dumps(str(folder / "small.png"))
    works = {
        "import, load and a picture, onnx fp32": fresh_python(
            "-c", code.format(json.dumps(str(exported)), picture)
        )
    }
    other = fresh_python("-c", code.format("", picture))
    return compare(works, "torch", other, min(turns, 5))


if __name__ == "__main__":
    tyro.cli(bench, prog="python -m bench.backends", config=(tyro.conf.FlagCreatePairsOff,))
