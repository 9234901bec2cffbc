"""Pictures to judge by: the same ones each time, upright, square and truly grey."""

import datasets
import numpy as np
import torch
from PIL import Image

from colorize_hub.colour.lab import lightness_to_grey, rgb_to_lightness
from tests.train.training_fixtures import picture
from train.judging.pictures import Sample, read_pictures, square, to_grey


def test_the_same_pictures_are_shown_each_time():
    drawn = []
    for _ in range(2):
        sample = Sample(5)
        for number in range(100):
            sample.offer((np.array(number),))
        drawn.append([int(one) for _, (one,) in sample.kept()])
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert len(drawn[0]) == 5
    assert drawn[0] != list(range(5))


def test_pictures_are_squared_and_greyed():
    wide = np.asarray(picture(0, 100, 300))
    assert square(wide).shape == (256, 256, 3)
    small = np.asarray(picture(1, 256, 256))
    assert square(small) is small
    lightness = rgb_to_lightness(torch.from_numpy(small.copy()).movedim(-1, 0) / 255)
    expected = (lightness_to_grey(lightness)[0] * 255).numpy()
    assert np.abs(to_grey(small) - expected).max() <= 0.5


def test_pictures_are_read_upright_from_parquet_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    picture(0, 96, 128).save(tmp_path / "turned.jpg", exif=exif)
    picture(1, 70, 70).convert("L").save(tmp_path / "grey.png")
    rows = {"image": [str(tmp_path / "turned.jpg"), str(tmp_path / "grey.png")]}
    table = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    table.to_parquet(tmp_path / "rows.parquet")
    read = list(read_pictures(str(tmp_path / "rows.parquet"), "test"))
    assert [rgb.shape for rgb in read] == [(128, 96, 3), (70, 70, 3)]
