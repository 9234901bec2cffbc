"""Learning from a finished model's answer beside the truth."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from colorize_hub.loading import read_model, save
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.look import Look
from tests.train.training_fixtures import TINY, batch_of, tiny, train_here, write_blobs
from train.network.model import adjust_logits, build_network
from train.objective.objective import Objective
from train.objective.teacher import Teacher

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("data"), 12)


def finished_model(folder, bin_step=10, overview=0):
    torch.manual_seed(3)
    shape = {name: TINY[name] for name in ("encoder", "decoder_channels")}
    config = ColorizerConfig(**shape, bin_step=bin_step, overview=overview)
    return save(ColorNet(config).eval(), folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return finished_model(tmp_path_factory.mktemp("teacher") / "model")


def test_the_answer_is_the_mean_over_sizes_and_a_mirror(folder):
    network, lightness = read_model(folder), torch.rand(2, 1, 64, 64) * 100
    with torch.no_grad():
        seen = torch.nn.functional.interpolate
        small = seen(lightness.flip(-1), size=(64, 64), mode="bilinear", antialias=True)
        # 0.75 of 64 is 48, halfway between multiples of 32: Python rounds it to 64.
        large = seen(lightness, size=(96, 96), mode="bilinear", antialias=True).flip(-1)
        large = network(large).flip(-1)
        large = seen(large, size=(16, 16), mode="bilinear")
        expected = (network(lightness) + network(small).flip(-1) + large) / 3
    assert_close(Teacher(folder, CPU, torch.float32).logits(lightness), expected, rtol=0, atol=1e-4)


def test_a_large_picture_is_seen_as_the_model_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr("train.objective.teacher._WAYS", ((1.0, False),))
    folder = finished_model(tmp_path / "model", overview=32)
    lightness = torch.rand(2, 1, 64, 64) * 100
    with torch.no_grad():
        expected = Look(read_model(folder), lightness).plain
        once = read_model(folder)(lightness)
    answer = Teacher(folder, CPU, torch.float32).logits(lightness)
    assert_close(answer, expected, rtol=0, atol=1e-4)
    assert not torch.allclose(answer, once, atol=1e-2)


def test_nothing_of_the_teacher_is_trained(data, folder, tmp_path):
    config = tiny(data, tmp_path, hints=0.0, teacher=folder)
    objective, network = Objective(config, CPU, torch.float32), build_network(config, CPU)
    before = {name: p.clone() for name, p in objective.named_parameters()}
    batch, even = batch_of(data, config), torch.ones(network.head.out_channels)
    objective(network, None, batch, even).backward()
    assert before
    assert all(p.grad is None for p in objective.parameters())
    assert any(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


def test_who_answers_like_the_teacher_has_nothing_to_learn(data, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("train.objective.teacher._WAYS", ((1.0, False),))
    config = tiny(data, tmp_path, hints=0.0, teacher=folder, taught=1.0)
    objective, batch = Objective(config, CPU, torch.float32), batch_of(data, config)
    network = read_model(folder)
    weights = torch.linspace(0.5, 3, network.head.out_channels)
    adjust_logits(network, config.logit_adjustment * weights.log())  # as the run does with --start
    assert objective(network, None, batch, weights).item() == pytest.approx(0, abs=1e-4)
    other = build_network(config, CPU)
    assert objective(other, None, batch, weights).item() > 0.01


@pytest.mark.parametrize("colours", [{}, {"log_error": 1.0}])
def test_with_hints_only_the_truth_is_learned(data, folder, tmp_path, colours):
    config = tiny(data, tmp_path, hints=1.0, **colours)
    batch = batch_of(data, config)
    assert batch["hint_mask"].flatten(1).any(1).all()
    network = build_network(config, CPU)
    even = torch.ones(network.head.out_channels)
    plain, half = (
        Objective(dataclasses.replace(config, **changes), CPU, torch.float32)(
            network, None, batch, even
        ).item()
        for changes in ({"log_error": 0.0}, {"log_error": 0.0, "teacher": folder, "taught": 0.5})
    )
    assert half == pytest.approx(plain / 2, rel=1e-5)


def test_a_run_learns_from_a_teacher_and_goes_on_from_it(data, folder, tmp_path):
    train_here(data, tmp_path, pictures=8, start=folder, teacher=folder)
    learned, taught = read_model(tmp_path / "model"), read_model(folder)
    assert not torch.equal(learned.head.weight, taught.head.weight)


def test_another_palette_is_refused(data, tmp_path):
    config = tiny(data, tmp_path, teacher=finished_model(tmp_path / "other", bin_step=20))
    network = build_network(config, CPU)
    with pytest.raises(ValueError, match=r"--teacher: .*steps of 20"):
        Objective(config, CPU, torch.float32)(
            network, None, batch_of(data, config), torch.ones(network.head.out_channels)
        )


def test_a_share_beyond_one_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match=r"taught must be a share of the loss, 0 to 1, got 1\.5"):
        tiny(data, tmp_path, taught=1.5)
