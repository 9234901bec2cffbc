"""Our EfficientNet-Lite0 is timm's: the same weights give the same maps, to the bit."""

import subprocess
import sys

import pytest
import timm
import torch

from colorize_hub.network.efficientnet import EfficientNetLite0


@pytest.fixture(scope="module")
def pair():
    theirs = timm.create_model(
        "tf_efficientnet_lite0", pretrained=False, features_only=True, out_indices=(1, 2, 3, 4)
    )
    ours = EfficientNetLite0()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.feature_info.channels() == theirs.feature_info.channels()
    return ours, theirs


@pytest.mark.parametrize("size", [(64, 64), (37, 91), (1, 40)])
@pytest.mark.parametrize("training", [True, False])
def test_maps_are_those_of_timm(pair, size, training):
    ours, theirs = (network.train(training) for network in pair)
    rgb = torch.randn(2, 3, *size)
    assert all(torch.equal(a, b) for a, b in zip(ours(rgb), theirs(rgb), strict=True))
    state = theirs.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in ours.state_dict().items())


def test_a_new_encoder_is_initialised_as_that_of_timm(pair):
    new, state = EfficientNetLite0().state_dict(), pair[1].state_dict()
    large = [name for name, value in new.items() if value.ndim == 4 and value.numel() > 5000]
    assert len(large) > 20
    for name in large:
        torch.testing.assert_close(new[name].std(), state[name].std(), rtol=0.1, atol=0)


def test_loading_the_bundled_model_does_not_import_timm():
    code = "import sys, colorize_hub; colorize_hub.load(); print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "torch" in loaded
    assert loaded.isdisjoint({"timm", "torchvision", "torch._dynamo"})
