"""Scenes of nothing: grey, of every kind, always the same."""

import numpy as np

from train.data.flat_scenes import flat_scenes


def test_they_are_grey_and_always_the_same():
    scenes = list(flat_scenes(10, seed=3))
    for one, again in zip(scenes, flat_scenes(10, seed=3), strict=True):
        assert (one.shape, one.dtype) == ((256, 256, 3), np.uint8)
        assert (one == one[:, :, :1]).all()
        assert (one == again).all()
    assert not any((one == other).all() for one, other in zip(scenes, flat_scenes(10), strict=True))


def test_a_covered_lens_is_dark_and_noise_is_not_flat():
    scenes = np.stack(list(flat_scenes(50))).astype(float)
    assert scenes[3::5].mean((1, 2, 3)).max() < 50
    assert scenes[0::5].std((1, 2, 3)).max() < 40
    assert scenes[4::5].std((1, 2, 3)).min() > 5
