"""The fused network computes what the plain one does, for any size, batch and number of threads."""

import pickle

import pytest
import torch

from colorize_hub.engines.fused import fuse
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet, for_inference
from colorize_hub.network.config import ColorizerConfig

LITE = {"encoder": "tf_efficientnet_lite0", "decoder_channels": [24, 24, 16, 16]}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = ColorNet(ColorizerConfig.from_dict(ColorizerConfig().to_dict() | LITE)).eval()
    for stage in made.stages:  # refine begins as the identity
        torch.nn.init.normal_(stage.refine[1].weight, std=0.05)
    return made


def lightness(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 100


def hint_map(batch, rows, columns):
    hints = torch.zeros(batch, 3, rows, columns)
    hints[:, :, rows // 2, columns // 2] = torch.tensor([60.0, -40.0, 1.0])
    return hints


@torch.inference_mode()
def logits(network, grey, hints=None):
    return network(grey, hints)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 64), (61, 94), (96, 128), (224, 256)])
def test_it_computes_what_the_plain_network_does(network, height, width):
    plain, fused = for_inference(network), fuse(for_inference(network))
    grey, hints = lightness(2, 1, height, width), hint_map(2, -(-height // 4), -(-width // 4))
    assert torch.allclose(logits(fused, grey), logits(plain, grey), rtol=1e-4, atol=1e-4)
    assert torch.allclose(logits(fused, grey, hints), logits(plain, grey, hints), 1e-4, 1e-4)


def test_bfloat16_is_rounded_less_often_not_otherwise(network):
    exact = logits(for_inference(network), lightness(1, 1, 64, 96))
    plain, fused = (
        logits(network, lightness(1, 1, 64, 96)).float()
        for network in (
            for_inference(network, torch.bfloat16),
            fuse(for_inference(network, torch.bfloat16)),
        )
    )
    assert (fused - exact).abs().mean() < 1.2 * (plain - exact).abs().mean()


def test_weights_keep_their_names(network):
    plain, fused = for_inference(network), fuse(for_inference(network))
    shapes = [{name: one.shape for name, one in net.state_dict().items()} for net in (plain, fused)]
    assert shapes[0] == shapes[1]


def test_new_weights_are_taken(network):
    fused, grey = fuse(for_inference(network)), lightness(1, 1, 64, 64)
    before = logits(fused, grey)
    halved = {name: weight / 2 for name, weight in fused.state_dict().items()}
    fused.load_state_dict(halved)
    plain = for_inference(network)
    plain.load_state_dict(halved)
    assert not torch.allclose(logits(fused, grey), before)
    assert torch.allclose(logits(fused, grey), logits(plain, grey), rtol=1e-4, atol=1e-4)


def test_threads_and_sizes_may_change(network):
    fused, greys = fuse(for_inference(network)), [lightness(1, 1, 32 * n, 64) for n in range(1, 7)]
    threads = torch.get_num_threads()
    alone = [logits(fused, grey) for grey in greys]
    try:
        torch.set_num_threads(2)
        for grey, expected in zip(greys, alone, strict=True):
            assert torch.allclose(logits(fused, grey), expected, rtol=1e-4, atol=1e-4)
    finally:
        torch.set_num_threads(threads)


def test_a_used_colorizer_can_be_sent_to_another_process(network):
    colorizer, grey = Colorizer(TorchEngine(network, "cpu")), lightness(1, 1, 64, 96)
    expected = colorizer.predict_ab(grey)
    assert torch.equal(pickle.loads(pickle.dumps(colorizer)).predict_ab(grey), expected)
