"""A model as ONNX files, for onnxruntime: in Python without torch, in a browser, on a phone."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from colorize_hub.atomic import atomic_path, write_atomically
from colorize_hub.export.card import render_export_card
from colorize_hub.export.graphs import (
    SYMBOLICS,
    Colours,
    Decoder,
    Encoder,
    Head,
    Lab,
    Overview,
    Render,
)
from colorize_hub.export.preparing import prepare_export
from colorize_hub.hub.sources import ATTENTION, CARD, CONFIG, GRAPHS
from colorize_hub.network.colornet import ColorNet

if TYPE_CHECKING:
    from torch import Tensor, nn

    from colorize_hub.network.attention import HintAttention

OPSET = 18
_EXAMPLE = (2, 1, 96, 160)  # every side of every map differs, and none is 1


def export(network: ColorNet, folder: str | os.PathLike[str]) -> Path:
    """Write a network as ONNX graphs, with config.json and a README.md that tells how to use them.

    Args:
        network: trained.
        folder: made if missing.

    Returns:
        The folder, which `load(folder, backend="onnx")` takes.

    Raises:
        ModelError: there is a file where the folder should be.
        ModuleNotFoundError: the package `onnx` is missing.
    """
    network, folder = prepare_export(network, folder)
    _write_graphs(network, folder)
    config = network.config.to_dict()
    write_atomically(folder / CONFIG, json.dumps(config, indent=2, sort_keys=True) + "\n")
    channels = network.encoder.feature_info.channels()  # pyright: ignore
    width, bins = network.config.decoder_channels[-1], network.head.out_channels
    card = render_export_card(network.config, channels, width, bins, OPSET, folder.name)
    write_atomically(folder / CARD, card)
    return folder


@torch.no_grad()
def _write_graphs(network: ColorNet, folder: Path) -> None:
    lightness = torch.rand(_EXAMPLE) * 100
    features = tuple(network.encode(lightness))
    shape = (len(lightness), 3, *features[0].shape[2:])
    hint_map = torch.zeros(shape)
    maps = network.decode_features(features, hint_map)
    logits = network.logits(maps)
    skips = ["f4", "f8", "f16", "f32"]
    vivid, scale = torch.tensor(0.6), torch.tensor(1.2)
    ab = torch.randn(2, 2, 24, 40) * 90  # in part beyond the gamut
    strip = torch.tensor([0, 0])

    def write(
        name: str, module: nn.Module, inputs: tuple[Tensor, ...], given: list[str], found: list[str]
    ) -> None:
        _write(folder / GRAPHS[name], module, inputs, given, found)

    write("lab", Lab(), (torch.rand(2, 3, 96, 160),), ["rgb"], ["lightness", "ab"])
    write("decoder", Decoder(network), (*features, hint_map), [*skips, "hint_map"], ["maps"])
    write("encoder", Encoder(network), (lightness,), ["lightness"], skips)
    whole = torch.rand(2, maps.shape[1], 8, 12)
    write("overview", Overview(), (maps, whole), ["maps", "whole"], ["shift"])
    write("head", Head(network), (maps,), ["maps"], ["logits", "strength"])
    if network.attention is not None:
        _write_attention(network.attention, maps.shape[1], folder / ATTENTION)
    colours = Colours(network.config.bin_step)
    inputs = ["logits", "vividness", "chroma_scale"]
    write("colours", colours, (logits, vivid, scale), inputs, ["ab"])
    write(
        "render",
        Render(),
        (lightness, ab, strip),
        ["lightness", "ab", "strip"],
        ["rgb"],
    )
    _make_optional(folder / GRAPHS["render"], "strip", [0, 0])


def _write_attention(attention: HintAttention, maps: int, path: Path) -> None:
    cells, anchors = torch.randn(1, 7, maps + 3), torch.randn(1, 3, maps + 3)
    hints, spread = torch.rand(1, 3, 5), torch.rand(1, 7, 5)
    inputs = (cells, anchors, hints, spread, torch.rand(1, 3, 3, 7))
    names = ["cells", "anchors", "hints", "spread", "relation"]
    free = {"cells": {1: "P"}, "spread": {1: "P"}, "anchors": {1: "N"}, "hints": {1: "N"}}
    free |= {"relation": {2: "N", 3: "P"}, "ab": {1: "P"}}
    _write(path, attention, inputs, names, ["ab"], free)


def _write(
    path: Path,
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    input_names: list[str],
    output_names: list[str],
    free: dict[str, dict[int, str]] | None = None,
) -> None:
    """Trace a module: the exporter of graphs by torch.export takes minutes for these."""
    of_maps = [name for name, value in zip(input_names, inputs, strict=True) if value.ndim == 4]
    for name, symbolic in SYMBOLICS.items():
        torch.onnx.register_custom_op_symbolic(name, symbolic, OPSET)  # pyright: ignore
    try:
        with atomic_path(path) as partial, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecation; shapes that are constants on purpose
            torch.onnx.export(
                module.eval(),
                inputs,
                str(partial),
                dynamo=False,
                opset_version=OPSET,
                input_names=input_names,
                output_names=output_names,
                dynamic_axes=free
                or {
                    name: {0: "batch", 2: f"{name} height", 3: f"{name} width"}
                    for name in (*of_maps, *output_names)
                },
            )
    finally:
        for name in SYMBOLICS:
            torch.onnx.unregister_custom_op_symbolic(name, OPSET)  # pyright: ignore


def _make_optional(path: Path, name: str, default: list[int]) -> None:
    """Give an input of a graph a default value."""
    import onnx

    model = onnx.load(path)
    tensor = onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [len(default)], default)
    model.graph.initializer.append(tensor)
    onnx.save(model, path)
