"""Batches follow from the seed and the step, whoever makes them."""

from itertools import islice

import pytest
import torch

from tests.train.training_fixtures import tiny, write_blobs
from train.data.examples import Share, open_training_data, training_batches

pytestmark = pytest.mark.usefixtures("own_datasets_cache")


@pytest.mark.parametrize("streaming", [False, True])
def test_more_workers_make_the_same_batches(tmp_path, streaming):
    config = tiny(write_blobs(tmp_path, 10), tmp_path, streaming=streaming, validation=2)
    data = open_training_data(config, Share())
    one, two = (
        list(islice(training_batches(data, Share(), 3, 0, config, workers), 6))
        for workers in (1, 2)
    )
    for batch, other in zip(one, two, strict=True):
        assert batch.keys() == other.keys()
        assert all(torch.equal(batch[name], other[name]) for name in batch)
