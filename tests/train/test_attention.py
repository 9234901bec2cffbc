"""`python -m train.attention`, end to end on a tiny model."""

import numpy as np
import pytest
import torch

from colorize_hub.loading import read_model, save
from tests.train.training_fixtures import picture, tiny, write_blobs
from train.attention import (
    AttentionConfig,
    changed,
    gain,
    scenes,
    side_by_side,
    train_attention,
    with_attention,
)
from train.network.model import build_network

CPU = torch.device("cpu")

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


@pytest.mark.slow
def test_it_learns(tiny_network, model, data, tmp_path):
    """Hints tell one of two colours that kriging cannot know of: the last map tells which."""
    network = with_attention(tiny_network, settings(model, data, tmp_path, width=24))
    attention, rng = network.attention, np.random.default_rng(0)
    assert attention is not None
    seen = list(scenes(tiny_network, [np.asarray(picture(n, 256, 256)) for n in range(6)], rng))
    optimizer = torch.optim.AdamW(attention.parameters(), lr=3e-3)
    found = []
    for _ in range(120):
        loss = gain(seen, attention, network.config, rng)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
    assert found[0] == pytest.approx(0, abs=1e-4), "untrained, it is kriging"
    assert np.mean(found[-20:]) < -0.05


def test_scenes_are_kept_side_by_side(tiny_network):
    pictures = [np.asarray(picture(n, 256, 256)) for n in range(3)]
    came = list(scenes(tiny_network, pictures, np.random.default_rng(0)))
    kept = side_by_side(iter(came), most=2)
    assert len(kept) == 2
    for one, other in zip(came, kept, strict=False):
        assert all(map(torch.equal, one.parts(), other.parts()))
    blocks = [{part.untyped_storage().data_ptr() for part in scene.parts()} for scene in kept]
    assert blocks[0] == blocks[1]


def test_pictures_are_recoloured_in_part_and_faded(tiny_network, model, data, tmp_path):
    rng = np.random.default_rng(0)
    (seen,) = scenes(tiny_network, [np.asarray(picture(1, 256, 256))], rng)
    came = seen.true_ab.float()

    def become(**shares):
        config = settings(model, data, tmp_path, **({"recolour": 0.0, "fade": 0.0} | shares))
        return [changed(seen, config, rng).true_ab for _ in range(20)]

    assert all(torch.equal(ab, came) for ab in become())
    moved = [((ab - came).norm(dim=0) > 3).float().mean().item() for ab in become(recolour=1.0)]
    assert 0 < np.mean(moved) < 0.5, "one thing of several"
    strength = [(ab.norm() / came.norm()).item() for ab in become(fade=1.0)]
    assert 3 < sum(share == 0 for share in strength) < 17
    assert max(strength) < 1


def test_training_the_network_lets_go_of_an_attention_to_its_old_maps(trained, data, tmp_path):
    config = read_model(trained).config
    start = tiny(data, tmp_path, start=trained, decoder_channels=config.decoder_channels)
    network = build_network(start, CPU)
    assert network.attention is None
    assert network.config.hint_attention == 0


def test_no_pictures(model, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises((ValueError, OSError)):
        train_attention(settings(model, str(tmp_path / "empty"), tmp_path / "out"))
