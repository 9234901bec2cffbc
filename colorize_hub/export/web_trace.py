"""What the page that needs no server runs, traced: graphs of ONNX that a browser is quick with."""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from colorize_hub.export.graphs import SYMBOLICS

if TYPE_CHECKING:
    import onnx

HALF = ".float16"  # ends the names of constants that are stored so
_OPSET = 18
_SMALL = 4096  # constants of fewer numbers stay exact, as tables of colour do


class Graph(NamedTuple):
    """What to trace.

    Attributes:
        name: of the graph.
        module: to trace.
        example: its inputs.
        inputs: their names, with spaces between.
        axes: of each input, "|" between; "-" is an axis of a fixed length.
        outputs: names of what it answers.
        found: axes of these.
    """

    name: str
    module: nn.Module
    example: tuple[Tensor, ...]
    inputs: str
    axes: str
    outputs: str
    found: str


def trace(graph: Graph) -> bytes:
    """Return a graph of ONNX, its weights in float16."""
    names, found = graph.inputs.split(), graph.outputs.split()
    axes = [
        *zip(names, graph.axes.split("|"), strict=True),
        *zip(found, graph.found.split("|"), strict=True),
    ]
    free = {
        name: {axis: letter for axis, letter in enumerate(letters.split()) if letter != "-"}
        for name, letters in axes
    }
    buffer = io.BytesIO()
    symbolics = _SYMBOLICS | ({"aten::where": _chosen} if graph.name in _OF_FINITE else {})
    for name, symbolic in symbolics.items():
        torch.onnx.register_custom_op_symbolic(name, symbolic, _OPSET)  # pyright: ignore
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecation; shapes that are constants on purpose
            torch.onnx.export(
                graph.module.eval(),
                graph.example,
                buffer,  # pyright: ignore[reportArgumentType]
                dynamo=False,
                opset_version=_OPSET,
                input_names=names,
                output_names=found,
                dynamic_axes=free,
            )
    finally:
        for name in symbolics:
            torch.onnx.unregister_custom_op_symbolic(name, _OPSET)  # pyright: ignore
    return _halved(_simplified(buffer.getvalue()))


def _sorted(graph: object, values: object, _: object, dim: object, descending: object) -> object:
    """ONNX for torch.sort as the array API calls it, which the exporter takes for another."""
    from torch.onnx import symbolic_helper as helper

    axis, falling = helper._get_const(dim, "i", "dim"), helper._get_const(descending, "b", "")
    return helper._sort_helper(graph, values, axis, descending=falling)  # pyright: ignore


def _largest(graph: object, values: object, axes: object, keepdim: object) -> object:
    """ONNX for the largest of three channels: several times faster than ReduceMax over them."""
    from torch.onnx import symbolic_helper as helper

    op = graph.op  # pyright: ignore
    dims: list[int] = helper._get_const(axes, "is", "dim")  # pyright: ignore
    keep = helper._get_const(keepdim, "i", "keepdim")
    where = op("Constant", value_t=torch.tensor(dims))
    if helper._get_tensor_dim_size(values, dims[0]) != 3:  # pyright: ignore
        return op("ReduceMax", values, where, keepdims_i=keep)
    largest = op("Max", *op("Split", values, axis_i=dims[0], num_outputs_i=3, outputs=3))
    return largest if keep else op("Squeeze", largest, where)


def _chosen(graph: object, condition: object, one: object, other: object) -> object:
    """ONNX for torch.where of finite numbers: several times faster than Where."""
    share = graph.op("Cast", condition, to_i=1)  # pyright: ignore
    step = graph.op("Mul", share, graph.op("Sub", one, other))  # pyright: ignore
    return graph.op("Add", other, step)  # pyright: ignore


_SYMBOLICS = SYMBOLICS | {"aten::sort": _sorted, "aten::amax": _largest}
_OF_FINITE = {
    "paint",
    "spots",
    "transfer",
}  # graphs in which every choice is between finite numbers


def _simplified(model: bytes) -> bytes:
    """Return a graph of far fewer nodes that computes the same; a browser takes long to do it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as scratch:
        options.optimized_model_filepath = str(Path(scratch) / "simple.onnx")
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return Path(options.optimized_model_filepath).read_bytes()


def _halved(model: bytes) -> bytes:
    """Return a graph whose large constants are stored as float16 and cast when it is loaded."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = onnx.load_from_string(model)
    casts: list[onnx.NodeProto] = []
    for tensor in graph.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or numpy_helper.to_array(tensor).size < _SMALL:
            continue
        exact, name = numpy_helper.to_array(tensor), tensor.name
        tensor.CopyFrom(numpy_helper.from_array(exact.astype("float16"), f"{name}{HALF}"))
        casts.append(helper.make_node("Cast", [f"{name}{HALF}"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    return graph.SerializeToString()
