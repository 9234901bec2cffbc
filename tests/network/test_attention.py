"""Attention to hints: what it keeps of kriging, and what it must not depend on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from colorize_hub import Hint, load
from colorize_hub.colour.palette import palette
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.export.export import export
from colorize_hub.hints.cells import Cells
from colorize_hub.hints.kriging import Kriging, attention_step, spread_hints
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import read_model, save
from colorize_hub.network.attention import HintAttention
from colorize_hub.network.colornet import ColorNet, for_inference
from tests.scenes import difference, scene

STEP, GRID, MAPS = 20, (12, 16), 8
HINTS = [Hint(20, 15, (200, 60, 50)), Hint(50, 40, (60, 80, 190))]


@pytest.fixture
def cells():
    logits = torch.randn(len(palette(STEP)), *GRID)
    return Cells.read(logits, torch.randn(MAPS, *GRID), torch.rand(GRID) * 100, STEP)


@pytest.fixture
def hint_map():
    drawn = torch.zeros(3, *GRID)
    for row, column, a, b in ((2, 3, 50, 20), (8, 11, -30, 40), (10, 2, 10, -60)):
        drawn[:, row, column] = torch.tensor([a, b, 1.0])
    return drawn


def taught(attention):
    """As if it had learned something."""
    torch.nn.init.normal_(attention.answer.weight, std=0.3)
    return attention.eval()


@torch.no_grad()
def test_untrained_it_leaves_what_kriging_says(cells, hint_map):
    own = torch.randn(2, *GRID) * 20
    kriged = spread_hints(hint_map, own, cells, 1.3)
    untrained = spread_hints(hint_map, own, cells, 1.3, HintAttention(MAPS, 24))
    torch.testing.assert_close(untrained, kriged)


@torch.no_grad()
def test_it_changes_the_rest_and_never_the_hinted_cells(cells, hint_map):
    own = torch.randn(2, *GRID) * 20
    kriged = spread_hints(hint_map, own, cells, 1.3)
    ours = spread_hints(hint_map, own, cells, 1.3, taught(HintAttention(MAPS, 24)))
    hinted = hint_map[2] > 0
    assert torch.equal(ours[:, hinted], hint_map[:2, hinted])
    assert (ours - kriged)[:, ~hinted].abs().mean() > 0.5


@torch.no_grad()
def test_beyond_one_hint_little_is_corrected_and_beyond_many_nearly_all(cells):
    def trust(anchors):
        wanted = torch.randn(2, len(anchors)) * 30
        kriging = Kriging(cells, torch.tensor(anchors), wanted, torch.zeros(2, 192), 1.3)
        found = kriging.at(slice(None))
        return kriging.trust(found)[:, 0], found.spread[:, 4]

    one, influence = trust([40])
    assert torch.equal(one, influence)
    assert one[40] > 0.9
    assert one.min() < 0.05
    many, _ = trust([0, 5, 10, 15, 80, 85, 90, 95, 176, 181, 186, 191])
    assert many.min() > 0.75


def question(cells=9, hints=4):
    """Random arguments of `HintAttention.forward`."""
    return [
        torch.randn(1, cells, MAPS + 3),
        torch.randn(1, hints, MAPS + 3),
        torch.cat((torch.randn(1, hints, 4) * 30, torch.rand(1, hints, 1)), -1),
        torch.cat((torch.randn(1, cells, 4) * 30, torch.rand(1, cells, 1)), -1),
        torch.rand(1, 3, hints, cells),
    ]


@torch.no_grad()
def test_the_order_of_hints_and_of_cells_does_not_matter():
    attention = taught(HintAttention(MAPS, 24))
    cells, anchors, hints, spread, relation = question()
    ours = attention(cells, anchors, hints, spread, relation)
    by = torch.tensor([2, 0, 3, 1])
    other = attention(cells, anchors[:, by], hints[:, by], spread, relation[:, :, by])
    torch.testing.assert_close(ours, other, atol=1e-4, rtol=1e-4)
    last = attention(cells[:, -2:], anchors, hints, spread[:, -2:], relation[..., -2:])
    torch.testing.assert_close(ours[:, -2:], last, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_hint_that_is_drawn_over_several_cells_counts_once():
    attention = taught(HintAttention(MAPS, 24))
    cells, anchors, hints, spread, relation = question()
    several = torch.tensor([0, 1, 2, 3, 3, 3])
    shared = hints[:, several].clone()
    shared[:, 3:, 4] /= 3
    ours = attention(cells, anchors, hints, spread, relation)
    drawn = attention(cells, anchors[:, several], shared, spread, relation[:, :, several])
    torch.testing.assert_close(ours, drawn, atol=1e-4, rtol=1e-4)


@pytest.fixture
def attentive(tiny_network):
    """The tiny network, with an attention that has learned something."""
    network = ColorNet(replace(tiny_network.config, hint_attention=24))
    network.load_state_dict(tiny_network.state_dict(), strict=False)
    assert network.attention is not None
    taught(network.attention)
    return network.eval()


def test_a_model_keeps_its_attention(attentive, tiny_colorizer, tmp_path):
    picture = scene(64, 80)
    first = Colorizer(TorchEngine(attentive, "cpu", torch.float32))
    again = Colorizer(TorchEngine(read_model(save(attentive, tmp_path)), "cpu", torch.float32))
    ours = first.colorize(picture, hints=HINTS)
    assert np.array_equal(ours, again.colorize(picture, hints=HINTS))
    assert difference(ours, tiny_colorizer.colorize(picture, hints=HINTS)).mean() > 1
    assert np.array_equal(first.colorize(picture), tiny_colorizer.colorize(picture))


def test_canvas_and_predict_ab_ask_it_alike(attentive):
    colorizer, picture = Colorizer(TorchEngine(attentive, "cpu", torch.float32)), scene(64, 64)
    canvas = colorizer.canvas(picture)
    hint_map = canvas._draw(HINTS)
    assert hint_map is not None
    grid = torch.nn.functional.interpolate(
        canvas.predict(HINTS)[None], size=(64, 64), mode="bicubic"
    )
    found = colorizer.predict_ab(canvas.lightness, hint_map)
    torch.testing.assert_close(found, grid)


def test_of_it_only_what_costs_most_is_rounded_with_the_network(attentive):
    fast = for_inference(attentive, torch.bfloat16).attention
    assert fast is not None
    rounded = {name for name, p in fast.named_parameters() if p.dtype != torch.float32}
    parts = (".query.", ".read.", ".think.")
    layers = [name for name, _ in fast.named_parameters() if name.startswith("layers.")]
    assert rounded == {name for name in layers if any(part in name for part in parts)}


def test_what_is_rounded_changes_no_colour_by_more_than_a_level(trained_network):
    exact = Colorizer(TorchEngine(trained_network, "cpu", torch.float32))
    rounded = Colorizer(TorchEngine(trained_network, "cpu", torch.float32))
    for layer in rounded.engine.network.attention.layers:
        for part in (layer.query, layer.read, layer.think):
            part.to(torch.bfloat16)
    picture = scene(192, 256)
    hints = [Hint(20 * n + 9, 15 * n + 9, (25 * n, 200, 250 - 25 * n)) for n in range(10)]
    ours, theirs = (one.colorize(picture, hints=hints) for one in (rounded, exact))
    apart = difference(ours, theirs)
    assert apart.max() <= 2
    assert (apart > 1).mean() < 1e-4
    assert (apart > 0).any()  # it was rounded


@pytest.mark.parametrize("size", [64, 448])
def test_in_onnx_it_answers_the_same(attentive, tmp_path, size):
    """At 448 pixels every other row and column attends, and the rest follow."""
    picture = scene(64, 80)
    colorizer = Colorizer(TorchEngine(attentive, "cpu", torch.float32))
    ours = load(export(attentive, tmp_path)).colorize(picture, hints=HINTS, size=size)
    theirs = colorizer.colorize(picture, hints=HINTS, size=size)
    assert difference(ours, theirs).max() <= 1
    assert difference(ours, theirs).mean() < 0.02


@torch.no_grad()
def test_a_large_grid_is_asked_on_a_coarse_one():
    assert attention_step(64, 64) == attention_step(64, 85) == 1
    assert attention_step(128, 128) == 2
    assert attention_step(256, 256) == 4
    logits = torch.randn(len(palette(STEP)), 12, 16)
    maps, lightness = torch.randn(MAPS, 12, 16), torch.rand(12, 16) * 100

    def enlarged(plane):
        return torch.nn.functional.interpolate(plane[None], scale_factor=8)[0]

    large = Cells.read(*map(enlarged, (logits, maps)), enlarged(lightness[None])[0], STEP)
    attention, asked = taught(HintAttention(MAPS, 24)), []
    attention.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].shape[1]))
    hint_map = torch.zeros(3, 96, 128)
    hint_map[:, 40, 50] = torch.tensor([50.0, 20.0, 1.0])
    ab = spread_hints(hint_map, torch.zeros(2, 96, 128), large, 1.3, attention)
    assert sum(asked) == 48 * 64
    assert ab.isfinite().all()
