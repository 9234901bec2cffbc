"""Spreading on arrays gives what spreading on tensors gives: one formula, written twice."""

import numpy as np
import pytest
import torch

from colorize_hub.colour.palette import decode_bins, palette
from colorize_hub.hints import kriging, kriging_numpy
from colorize_hub.hints.kriging import Cells
from colorize_hub.hints.kriging_numpy import CellArrays

STEP = 20


def both(hinted_cells, rows=20, columns=28):
    logits = torch.randn(len(palette(STEP)), rows, columns) * 2
    lightness = torch.rand(rows, columns) * 100
    hint_map = torch.zeros(3, rows, columns)
    for row, column in hinted_cells:
        hint_map[:, row, column] = torch.tensor([*(torch.randn(2) * 30), 1.0])
    hinted = torch.randn(2, rows, columns) * 20
    cells = Cells.read(logits, torch.zeros(4, *lightness.shape), lightness, STEP)
    mean = decode_bins(logits[None], STEP, 0.5)[0]
    arrays = CellArrays.read(
        logits.numpy(), np.zeros((4, rows, columns), np.float32), mean.numpy(), lightness.numpy()
    )
    expected = kriging.spread_hints(hint_map, hinted, cells, 1.4)
    found = kriging_numpy.spread_hints(hint_map.numpy(), hinted.numpy(), arrays, 1.4)
    return torch.from_numpy(found), expected


@pytest.mark.parametrize("count", [1, 2, 30, 400])
def test_the_two_agree(count):
    cells = np.unravel_index(np.random.default_rng(count).permutation(560)[:count], (20, 28))
    found, expected = both(list(zip(*cells, strict=True)))
    assert expected.std() > 2
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)


def test_a_stroke_of_neighbouring_cells():
    found, expected = both([(4, column) for column in range(3, 20)])
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)


def test_large_grids_go_in_blocks():
    cells = [(row, column) for row in range(0, 120, 8) for column in range(0, 160, 9)]
    found, expected = both(cells, 120, 160)
    assert len(cells) * 120 * 160 > kriging_numpy.BLOCK_NUMBERS
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)
