"""Pictures packed into one buffer: the batches that the workers make, but for rounding."""

import io
import os
import signal
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from tests.train.training_fixtures import equal, picture, tiny, train_here, weights, write_blobs
from train.data.augment import Crop
from train.data.examples import Share, open_training_data, training_batches
from train.data.packed import PackedPictures, packed_batches
from train.data.wear import Wear, draw_wear, worn_together
from train.judging.pictures import to_grey
from train.run import loop

CPU = torch.device("cpu")
RGB = np.asarray(picture(3, 96, 96))

pytestmark = pytest.mark.usefixtures("own_datasets_cache")


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("data"), 12)


def opened(blobs, tmp_path, **changes):
    config = tiny(blobs, tmp_path, **changes)
    return open_training_data(config, Share()), config


@pytest.mark.parametrize(
    ("crop", "size"),
    [
        (Crop(3, 5, 64, False), 64),
        (Crop(3, 5, 64, True), 64),
        (Crop(0, 0, 48, True), 64),
        (Crop(2, 4, 66, False), 32),
    ],
)
def test_a_crop_is_what_pillow_makes_of_it(blobs, tmp_path, crop, size):
    data, _ = opened(blobs, tmp_path)
    packed = PackedPictures(data.source, CPU)
    for number in (0, 4):
        pixels = data.source.pixels(int(data.source.indices[number]))
        square = pixels[crop.top : crop.top + crop.side, crop.left : crop.left + crop.side]
        square = square[:, ::-1] if crop.flipped else square
        expected = Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR)
        found = packed.cut([number], [crop], size)[0].permute(1, 2, 0).numpy()
        apart = np.abs(found.astype(int) - np.asarray(expected))
        assert apart.max() <= (0 if size == crop.side else 8)
        assert apart.mean() < 1


@pytest.mark.parametrize("count", [1, 2])
def test_batches_are_those_of_the_workers(blobs, tmp_path, count):
    data, config = opened(blobs, tmp_path, wear=0.0)
    share = Share(count - 1, count)
    ours = list(packed_batches(data.source, share, 2, config, CPU))
    theirs = list(training_batches(data, share, 2, 0, config))
    assert len(ours) == len(theirs) == config.steps - 2
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one["hint_mask"], other["hint_mask"])
        assert torch.equal(one["cells"], other["cells"])
        assert one["read"] == int(other["read"].max())
        assert one["rgb"].shape == other["rgb"].shape
        assert (one["rgb"].int() - other["rgb"].int()).abs().float().mean() < 2


def test_batches_follow_from_the_step(blobs, tmp_path):
    data, config = opened(blobs, tmp_path, wear=0.8)
    whole = list(islice(packed_batches(data.source, Share(), 0, config, CPU), 6))
    later = list(islice(packed_batches(data.source, Share(), 4, config, CPU), 2))
    for one, other in zip(whole[4:], later, strict=True):
        assert torch.equal(one["rgb"], other["rgb"])
        assert torch.equal(one["worn"], other["worn"])


def test_wear_of_a_batch_is_that_of_pictures():
    rgb, grey = torch.from_numpy(RGB.transpose(2, 0, 1).copy())[None], to_grey(RGB)
    kinds = [Wear(), Wear(blur=2.0), Wear(quality=20), Wear(30, 200, 1.2), Wear(grain=8, coarse=2)]
    clean, soft, small, faded, grainy = (
        worn_together(rgb.expand(len(kinds), -1, -1, -1), kinds, 3)[:, 0].numpy().astype(int)
    )
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=20)
    blurred = Image.fromarray(grey).filter(ImageFilter.GaussianBlur(2.0))
    tone = (30 + 170 * (np.arange(256) / 255) ** 1.2).round()[grey]
    inside = np.s_[8:-8, 8:-8]
    assert np.abs(clean - grey).max() <= 1
    assert np.abs(soft - np.asarray(blurred))[inside].max() <= 3
    assert np.abs(small - np.asarray(Image.open(file))).mean() < 1
    assert np.abs(faded - tone).max() <= 1
    noise = (grainy - grey)[np.abs(grey - 128) < 90]
    assert 6 < noise.std() < 10


def test_as_many_are_worn_as_asked():
    drawn = [draw_wear(0.5, 64, np.random.default_rng(seed)) for seed in range(200)]
    assert 0.3 < np.mean([one == Wear() for one in drawn]) < 0.75
    assert draw_wear(0.0, 64, np.random.default_rng(0)) == Wear()


@pytest.mark.slow
def test_a_packed_run_that_is_stopped_goes_on_to_the_same_weights(blobs, tmp_path, monkeypatch):
    changes = {"packed": True, "wear": 0.5, "pictures": 32, "validation": 2}
    train_here(blobs, tmp_path / "whole", **changes)
    update, calls = loop.update_average, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return update(*args)

    monkeypatch.setattr(loop, "update_average", interrupted)
    assert train_here(blobs, tmp_path / "parts", **changes) is None
    assert train_here(blobs, tmp_path / "parts", resume=True, **changes) is not None
    assert len(calls) == 8
    assert equal(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_a_stream_is_not_packed(blobs, tmp_path):
    with pytest.raises(ValueError, match="--packed holds all pictures, and --streaming does not"):
        tiny(blobs, tmp_path, packed=True, streaming=True)
