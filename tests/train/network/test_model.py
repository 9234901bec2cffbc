"""The network as training starts with it."""

import pytest
import torch

from tests.train.training_fixtures import tiny
from train.network.model import build_network, training_layout


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
