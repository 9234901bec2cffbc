"""How strong colours may be is found on pictures, and written beside a model's weights."""

import io
import json
import sys

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from colorize_hub.loading import load, read_model, save
from colorize_hub.network.strength import strength
from train import strength as command
from train.average import average
from train.judging.pictures import to_grey
from train.strength import Answers, fit_strength


def answers(count, level, truth, seed):
    """Of pictures whose first map varies as much as `level` says; all are painted at 40."""
    noise = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)).double()
    spread = 0.3 * noise + torch.tensor([level, 0.0, 0.0])
    curve = torch.tensor([[40.0, 0.0]]).double().repeat(count, 1)
    return Answers(spread, curve, torch.full((count,), truth, dtype=torch.double))


def test_nothing_gets_little_and_photographs_keep_theirs():
    sources = [answers(20, 0.0, 40.0, seed) for seed in range(4)]
    found = fit_strength(sources, answers(40, -3.0, 0.0, 9))

    def at(level):
        return 1 / (1 + np.exp(-(level * found[0] + found[-1])))

    assert len(found) == 4
    assert at(0.0) > 0.95
    assert at(-3.0) < 0.1
    assert max(abs(one) for one in found[1:3]) < 0.3 * found[0]


@pytest.mark.parametrize(("painted", "kept"), [(4.0, True), (12.0, False)])
def test_nothing_may_be_as_colourful_as_asphalt(painted, kept):
    nothing = answers(40, -3.0, 0.0, 9)
    nothing.colorful[:, 0] = painted
    found = fit_strength([answers(20, 0.0, 40.0, seed) for seed in range(4)], nothing)
    assert (1 / (1 + np.exp(3 * found[0] - found[-1])) > 0.9) == kept


def test_a_source_that_is_too_colourful_gets_less():
    sources = [answers(20, 0.0, 40.0, 0), answers(20, -1.0, 10.0, 1)]
    found = fit_strength(sources, answers(40, -3.0, 0.0, 9))
    even = fit_strength([sources[0], answers(20, -1.0, 40.0, 1)], answers(40, -3.0, 0.0, 9))
    less, more = (1 / (1 + np.exp(one[0] - one[-1])) for one in (found, even))
    assert less < 0.9 < 0.94 < more


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    features = datasets.Features(image=datasets.Image())
    for name in ("one", "two"):
        rows = []
        for seed in range(3):
            small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
            file = io.BytesIO()
            Image.fromarray(small).resize((128, 128), Image.Resampling.BICUBIC).save(file, "PNG")
            rows.append({"image": {"bytes": file.getvalue(), "path": None}})
        datasets.Dataset.from_list(rows, features=features).to_parquet(folder / f"{name}.parquet")
    return folder


def run(monkeypatch, *flags):
    monkeypatch.setattr(sys, "argv", ["train.strength", *map(str, flags)])
    command.main()


def test_the_command_writes_what_load_reads(monkeypatch, capsys, tmp_path, tiny_network, sources):
    model = save(tiny_network, tmp_path / "model")
    weights = (model / "model.safetensors").read_bytes()
    run(monkeypatch, "--model", model, "--data", sources, "--nothing", 5)
    assert "strength of colours by 2 sources" in capsys.readouterr().out
    coefficients = json.loads((model / "config.json").read_text())["strength"]
    assert len(coefficients) == tiny_network.config.decoder_channels[-1] + 1
    assert (model / "model.safetensors").read_bytes() == weights
    colorizer = load(model, device="cpu")
    grey = to_grey(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    canvas = colorizer.canvas(grey)
    assert canvas.strength == strength(canvas._seen.maps, coefficients)
    assert 0 < canvas.strength.item() <= 1
    assert average([read_model(model)] * 2, (1, 1)).config.strength == ()


def test_what_is_missing_is_said(monkeypatch, tmp_path, tiny_network):
    with pytest.raises(SystemExit, match="is no model folder"):
        run(monkeypatch, "--model", tmp_path, "--data", tmp_path)
    model = save(tiny_network, tmp_path / "model")
    with pytest.raises(SystemExit, match="holds no parquet files"):
        run(monkeypatch, "--model", model, "--data", tmp_path)
