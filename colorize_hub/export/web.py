"""A model for the page that needs no server: graphs for a browser, and a list of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from colorize_hub.atomic import atomic_path
from colorize_hub.errors import ModelError
from colorize_hub.export.graphs import SYMBOLICS, Colours
from colorize_hub.export.web_colors import BeforeTransfer, Certainty, Match, Suggest, Tilt, Transfer
from colorize_hub.export.web_graphs import Lab, Look, Paint, Reduce, Resize, See, Spots
from colorize_hub.export.web_hints import Attend, Krige, ReadCells, Relate
from colorize_hub.export.web_live import Steady
from colorize_hub.hints.variation import DIRECTIONS, DRAWS
from colorize_hub.network.colornet import ColorNet, for_inference

if TYPE_CHECKING:
    import onnx

MANIFEST = "model.json"
FORMAT = 1
_OPSET = 18
_HALF = ".float16"  # ends the names of constants that are stored so
_SMALL = 4096  # constants of fewer numbers stay exact, as tables of colour do
SUGGESTIONS = 5
_CELLS = "P - | P - | P - | - - h w | N | - N | N N | n"  # what Krige and Attend take
_CELL_NAMES = "place roots seen own anchors wanted solver at"


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


def export_web(network: ColorNet, folder: str | os.PathLike[str]) -> Path:
    """Write a network as graphs for the page that needs no server.

    Files are named by their content, so that a browser may keep them for ever; the manifest
    `model.json` lists them, with the numbers of the model that the page needs. Weights are stored
    as float16 and computed with in float32.

    Args:
        network: trained.
        folder: made if missing; what is in it stays.

    Returns:
        The manifest.

    Raises:
        ModelError: there is a file where the folder should be.
        ModuleNotFoundError: the package `onnx` is missing.
    """
    try:
        import onnx  # noqa: F401 - torch.onnx needs it at the very end
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "The page without a server needs onnx: pip install 'colorize-hub[export]'", name="onnx"
        ) from error
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"export writes a folder, but {folder} is a file; name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    network = for_inference(network.cpu()).to(memory_format=torch.contiguous_format)  # pyright: ignore
    files = {graph.name: _write(graph, folder) for graph in web_graphs(network)}
    facts = {"format": FORMAT, "config": network.config.to_dict(), "takes": DRAWS * DIRECTIONS}
    facts |= {"graphs": files}
    manifest = folder / MANIFEST
    with atomic_path(manifest) as partial:
        partial.write_text(json.dumps(facts, indent=1) + "\n")
    return manifest


@torch.no_grad()
def web_graphs(network: ColorNet) -> Iterator[Graph]:
    """Yield what the page computes with, for a network made `for_inference`."""
    config, pixels = network.config, torch.randint(0, 256, (12, 20, 4), dtype=torch.uint8)
    lightness, place = torch.rand(1, 1, 96, 160) * 100, torch.tensor([8, 40])
    maps = network.decode_features(network.encode(lightness))
    small = maps[:, :, :8, :12]
    logits, ab = network.logits(maps), torch.randn(1, 2, 24, 40) * 60
    strip = torch.tensor([8, 40, 16, 2, 6])
    yield Graph("reduce", Reduce(), (pixels, strip), "pixels place", "n W - | -", "part", "r W")
    planes = torch.rand(1, 2, 24, 40)
    inputs = (planes, torch.tensor([8, 50]))
    yield Graph("resize", Resize(), inputs, "planes size", "- C H W | -", "resized", "- C h w")
    grid = "- - h w"
    yield Graph("see", See(network), (lightness,), "lightness", "- - H W", "maps", grid)
    axes, names = f"{grid} | - - i j", "maps logits strength"
    yield Graph(
        "look",
        Look(network),
        (maps, small),
        "detail overview",
        axes,
        names,
        f"{grid} | {grid} | - - - -",
    )
    scalars = (torch.tensor(0.6), torch.tensor(1.2))
    names = "logits vividness chroma_scale"
    colors = Colours(config.bin_step)
    yield Graph("colors", colors, (logits, *scalars), names, f"{grid} | |", "ab", grid)
    yield Graph(
        "paint",
        Paint(),
        (pixels, ab, place),
        "pixels ab place",
        f"n W - | {grid} | -",
        "painted",
        "n W -",
    )
    inputs, axes = (pixels[:1], torch.randn(2, 1, 20) * 60), "- N - | - - N"
    yield Graph("spots", Spots(), inputs, "pixels ab", axes, "painted", "- N -")
    yield Graph("lab", Lab(), (pixels,), "pixels", "n W -", "lab", "- n W")
    yield from _of_hints(network, logits, maps, lightness)
    yield from _of_desk(network, logits, pixels)
    yield _of_live(lightness, ab)


def _of_desk(network: ColorNet, logits: Tensor, pixels: Tensor) -> Iterator[Graph]:
    step, logit_axes = network.config.bin_step, "- - h w"
    suggest, inputs = Suggest(step, SUGGESTIONS), (logits, torch.tensor([3, 4]), pixels[:1, :1])
    names, found = "logits cell pixel", "- - - | -"
    yield Graph("suggest", suggest, inputs, names, f"{logit_axes} | - | - - -", "rgb share", found)
    inputs, axes = (logits, torch.tensor([80, 90])), f"{logit_axes} | -"
    yield Graph("certainty", Certainty(), inputs, "logits size", axes, "sure", "- - H W")
    inputs = (logits, torch.tensor([7]))
    yield Graph("tilt", Tilt(step), inputs, "logits take", axes, "tilted", logit_axes)
    there, nodes = pixels[:7, :9], torch.tensor([[20.0, 1, 1, 5, 5], [70.0, 2, 1, 0, -5]])
    axes = "n W - | m V -"
    yield Graph("match", Match(), (pixels, there), "here there", axes, "nodes", "- -")
    inputs, axes = (pixels, nodes), "n W - | K -"
    yield Graph("transfer", Transfer(), inputs, "pixels nodes", axes, "painted", "n W -")
    inputs, axes = (pixels[:1], pixels[1:2], nodes), "- N - | - N - | K -"
    names = "wanted grey nodes"
    yield Graph("before_transfer", BeforeTransfer(), inputs, names, axes, "rgb", "- N -")


def _of_live(lightness: Tensor, ab: Tensor) -> Graph:
    colour, frames = torch.rand(3, *ab.shape[2:]), torch.rand(ab.shape[2:])
    inputs = (lightness, lightness * 0.9, ab, colour, frames, torch.tensor(0.9), ab * 0)
    names = "lightness before ab colour frames keep shift"
    axes = "- - H W | - - H W | - - h w | - h w | h w | | - - h w"
    return Graph(
        "steady",
        Steady(),
        inputs,
        names,
        axes,
        "steadied kept_colour kept_frames",
        "- - h w | - h w | h w",
    )


def _of_hints(
    network: ColorNet, logits: Tensor, maps: Tensor, lightness: Tensor
) -> Iterator[Graph]:
    read = ReadCells(network.config.bin_step)
    inputs, axes = (logits, maps, lightness), "- - h w | - - h w | - - H W"
    names, found = "place roots seen", "P - | P - | P -"
    yield Graph("cells", read, inputs, "logits maps lightness", axes, names, found)
    cells, anchors = read(*inputs), torch.tensor([3, 50, 70])
    inputs, axes = (*cells, anchors), f"{found} | N"
    yield Graph("relate", Relate(), inputs, f"{names} anchors", axes, "system", "N N")
    solver, wanted = torch.linalg.inv(Relate()(*inputs)), torch.randn(2, 3) * 30
    inputs = (*cells, maps[:, :2], anchors, wanted, solver, torch.arange(0, 400, 3))
    scale = network.config.chroma_scale
    yield Graph("krige", Krige(scale), inputs, _CELL_NAMES, _CELLS, "ab trust", "n - | n")
    if network.attention is not None:
        attend = Attend(network.attention, scale)
        yield Graph("attend", attend, inputs, _CELL_NAMES, _CELLS, "correction", "n -")


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
    for name, symbolic in _SYMBOLICS.items():
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
        for name in _SYMBOLICS:
            torch.onnx.unregister_custom_op_symbolic(name, _OPSET)  # pyright: ignore
    return _halved(_simplified(buffer.getvalue()))


def _sorted(graph: object, values: object, _: object, dim: object, descending: object) -> object:
    """ONNX for torch.sort as the array API calls it, which the exporter takes for another."""
    from torch.onnx import symbolic_helper as helper

    axis, falling = helper._get_const(dim, "i", "dim"), helper._get_const(descending, "b", "")
    return helper._sort_helper(graph, values, axis, descending=falling)  # pyright: ignore


_SYMBOLICS = SYMBOLICS | {"aten::sort": _sorted}


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
        tensor.CopyFrom(numpy_helper.from_array(exact.astype("float16"), f"{name}{_HALF}"))
        casts.append(helper.make_node("Cast", [f"{name}{_HALF}"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    return graph.SerializeToString()


def _write(graph: Graph, folder: Path) -> dict[str, Any]:
    """Write a graph; its entry in the manifest."""
    traced = trace(graph)
    content = gzip.compress(traced, mtime=0)
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{graph.name}-{digest[:16]}.onnx.gz"
    with atomic_path(path) as partial:
        partial.write_bytes(content)
    entry = {"file": path.name, "sha256": digest, "bytes": len(content)}
    return entry | {"halved": _HALF.encode() in traced}
