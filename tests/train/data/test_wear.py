"""Worn pictures: what the network sees of them, and what it is taught."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from colorize_hub.colour.lab import rgb_to_lab, rgb_to_lightness
from tests.train.training_fixtures import picture, tiny, write_blobs
from train.data.examples import Examples, Share, open_training_data, training_batches
from train.data.wear import as_seen, worn
from train.judging.pictures import to_grey
from train.network.model import build_network
from train.objective.losses import soft_cross_entropy
from train.objective.objective import Objective

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

RGB = np.asarray(picture(3, 96, 96))
CLEAN = to_grey(RGB)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("data"), 12)


def test_worn_pictures_differ_and_still_show_the_same_thing():
    seen = [worn(CLEAN, np.random.default_rng(seed)) for seed in range(60)]
    assert all(one.shape == CLEAN.shape and one.dtype == np.uint8 for one in seen)
    alike = [np.corrcoef(one.ravel(), CLEAN.ravel())[0, 1] for one in seen]
    assert min(alike) > 0.9
    apart = [np.abs(one.astype(int) - CLEAN).mean() for one in seen]
    assert sum(mean > 1 for mean in apart) > 40
    # One in sixteen has luck.
    assert sum(mean == 0 for mean in apart) < 10


def test_each_kind_of_wear_occurs():
    seen = [worn(CLEAN, np.random.default_rng(seed)).astype(float) for seed in range(60)]

    def detail(grey):
        return np.abs(np.diff(grey)).mean()

    contrast = np.array([np.ptp(one) for one in seen]) / np.ptp(CLEAN)
    rough = np.array([detail(one) for one in seen]) / detail(CLEAN.astype(float))
    assert (contrast < 0.8).sum() > 10
    assert (rough > 1.5).sum() > 10


def test_the_share_decides_how_many_are_worn():
    def changed(share):
        return sum(
            not np.array_equal(as_seen(RGB, share, np.random.default_rng(seed)), CLEAN)
            for seed in range(60)
        )

    assert changed(0.0) == 0
    assert 10 < changed(0.4) < 40
    assert changed(1.0) > 50


def test_wear_follows_from_the_position_and_changes_nothing_else(data, tmp_path):
    plain, one, again = (
        open_training_data(tiny(data, tmp_path, wear=wear), Share()).source
        for wear in (0.0, 1.0, 1.0)
    )
    assert isinstance(plain, Examples)
    assert isinstance(one, Examples)
    assert isinstance(again, Examples)
    for position in (0, 5, 90):
        clean, seen = plain[position], one[position]
        assert torch.equal(seen.pop("worn"), again[position]["worn"])
        assert seen.keys() == clean.keys()
        assert all(np.array_equal(seen[key], clean[key]) for key in clean)


def test_the_network_sees_the_worn_picture_and_learns_the_clean_colours(data, tmp_path):
    config = tiny(data, tmp_path, hints=0.0, wear=1.0)
    network = build_network(config, CPU)
    even = torch.ones(network.head.out_channels)
    batch = next(training_batches(open_training_data(config, Share()), Share(), 0, 0, config))
    loss = Objective(config, CPU, torch.float32)(network, None, batch, even)
    seen = rgb_to_lightness(batch["worn"].float().expand(-1, 3, -1, -1) / 255)
    ab = F.avg_pool2d(rgb_to_lab(batch["rgb"].float() / 255)[:, 1:], 4)

    def at_cells(maps):
        rows = zip(maps.flatten(2), batch["cells"], strict=True)
        return torch.cat([one[:, cells].T for one, cells in rows])

    logits = at_cells(network(seen))
    expected = soft_cross_entropy(logits, at_cells(ab), network.config.bin_step, even)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("wear", [-0.1, 1.5])
def test_wear_is_a_share(data, tmp_path, wear):
    with pytest.raises(ValueError, match=r"wear must be a share of the pictures, 0 to 1, got"):
        tiny(data, tmp_path, wear=wear)
