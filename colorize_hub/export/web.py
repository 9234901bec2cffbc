"""A model for the page that needs no server: graphs for a browser, and a list of them."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from colorize_hub.atomic import atomic_path
from colorize_hub.engines.folded import MOST_HINTS, FoldedAttention
from colorize_hub.export.graphs import Colours
from colorize_hub.export.preparing import prepare_export
from colorize_hub.export.web_colors import (
    BeforeTransfer,
    Certainty,
    Match,
    Pick,
    Suggest,
    Tilt,
    Transfer,
)
from colorize_hub.export.web_graphs import Lab, Lightness, Look, Paint, Reduce, Resize, See, Spots
from colorize_hub.export.web_hints import Attend, Krige, ReadCells, Relate
from colorize_hub.export.web_live import Steady
from colorize_hub.export.web_trace import HALF, Graph, trace
from colorize_hub.hints.variation import DIRECTIONS, DRAWS
from colorize_hub.network.colornet import ColorNet

MANIFEST = "model.json"
FORMAT = 1
SUGGESTIONS = 5
_CELLS = "P - | P - | P - | - - h w | N | - N | N N | n"  # what Krige and Attend take
_CELL_NAMES = "place roots seen own anchors wanted solver at"


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
    network, folder = prepare_export(network, folder)
    files = {graph.name: _write(graph, folder) for graph in web_graphs(network)}
    facts = {"format": FORMAT, "config": network.config.to_dict(), "takes": DRAWS * DIRECTIONS}
    facts |= {"few_hints": MOST_HINTS, "graphs": files}
    manifest = folder / MANIFEST
    with atomic_path(manifest) as partial:
        partial.write_text(json.dumps(facts, indent=1) + "\n")
    return manifest


@torch.no_grad()
def web_graphs(network: ColorNet) -> Iterator[Graph]:
    """Yield what the page computes with, for a network made `for_inference`."""
    config, pixels = network.config, torch.randint(0, 256, (12, 20, 4), dtype=torch.uint8)
    lightness, place = torch.rand(1, 1, 96, 160) * 100, torch.tensor([8, 40])
    light = torch.rand(12, 20) * 100
    maps = network.decode_features(network.encode(lightness))
    small = maps[:, :, :8, :12]
    logits, ab = network.logits(maps), torch.randn(1, 2, 24, 40) * 60
    strip = torch.tensor([8, 40, 16, 2, 6])
    yield Graph("light", Lightness(), (pixels,), "pixels", "n W -", "light", "n W")
    yield Graph("reduce", Reduce(), (light, strip), "light place", "n W | -", "part", "r W")
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
        (light, ab, place),
        "light ab place",
        f"n W | {grid} | -",
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
    inputs, axes = (logits, torch.tensor([3, 4])), f"{logit_axes} | -"
    yield Graph("pick", Pick(), inputs, "logits cell", axes, "here", "-")
    suggest, inputs = Suggest(step, SUGGESTIONS), (Pick()(*inputs), pixels[:1, :1])
    yield Graph("suggest", suggest, inputs, "logits pixel", "- | - - -", "rgb share", "- - - | -")
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
    still = torch.zeros(2, *frames.shape)
    inputs = (lightness, lightness * 0.9, ab, colour, frames, torch.tensor(0.9), ab * 0)
    inputs += (still, still.clone())
    names = "lightness before ab colour frames keep shift back forth"
    axes = "- - H W | - - H W | - - h w | - h w | h w | | - - h w | - h w | - h w"
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
        folded = Attend(FoldedAttention(network.attention), scale)
        yield Graph("attend_few", folded, inputs, _CELL_NAMES, _CELLS, "correction", "n -")


def _write(graph: Graph, folder: Path) -> dict[str, Any]:
    """Write a graph; its entry in the manifest."""
    traced = trace(graph)
    content = gzip.compress(traced, mtime=0)
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{graph.name}-{digest[:16]}.onnx.gz"
    with atomic_path(path) as partial:
        partial.write_bytes(content)
    entry = {"file": path.name, "sha256": digest, "bytes": len(content)}
    return entry | {"halved": HALF.encode() in traced}
