"""`python -m train.attention`, end to end on a tiny model."""

import numpy as np
import pytest
import torch

from colorize_hub.hub import read_model, save
from tests.training_fixtures import picture, tiny, write_blobs
from train.attention import AttentionConfig, gain, scenes, train_attention, with_attention
from train.model import build_network

pytestmark = pytest.mark.usefixtures("own_datasets_cache")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return str(write_blobs(tmp_path_factory.mktemp("data"), 8))


@pytest.fixture(scope="module")
def model(tiny_network, tmp_path_factory):
    return save(tiny_network, tmp_path_factory.mktemp("model"))


def settings(model, data, output, **changes):
    small = {"steps": 3, "batch": 2, "width": 12, "pictures": 4}
    return AttentionConfig(model, data, output, **(small | changes))


@pytest.fixture(scope="module")
def trained(model, data, tmp_path_factory):
    return train_attention(settings(model, data, tmp_path_factory.mktemp("trained")))


def test_only_the_attention_is_trained(model, trained):
    came, left = read_model(model), read_model(trained)
    assert left.config.hint_attention == 12
    assert left.attention is not None
    assert left.attention.answer.weight.abs().sum() > 0
    before, after = came.state_dict(), left.state_dict()
    assert {name for name in after if name not in before} == {
        name for name in after if name.startswith("attention.")
    }
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_it_goes_on_from_what_it_has(trained, data, tmp_path):
    again = train_attention(settings(trained, data, tmp_path, lr=0.0))
    came, left = read_model(trained).state_dict(), read_model(again).state_dict()
    for name, value in came.items():
        torch.testing.assert_close(left[name], value)
    other = with_attention(read_model(trained), settings(trained, data, tmp_path, width=24))
    assert other.config.hint_attention == 24
    assert other.attention is not None
    assert not other.attention.answer.weight.any(), "another width begins anew"


def test_it_learns(tiny_network, model, data, tmp_path):
    """Hints tell one of two colours that kriging cannot know of: the last map tells which."""
    network = with_attention(tiny_network, settings(model, data, tmp_path, width=24))
    attention, rng = network.attention, np.random.default_rng(0)
    assert attention is not None
    seen = list(scenes(tiny_network, [np.asarray(picture(n, 256, 256)) for n in range(6)], rng))
    optimizer = torch.optim.AdamW(attention.parameters(), lr=3e-3)
    found = []
    for _ in range(60):
        loss = gain(seen, attention, network.config, 0.0, rng)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
    assert found[0] == pytest.approx(0, abs=1e-4), "untrained, it is kriging"
    assert np.mean(found[-10:]) < -0.05


def test_recolouring_reaches_hints_and_cells_alike(tiny_network):
    rng = np.random.default_rng(0)
    (seen,) = scenes(tiny_network, [np.asarray(picture(1, 64, 64))], rng)
    attention = with_attention(
        tiny_network,
        AttentionConfig(None, "", None, width=12),  # pyright: ignore
    ).attention
    assert attention is not None
    asked = []
    attention.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[2][0, :, :2]))
    for recolour in (0.0, 1.0):
        gain([seen], attention, tiny_network.config, recolour, np.random.default_rng(3))
    true = {tuple(colour) for colour in seen.true_ab.float().T.tolist()}
    plain, shifted = ([tuple(colour) in true for colour in one.tolist()] for one in asked)
    assert all(plain)
    assert not all(shifted)


def test_training_the_network_lets_go_of_an_attention_to_its_old_maps(trained, data, tmp_path):
    config = read_model(trained).config
    start = tiny(data, tmp_path, start=trained, decoder_channels=config.decoder_channels)
    network = build_network(start)
    assert network.attention is None
    assert network.config.hint_attention == 0


def test_no_pictures(model, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises((ValueError, OSError)):
        train_attention(settings(model, str(tmp_path / "empty"), tmp_path / "out"))
