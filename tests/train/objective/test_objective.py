"""Training on from a finished model, with losses on the decoded colours."""

import signal
from dataclasses import replace

import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.network.look import Look
from tests.train.training_fixtures import (
    TINY,
    batch_of,
    equal,
    losses,
    run,
    tiny,
    train_here,
    weights,
    write_blobs,
)
from train.network.model import build_network
from train.objective.losses import soft_cross_entropy
from train.objective.objective import Objective

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

COLOURS = {"log_error": 1.0, "perception": 2.0, "adversarial": 0.2, "unfreeze": 0.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("data"), 12)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    save_file(timm.create_model(TINY["encoder"], pretrained=False).state_dict(), path)
    return str(path)


@pytest.fixture(scope="module")
def model(data, backbone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    train_here(data, folder, pictures=8, encoder_weights=backbone)
    return folder / "model"


def test_each_loss_teaches_the_network_and_only_mistakes_teach_the_critic(data, backbone, tmp_path):
    config = tiny(data, tmp_path, encoder_weights=backbone, hints=0.0, **COLOURS)
    network = build_network(config, CPU)
    objective = Objective(config, CPU, torch.float32)
    assert objective.critic is not None
    batch, equal_weights = batch_of(data, config), torch.ones(network.head.out_channels)
    objective(network, None, batch, equal_weights).backward()
    assert all(p.grad is None for p in objective.classifier.parameters())
    told = [p.grad.clone() for p in objective.critic.parameters()]
    assert any(bool(g.any()) for g in told)

    deaf = Objective(
        tiny(data, tmp_path, encoder_weights=backbone, adversarial=1e-9),
        CPU,
        torch.float32,
    )
    deaf.critic.load_state_dict(objective.critic.state_dict())
    deaf(network, None, batch, equal_weights).backward()
    # The critic's lesson is its own mistakes, however strongly the network is told to fool it.
    for one, other in zip(told, deaf.critic.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad, rtol=1e-4, atol=1e-6)


def test_losses_on_the_colours_are_learned(data, backbone, tmp_path):
    config = tiny(
        data,
        tmp_path,
        encoder_weights=backbone,
        hints=0.0,
        sizes=(64,),
        phases=(1.0,),
        log_error=1.0,
        perception=1.0,
    )
    network, batch = build_network(config, CPU), batch_of(data, config)
    objective = Objective(config, CPU, torch.float32)
    even = torch.ones(network.head.out_channels)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    seen = []
    for _ in range(40):
        loss = objective(network, None, batch, even)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seen.append(loss.item())
    assert seen[-1] < 0.85 * seen[0]


def test_hints_are_spread_in_the_loop(data, backbone, tmp_path, monkeypatch):
    changes = {**COLOURS, "hints": 1.0, "perception": 0.0, "adversarial": 0.0}
    config = tiny(data, tmp_path, encoder_weights=backbone, **changes)
    network, batch = build_network(config, CPU), batch_of(data, config)
    objective = Objective(config, CPU, torch.float32)
    even = torch.ones(network.head.out_channels)
    loss = objective(network, None, batch, even)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)
    monkeypatch.setattr(
        "train.objective.objective.spread_hints", lambda drawn, ab, cells, scale: ab * scale
    )
    assert objective(network, None, batch, even).item() != loss.item()


def test_colours_at_another_size_enter_the_loss(data, backbone, tmp_path):
    changes = {"log_error": 1.0, "encoder_weights": backbone, "hints": 0.0, "sizes": (64,)}
    config = tiny(data, tmp_path, phases=(1.0,), **changes)
    network, batch = build_network(config, CPU), batch_of(data, config)
    even = torch.ones(network.head.out_channels)
    one_size, two_sizes = (
        Objective(replace(config, consistency=weight), CPU, torch.float32) for weight in (0.0, 1.0)
    )
    assert two_sizes(network, None, batch, even) > one_size(network, None, batch, even)


def test_the_network_is_taught_on_what_it_will_see_in_use(data, tmp_path):
    config = tiny(data, tmp_path, hints=0.0, sizes=(64,), phases=(1.0,), overview=0.5)
    network, batch = build_network(config, CPU), batch_of(data, config)
    even = torch.ones(network.head.out_channels)
    loss = Objective(config, CPU, torch.float32)(network, None, batch, even)
    lab = rgb_to_lab(batch["rgb"].float() / 255)
    network.config = replace(network.config, overview=32)
    once, seen = network(lab[:, :1]), Look(network, lab[:, :1]).plain
    truth = F.avg_pool2d(lab[:, 1:], 4)

    def at_cells(maps):
        rows = zip(maps.flatten(2), batch["cells"], strict=True)
        return torch.cat([one[:, cells].T for one, cells in rows])

    step = network.config.bin_step
    expected = soft_cross_entropy(at_cells(seen), at_cells(truth), step, even)
    torch.testing.assert_close(loss, expected)
    assert soft_cross_entropy(at_cells(once), at_cells(truth), step, even) != expected


@pytest.mark.parametrize("overview", [-0.5, 1.0, 128.0])
def test_an_overview_is_smaller_than_the_picture(data, tmp_path, overview):
    with pytest.raises(ValueError, match=r"overview must be a share .*, 0 to below 1, got"):
        tiny(data, tmp_path, overview=overview)


def test_pictures_with_hints_are_taught_without_an_overview(data, tmp_path):
    config = tiny(data, tmp_path, hints=1.0, sizes=(64,), phases=(1.0,))
    network, batch = build_network(config, CPU), batch_of(data, config)
    even = torch.ones(network.head.out_channels)
    one, other = (
        Objective(replace(config, overview=share), CPU, torch.float32) for share in (0.0, 0.5)
    )
    assert one(network, None, batch, even) == other(network, None, batch, even)


def test_a_run_goes_on_from_a_finished_model(data, model, tmp_path):
    """Nothing is trained at rate 0: the model leaves as it came, logit adjustment and all."""
    train_here(data, tmp_path, pictures=8, start=model, lr=0.0, encoder_lr=0.0, unfreeze=0.0)
    came, left = weights(model.parent), weights(tmp_path)
    for name, tensor in came.items():
        torch.testing.assert_close(left[name], tensor, rtol=1e-5, atol=1e-5)


def test_the_first_stages_stay_frozen(data, model, tmp_path):
    train_here(data, tmp_path, pictures=8, start=model, unfreeze=0.0, frozen_stages=2)
    came, left = weights(model.parent), weights(tmp_path)
    changed = {name for name in came if not torch.equal(came[name], left[name])}
    stages = {name.split(".")[2] for name in changed if name.startswith("encoder.blocks.")}
    assert stages
    assert not stages & {"0", "1"}
    assert not any(name.startswith("encoder.conv_stem") for name in changed)


def test_a_start_of_another_shape_is_refused(data, model, tmp_path):
    with pytest.raises(ValueError, match=r"decoder_channels \(16, 16, 8, 8\), not .*--decoder-ch"):
        train_here(data, tmp_path, start=model, decoder_channels=(8, 8, 8, 8))


@pytest.mark.slow
def test_an_adversarial_run_that_is_killed_ends_in_the_same_bits(data, model, backbone, tmp_path):
    changes = {**COLOURS, "pictures": 64, "start": model, "encoder_weights": backbone}
    done = run(data, tmp_path / "whole", tmp_path / "cache", **changes)
    assert done.returncode == 0, done.stderr
    places = tmp_path / "killed", tmp_path / "cache"
    done = run(data, *places, ("SIGKILL", 9, "noted"), **changes)
    assert done.returncode == -signal.SIGKILL, done.stderr
    done = run(data, *places, resume=True, **changes)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert equal(weights(tmp_path / "killed"), weights(tmp_path / "whole"))
