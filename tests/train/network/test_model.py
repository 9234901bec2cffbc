"""The network as training starts with it."""

from dataclasses import replace

import pytest
import torch

from bench.training_step import noise
from tests.train.training_fixtures import tiny
from train.network.model import build_network, training_layout
from train.objective.objective import Objective


def layouts(network):
    kernels = [p for p in network.encoder.parameters() if p.ndim == 4 and p[0, 0].numel() > 1]
    wide = [p for p in kernels if p.shape[1] > 1]  # else both layouts are one
    last = [p.is_contiguous(memory_format=torch.channels_last) for p in wide]
    assert last
    return set(last)


@pytest.mark.parametrize(("device", "last"), [("cpu", True), ("meta", False)])
def test_weights_lie_as_the_device_likes_it(tmp_path, device, last):
    """The device "meta" stands for a GPU, where depthwise kernels must not be in channels_last."""
    network = build_network(tiny("none", tmp_path), torch.device(device))
    assert layouts(network) == {last}


def test_channels_last_is_for_the_cpu():
    assert training_layout(torch.device("cpu")) == torch.channels_last
    assert training_layout(torch.device("cuda")) == torch.contiguous_format
    assert training_layout(torch.device("mps")) == torch.contiguous_format


def test_both_layouts_train_to_the_same_loss(tmp_path):
    config = tiny("none", tmp_path, log_error=1.5, unfreeze=0.0)
    batch = noise(replace(config, batch=2), 32)
    found = []
    for layout in (torch.channels_last, torch.contiguous_format):
        network = build_network(config, torch.device("cpu")).to(memory_format=layout)
        objective = Objective(config, torch.device("cpu"), torch.float32)
        weights = torch.ones(network.head.out_channels)
        loss = objective(network, None, batch, weights)
        loss.backward()
        found.append((float(loss), [p.grad for p in network.parameters() if p.grad is not None]))
    (one, ours), (other, theirs) = found
    assert one == pytest.approx(other, rel=1e-5)
    assert len(ours) > 50
    for mine, yours in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, yours, rtol=1e-3, atol=1e-4 * float(yours.abs().max()) + 1e-7)
