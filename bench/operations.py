"""`python -m bench.operations`: what the page without a server computes for one live picture.

Multiply-adds and passes (kernels that touch numbers) of every graph, counted in a run of
onnxruntime. They say what a graphics processor has to do, whatever its speed.
"""

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tyro

from colorize_hub.export.web import web_graphs
from colorize_hub.export.web_trace import trace
from colorize_hub.loading import BUNDLED, read_model
from colorize_hub.network.colornet import for_inference
from colorize_hub.network.working import overview_shape, working_shape

Arrays = dict[str, np.ndarray]
_SUMS = {"Conv", "FusedConv", "MatMul", "FusedMatMul", "Gemm"}
# They look at shapes, or hand numbers on as they are.
_FREE = {"Shape", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity"}
_SMALL = 64  # numbers: an operation on fewer is about shapes and places


@dataclass(frozen=True)
class Run:
    """One graph in one run.

    Attributes:
        name: of the graph.
        passes: kernels on more than a few numbers.
        sums: multiply-adds of convolutions and matrix products.
        values: numbers that the other kernels write.
    """

    name: str
    passes: int
    sums: int
    values: int


def operations(side: int = 256, width: int = 640, height: int = 480) -> None:
    """Count and report.

    Args:
        side: Working short side in pixels, as the live picture chooses it.
        width: Of the picture.
        height: Likewise.
    """
    runs = count_frame(side, (height, width))
    print(f"a live picture of {width} x {height}, worked on at {side} pixels\n")
    print(f"{'':10}{'passes':>8}{'multiply-adds':>16}{'other values':>14}")
    for run in [*runs, _total(runs)]:
        print(f"{run.name:10}{run.passes:8}{run.sums / 1e6:14.1f} M{run.values / 1e6:12.1f} M")


def _total(runs: list[Run]) -> Run:
    sums = (sum(getattr(run, what) for run in runs) for what in ("passes", "sums", "values"))
    return Run("all", *sums)


def count_frame(side: int, size: tuple[int, int]) -> list[Run]:
    """Count what web/src/live.js runs for a picture (height, width) without hints, in its order."""
    network = for_inference(read_model(BUNDLED))
    graphs = {graph.name: graph for graph in web_graphs(network)}
    traced = cache(lambda name: trace(graphs[name]))
    runs: list[Run] = []

    def run(name: str, **inputs: np.ndarray) -> Arrays:
        found, counted = _counted(name, traced(name), inputs)
        runs.append(counted)
        return found

    config, (height, width) = network.config, size
    shape = working_shape(height, width, side)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    place = np.array([0, height, shape[0], 0, shape[0]])
    light = run("light", pixels=pixels)["light"]
    part = run("reduce", light=light, place=place)["part"]
    lightness = run("resize", planes=part[None, None], size=np.array(shape))["resized"]
    detail = overview = run("see", lightness=lightness)["maps"]
    if small := overview_shape(*shape, config.overview):
        seen = run("resize", planes=lightness, size=np.array(small))["resized"]
        overview = run("see", lightness=seen)["maps"]
    logits = run("look", detail=detail, overview=overview)["logits"]
    vividness, scale = (np.array(one, "f4") for one in (config.vividness, config.chroma_scale))
    ab = run("colors", logits=logits, vividness=vividness, chroma_scale=scale)["ab"]
    kept = {"colour": np.zeros((3, *ab.shape[2:]), "f4"), "frames": np.zeros(ab.shape[2:], "f4")}
    steady = {"lightness": lightness, "before": lightness, "ab": ab, "shift": ab * 0, **kept}
    run("steady", **steady, keep=np.array(0.9, "f4"), back=ab[0] * 0, forth=ab[0] * 0)
    run("paint", light=light, ab=ab, place=np.array([0, height]))
    return runs


def _counted(name: str, graph: bytes, inputs: Mapping[str, np.ndarray]) -> tuple[Arrays, Run]:
    """Run a graph; what it answers, and what that took."""
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True  # and no layouts that only some processors have
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    with tempfile.TemporaryDirectory() as scratch:
        options.profile_file_prefix = str(Path(scratch) / name)
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_outputs()]
        answers = [np.asarray(one) for one in session.run(None, inputs)]
        found = dict(zip(names, answers, strict=True))
        events = json.loads(Path(session.end_profiling()).read_text())
    kernels = [e["args"] for e in events if e["cat"] == "Node" and "op_name" in e["args"]]
    kernels = [kernel for kernel in kernels if kernel["op_name"] not in _FREE]
    large = [kernel for kernel in kernels if _numbers(kernel["output_type_shape"]) > _SMALL]
    sums = sum(_sums(kernel) for kernel in large)
    others = [kernel for kernel in large if kernel["op_name"] not in _SUMS]
    values = sum(_numbers(kernel["output_type_shape"]) for kernel in others)
    return found, Run(name, len(large), sums, values)


def _numbers(shapes: list[dict[str, list[int]]]) -> int:
    return sum(math.prod(shape) for one in shapes for shape in one.values())


def _sums(kernel: dict[str, Any]) -> int:
    """Multiply-adds: of each number written, as many as weights that it sums."""
    if kernel["op_name"] not in _SUMS:
        return 0
    first, second = (next(iter(one.values())) for one in kernel["input_type_shape"][:2])
    written = _numbers(kernel["output_type_shape"][:1])
    return written * (math.prod(second[1:]) if "Conv" in kernel["op_name"] else first[-1])


if __name__ == "__main__":
    tyro.cli(operations, prog="python -m bench.operations")
