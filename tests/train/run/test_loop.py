"""The training run: what it learns, what it keeps frozen, what it says and writes."""

import ast
import inspect
import json
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
import torch
import tyro

from bench.feeding import feeding_row
from colorize_hub.loading import load
from colorize_hub.network.colornet import for_inference
from tests.train.training_fixtures import (
    losses,
    picture,
    tiny,
    train_here,
    weights,
    write_blobs,
)
from train.data.examples import Share, open_training_data, training_batches
from train.network.model import build_network
from train.objective.objective import Objective
from train.run.config import TrainConfig

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

SHORT: dict[str, Any] = {"pictures": 24, "warmup": 2, "validation": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("data"), 12)


@pytest.mark.parametrize("tuned", [False, True])
def test_one_batch_is_learned_by_heart(data, tmp_path, tuned):
    config = tiny(data, tmp_path, sizes=(64,), phases=(1.0,), hints=0.0)
    network = build_network(config, CPU)
    batch = next(training_batches(open_training_data(config, Share()), Share(), 0, 0, config))
    equal = torch.ones(network.head.out_channels)
    objective = Objective(config, CPU, torch.float32)
    frozen = None if tuned else for_inference(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    seen = []
    for _ in range(60):
        loss = objective(network, frozen, batch, equal)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen.append(float(loss.detach()))
    assert seen[0] > 4.5  # of log(268) = 5.6
    assert seen[-1] < 0.7 * seen[0]


def test_the_encoder_changes_only_after_the_unfreeze(data, tmp_path):
    start = build_network(tiny(data, tmp_path), CPU).state_dict()
    for unfreeze in (1.0, 0.5):
        output = tmp_path / str(unfreeze)
        train_here(data, output, **SHORT | {"validation": 0}, unfreeze=unfreeze)
        trained = weights(output)
        changed = {key for key, tensor in start.items() if not torch.equal(tensor, trained[key])}
        assert any(key.startswith("head.") for key in changed)
        assert any(key.startswith("encoder.") for key in changed) == (unfreeze < 1)
        norms = [key for key in changed if "running_" in key or "num_batches" in key]
        assert not norms


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_leaves_a_model_that_loads(data, tmp_path, capsys, precision):
    folder = train_here(
        data, tmp_path, **SHORT, precision=precision, unfreeze=0.5, log="tensorboard"
    )
    assert folder == tmp_path / "model"
    coloured = load(folder).colorize(picture(1).convert("L"))
    assert coloured.size == (80, 72)
    assert list(losses(tmp_path)) == [1, 2, 3, 4, 5, 6]
    assert all(0 < loss < 12 for loss in losses(tmp_path).values())
    assert list((tmp_path / "logs").iterdir())
    captured = capsys.readouterr()
    assert "24/24" in captured.err  # the progress bar
    assert "24/24" not in captured.out


@pytest.mark.slow
def test_evaluations_on_the_way_change_nothing(data, tmp_path):
    changes = SHORT | {"validation": 1}
    train_here(data, tmp_path / "plain", **changes)
    train_here(data, tmp_path / "judged", **changes, evaluate_every=4)
    assert len(list((tmp_path / "judged" / "samples").iterdir())) == 1
    for key, tensor in weights(tmp_path / "plain").items():
        assert torch.equal(tensor, weights(tmp_path / "judged")[key])


def test_a_new_run_starts_a_new_loss_record(data, tmp_path):
    (tmp_path / "loss.jsonl").write_text(json.dumps({"step": 99, "loss": 1.0}) + "\n")
    train_here(data, tmp_path, **SHORT | {"validation": 0})
    assert list(losses(tmp_path)) == [1, 2, 3, 4, 5, 6]


def test_help_explains_every_flag(capsys):
    with pytest.raises(SystemExit):
        tyro.cli(TrainConfig, prog="python -m train", args=["--help"])
    page = " ".join(capsys.readouterr().out.replace("│", " ").split())
    [described] = ast.parse(inspect.getsource(TrainConfig)).body
    assert isinstance(described, ast.ClassDef)
    explained = {
        ast.unparse(field.target): " ".join(ast.literal_eval(text.value).split())
        for field, text in pairwise(described.body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    assert explained.keys() == {field.name for field in fields(TrainConfig)}
    for name, text in explained.items():
        assert f"--{name.replace('_', '-')}" in page
        assert text[:25] in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": (32, 64), "phases": (1.0,)}, "equally many"),
        ({"phases": (0.5, 0.4)}, "add up to 1"),
        ({"sizes": (32, 50)}, "multiples of 32"),
        ({"batch": 0}, "at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        tiny("data", tmp_path, **changes)


def test_all_pictures_of_a_step_have_one_size(tmp_path):
    config = tiny("data", tmp_path, pictures=42, phases=(0.45, 0.55))
    sizes = [config.size_at(position) for position in range(config.steps * config.batch)]
    for step in range(config.steps):
        assert len(set(sizes[step * 4 : step * 4 + 4])) == 1
    assert sizes == sorted(sizes)
    assert sizes.count(32) == round(0.45 * 11) * 4


def test_feeding_is_measured(data, tmp_path):
    row = feeding_row(tiny(data, tmp_path), steps=2, turns=1)
    assert row.seconds > 0
    assert row.other_seconds > 0
