"""ColorNet takes any size, treats each picture alone, and its fast copy computes the same."""

import socket
import sys

import pytest
import torch
from torch import nn

from colorize_hub.colour.palette import palette
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.config import ColorizerConfig, ConfigError

BINS = len(palette(10))
NARROW = (16, 16, 8, 8)


def lightness(*shape):
    return torch.rand(shape) * 100


def hints(rows, columns, *places):
    """A hint map with saturated red at the places."""
    hint_map = torch.zeros(1, 3, rows, columns)
    for row, column in places:
        hint_map[0, :, row, column] = torch.tensor([70.0, 50.0, 1.0])
    return hint_map


@torch.no_grad()
def logits(network, grey, hint_map=None):
    return network(grey, hint_map)


# --- shapes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (37, 91), (96, 96), (130, 33)])
def test_any_size(tiny_network, height, width):
    features = tiny_network.encode(lightness(2, 1, height, width))
    for stride, feature in zip((4, 8, 16, 32), features, strict=True):
        assert feature.shape[2:] == (-(-height // stride), -(-width // stride))
    decoded = tiny_network.decode(features)
    assert decoded.shape == (2, BINS, -(-height // 4), -(-width // 4))
    assert decoded.isfinite().all()


def test_the_palette_sets_the_number_of_logits(tiny_config):
    values = tiny_config.to_dict() | {"bin_step": 20}
    network = ColorNet(ColorizerConfig.from_dict(values)).eval()
    assert logits(network, lightness(1, 1, 32, 32)).shape[1] == len(palette(20))


# --- what may and may not influence what -----------------------------------------------------


def test_a_batch_equals_one_by_one(tiny_network):
    grey, hint_map = lightness(3, 1, 64, 96), hints(16, 24, (2, 3)).repeat(3, 1, 1, 1)
    hint_map[1] = 0
    together = logits(tiny_network, grey, hint_map)
    alone = [logits(tiny_network, grey[i : i + 1], hint_map[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-4, rtol=1e-4)


def test_no_hint_map_equals_one_of_zeros(tiny_network):
    grey = lightness(1, 1, 64, 64)
    zeros = torch.zeros(1, 3, 16, 16)
    assert torch.equal(logits(tiny_network, grey), logits(tiny_network, grey, zeros))


def test_ab_without_mask_is_no_hint(tiny_network):
    grey, stray = lightness(1, 1, 64, 64), hints(16, 16, (4, 4))
    stray[:, 2] = 0
    torch.testing.assert_close(logits(tiny_network, grey), logits(tiny_network, grey, stray))


def test_hints_change_the_decoder_and_leave_the_features_alone(tiny_network):
    with torch.no_grad():
        features = tiny_network.encode(lightness(1, 1, 64, 64))
        before = [feature.clone() for feature in features]
        plain = tiny_network.decode(features)
        hinted = tiny_network.decode(features, hints(16, 16, (4, 4)))
    assert all(map(torch.equal, features, before))
    assert (hinted - plain).abs().max() > 0.01


def test_a_hint_keeps_its_strength_among_coarser_cells(tiny_network):
    """A lone hint and a whole cell of that hint look the same to the stages above stride 4."""
    seen = []
    for stage in tiny_network.stages[:3]:
        stage.from_hint.register_forward_hook(lambda _, args, out: seen.append(args[0]))
    features = tiny_network.encode(lightness(1, 1, 64, 64))
    tiny_network.decode(features, hints(16, 16, (9, 12)))
    for stage in tiny_network.stages[:3]:
        stage.from_hint._forward_hooks.clear()
    expected = torch.tensor([70 / 110, 50 / 110, 1.0])
    for at, (row, column) in zip(seen, ((1, 1), (2, 3), (4, 6)), strict=True):
        torch.testing.assert_close(at[0, :, row, column], expected)
        assert at[0, 2].sum() == 1


def test_the_picture_changes_the_answer(tiny_network):
    dark, light = torch.full((1, 1, 64, 64), 20.0), torch.full((1, 1, 64, 64), 80.0)
    assert (logits(tiny_network, dark) - logits(tiny_network, light)).abs().max() > 0.01


def test_gradient_reaches_every_parameter(tiny_config, lively):
    network = lively(ColorNet(tiny_config)).train()
    out = network(lightness(2, 1, 64, 96), hints(16, 24, (3, 3), (10, 20)).repeat(2, 1, 1, 1))
    (out * torch.randn_like(out)).sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


# --- the copy for inference ------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoder", ["tf_efficientnet_lite0", "resnet18", "mobilenetv3_small_050", "convnext_atto"]
)
def test_the_fast_copy_computes_the_same(encoder, lively):
    network = lively(ColorNet(ColorizerConfig(encoder=encoder, decoder_channels=NARROW))).eval()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    fast = for_inference(network)
    grey, hint_map = lightness(2, 1, 64, 64), hints(16, 16, (5, 5)).repeat(2, 1, 1, 1)
    expected = logits(network, grey, hint_map)
    assert expected.std() > 0.5
    torch.testing.assert_close(fast(grey, hint_map), expected, atol=1e-4, rtol=1e-4)
    assert not [m for m in fast.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert not fast.training
    assert not any(parameter.requires_grad for parameter in fast.parameters())
    assert all(torch.equal(value, weights[n]) for n, value in network.state_dict().items())


def test_the_fast_copy_can_be_bfloat16(tiny_network):
    fast = for_inference(tiny_network, torch.bfloat16)
    exact = (
        "head.",
        "encoder.conv_stem.",
        "encoder.bn1.",
        "encoder.blocks.0.",
        "encoder.blocks.1.",
    )
    for name, parameter in fast.named_parameters():
        expected = torch.float32 if name.startswith(exact) else torch.bfloat16
        assert parameter.dtype == expected, name
    grey = lightness(1, 1, 64, 64)
    close = logits(tiny_network, grey) - fast(grey.bfloat16()).float()
    assert close.abs().mean() < 0.2  # of logits with a spread of 2


def test_the_fast_copy_of_a_network_in_training_is_that_of_its_evaluation(tiny_config, lively):
    network = lively(ColorNet(tiny_config))
    grey = lightness(2, 1, 64, 64)
    expected = logits(network.eval(), grey)
    fast = for_inference(network.train())
    assert network.training
    torch.testing.assert_close(fast(grey), expected, atol=1e-4, rtol=1e-4)


def test_fast_dtype_is_one_the_machine_can_compute_in():
    dtype = fast_dtype(torch.device("cpu"))
    assert dtype in (torch.float32, torch.bfloat16)
    assert fast_dtype(torch.device("meta")) == torch.float32


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pictures_lie_as_the_weights_do(tiny_config, layout):
    """Else every convolution, and its backward pass, runs in channels_last."""
    network, seen = ColorNet(tiny_config).to(memory_format=layout), []
    stem = next(one for one in network.encoder.modules() if isinstance(one, nn.Conv2d))
    stem.register_forward_hook(lambda _, given, out: seen.extend((*given, out)))
    network.encode(lightness(2, 1, 64, 64))
    assert [one.is_contiguous(memory_format=layout) for one in seen] == [True, True]


# --- building --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoder",
    [
        "no_such_model",
        "vit_tiny_patch16_224",  # one stride only
        "hf-hub:timm/resnet18.a1_in1k",
        "local-dir:/tmp",
    ],
)
def test_an_encoder_that_cannot_be_used_is_an_error(encoder, no_connections):
    with pytest.raises(ConfigError, match=f"encoder '{encoder}' cannot be used: .*strides"):
        ColorNet(ColorizerConfig(encoder=encoder, decoder_channels=NARROW))


def test_without_timm_only_the_built_in_encoder_is_built(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    ColorNet(ColorizerConfig(decoder_channels=NARROW))
    with pytest.raises(ConfigError, match=r"needs timm: pip install 'colorize-hub\[encoders\]'"):
        ColorNet(ColorizerConfig(encoder="resnet18", decoder_channels=NARROW))


def test_building_needs_no_connection(tiny_config, no_connections):
    ColorNet(tiny_config)


def test_building_twice_gives_the_same_layout(tiny_config):
    first, second = ColorNet(tiny_config).state_dict(), ColorNet(tiny_config).state_dict()
    assert {n: v.shape for n, v in first.items()} == {n: v.shape for n, v in second.items()}


@pytest.fixture
def no_connections(monkeypatch):
    def refuse(*_):
        raise AssertionError("building a network opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
