"""`python -m train.average`."""

from dataclasses import replace

import pytest
import torch

from colorize_hub.loading import read_model, save
from colorize_hub.network.colornet import ColorNet
from train import average as command
from train.average import average, with_attention_of


@pytest.fixture
def other(tiny_network):
    torch.manual_seed(1)
    return ColorNet(tiny_network.config).eval()


@pytest.fixture
def attentive(tiny_network):
    torch.manual_seed(2)
    return ColorNet(replace(tiny_network.config, hint_attention=12)).eval()


def test_each_weight_is_the_mean_by_share(tiny_network, other):
    mean = average([tiny_network, other], [3, 1]).state_dict()
    one, two = tiny_network.state_dict(), other.state_dict()
    assert any((one[name] != two[name]).any() for name in one)
    for name, value in mean.items():
        expected = (0.75 * one[name].double() + 0.25 * two[name].double()).to(value.dtype)
        assert torch.allclose(value, expected), name


def test_a_share_of_all_is_that_model(tiny_network, other):
    alone = average([tiny_network, other], [0, 5]).state_dict()
    assert all(torch.equal(alone[name], value) for name, value in other.state_dict().items())


def test_attention_is_averaged_where_all_have_it(attentive):
    torch.manual_seed(3)
    other = ColorNet(attentive.config)
    mean = average([attentive, other], [1, 1])
    assert mean.attention is not None
    name = "attention.key.weight"
    expected = (attentive.state_dict()[name] + other.state_dict()[name]) / 2
    torch.testing.assert_close(mean.state_dict()[name], expected)


def test_attention_is_another_models_unchanged(tiny_network, other, attentive):
    mean = average([attentive, tiny_network], [1, 1])
    assert mean.attention is None, "it knew other maps"
    found = with_attention_of(mean, attentive)
    assert found.config.hint_attention == 12
    assert found.attention is not None
    kept = attentive.attention.state_dict()
    assert all(torch.equal(kept[n], v) for n, v in found.attention.state_dict().items())
    with pytest.raises(ValueError, match="no attention"):
        with_attention_of(mean, other)


@pytest.mark.parametrize(
    ("shares", "message"),
    [([1.0], "two or more models"), ([1.0, -1.0], "0 or more"), ([0.0, 0.0], "not all 0")],
)
def test_shares_that_make_no_sense(tiny_network, other, shares, message):
    with pytest.raises(ValueError, match=message):
        average([tiny_network, other], shares)


def test_networks_of_two_shapes(tiny_network):
    wide = ColorNet(replace(tiny_network.config, decoder_channels=(16, 16, 16, 24)))
    with pytest.raises(ValueError, match="one decoder_channels"):
        average([tiny_network, wide], [1, 1])
    attentive = ColorNet(replace(wide.config, hint_attention=12))
    with pytest.raises(ValueError, match="another width"):
        with_attention_of(tiny_network, attentive)


def test_the_command(tiny_network, other, attentive, tmp_path, monkeypatch):
    names = {"one": tiny_network, "two": other, "hints": attentive}
    one, two, hints = (str(save(net, tmp_path / name)) for name, net in names.items())
    out = tmp_path / "out"
    flags = ["--models", one, two, "--output", str(out), "--attention", hints, "--half"]
    monkeypatch.setattr("sys.argv", ["average", *flags])
    command.main()
    mean = average([tiny_network, other], [1, 1]).state_dict()
    written = read_model(out).state_dict()
    assert {name for name in written if name not in mean} == {
        f"attention.{name}" for name in attentive.attention.state_dict()
    }
    for name, value in mean.items():
        torch.testing.assert_close(written[name], value, atol=2e-3, rtol=2e-3)
    monkeypatch.setattr("sys.argv", ["average", "--models", one, "--output", str(out)])
    with pytest.raises(SystemExit, match="two or more"):
        command.main()
