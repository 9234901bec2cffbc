"""The folded attention answers what the plain one does, for one hint, few and many."""

import pytest
import torch

from colorize_hub.engines.folded import MOST_HINTS, FoldedAttention
from colorize_hub.engines.fused import fuse
from colorize_hub.network.attention import HintAttention
from colorize_hub.network.colornet import ColorNet, for_inference
from colorize_hub.network.config import ColorizerConfig

MAPS, WIDTH, CELLS = 8, 24, 60


def attention():
    torch.manual_seed(0)
    made = HintAttention(MAPS, WIDTH).eval()
    torch.nn.init.normal_(made.answer.weight, std=0.3)
    for layer in made.layers:
        torch.nn.init.normal_(layer.relation.bias)  # pyright: ignore
    return made


def inputs(hints, batch):
    values = torch.Generator().manual_seed(hints)
    return (
        torch.randn(batch, CELLS, MAPS + 3, generator=values) * 20,
        torch.randn(batch, hints, MAPS + 3, generator=values) * 20,
        torch.rand(batch, hints, 5, generator=values) + 0.1,
        torch.randn(batch, CELLS, 5, generator=values) * 30,
        torch.rand(batch, 3, hints, CELLS, generator=values),
    )


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("hints", [1, 3, MOST_HINTS, MOST_HINTS + 1])
@torch.inference_mode()
def test_it_answers_what_the_plain_one_does(hints, batch):
    plain = attention()
    given = inputs(hints, batch)
    expected, answer = plain(*given), FoldedAttention(plain)(*given)
    assert (expected - given[3][..., :2]).abs().mean() > 1  # it does answer something
    torch.testing.assert_close(answer, expected, rtol=1e-4, atol=1e-3)


def test_a_fused_network_has_it_and_its_weights_keep_their_names():
    config = ColorizerConfig.from_dict(ColorizerConfig().to_dict() | {"hint_attention": WIDTH})
    plain = for_inference(ColorNet(config))
    names = list(plain.state_dict())
    fused = fuse(plain)
    assert isinstance(fused.attention, FoldedAttention)
    assert [name for name in fused.state_dict() if "attention" in name] == [
        name for name in names if "attention" in name
    ]
