"""Hinted cells are exact, and what spreads stays with its object and ends in nothing."""

import math

import pytest
import torch

from colorize_hub.colour.palette import palette
from colorize_hub.hints.cells import Cells
from colorize_hub.hints.kriging import NOISE, REACH, spread_hints

STEP = 20
BINS = len(palette(STEP))
GRID = (24, 32)


@pytest.fixture
def two_objects():
    """Left and right half are expected to have different colours; lightness (h, w) is one."""
    logits = torch.zeros(BINS, *GRID)
    logits[3, :, :16] = 8
    logits[40, :, 16:] = 8
    return logits, torch.full(GRID, 50.0)


def hint_map(*cells):
    drawn = torch.zeros(3, *GRID)
    for row, column, a, b in cells:
        drawn[:, row, column] = torch.tensor([a, b, 1.0])
    return drawn


def spread(drawn, logits, lightness, ab=None, chroma_scale=1.0):
    ab = torch.zeros(2, *GRID) if ab is None else ab
    return spread_hints(
        drawn,
        ab,
        Cells.read(logits, torch.zeros(4, *lightness.shape), lightness, STEP),
        chroma_scale,
    )


def test_hinted_cells_are_exact_however_many_and_near():
    drawn = torch.cat((torch.rand(2, *GRID) * 160 - 80, torch.ones(1, *GRID)))
    for share in (0.01, 0.3, 1.0):
        mask = torch.rand(GRID) < share
        mask[3, 4] = True
        some = drawn * mask
        ab = spread(some, torch.randn(BINS, *GRID), torch.rand(GRID) * 100, chroma_scale=1.5)
        assert torch.equal(ab[:, mask], drawn[:2, mask])
        assert ab.isfinite().all()
        assert ab.abs().max() < 200


def test_a_hint_colours_its_object_and_not_the_other(two_objects):
    ab = spread(hint_map((12, 12, 60.0, 40.0)), *two_objects)
    own, other = ab[0, 12, :16], ab[0, 12, 16:]
    assert own[8:15].min() > 40  # the cell at the border has something of both
    assert other.abs().max() < 15
    assert own.argmax() == 12


def test_lightness_and_distance_limit_a_hint():
    same = torch.zeros(BINS, *GRID)
    lightness = torch.full(GRID, 50.0)
    lightness[:, 16:] = 95
    ab = spread(hint_map((2, 12, 60.0, 40.0)), same, lightness)
    assert ab[0, 2, 15] > 40
    assert ab[0, 2, 16].abs() < 15
    far = 60 * math.exp(-((21 / 24 / REACH) ** 2)) / (1 + NOISE)  # rows 2 to 23 of 24
    assert ab[0, 23, 12] == pytest.approx(far, rel=0.01)
    assert far < 8


def test_independent_hints_speak_for_the_whole_picture(two_objects):
    logits, lightness = two_objects
    red = [(2, 2, 60.0, 40.0), (2, 12, 60.0, 40.0), (21, 2, 60.0, 40.0), (21, 12, 60.0, 40.0)]
    stroke = [(2, column, 60.0, 40.0) for column in range(1, 5)]
    all_over = spread(hint_map(*red), logits, lightness)[0, 12, 7]
    in_one_place = spread(hint_map(*stroke), logits, lightness)[0, 12, 12]
    assert all_over > 50
    one = spread(hint_map((2, 4, 60.0, 40.0)), logits, lightness)[0, 12, 12]
    assert in_one_place == pytest.approx(float(one), rel=0.35)  # four that say one thing
    assert in_one_place < all_over / 2


def test_far_from_one_hint_the_model_keeps_its_calibrated_chroma(two_objects):
    ab = torch.full((2, *GRID), 10.0)
    found = spread(hint_map((2, 2, -30.0, 5.0)), *two_objects, ab=ab, chroma_scale=1.5)
    torch.testing.assert_close(found[:, 21, 30], torch.tensor([15.0, 15.0]), atol=0.3, rtol=0)


def test_hints_that_say_grey_calm_the_rest():
    logits = torch.zeros(BINS, *GRID)
    logits[3] = 8
    ab = torch.from_numpy(palette(STEP))[3][:, None, None].expand(2, *GRID)
    lightness = torch.linspace(0, 100, 32).expand(GRID)
    places = [(row, column, 0.0, 0.0) for row in (2, 21) for column in (2, 8, 14)]
    found = spread(hint_map(*places), logits, lightness, ab, chroma_scale=1.5)
    assert found[:, 12, 31].norm() < 0.5 * ab[:, 0, 0].norm()
    assert found[:, 12, 8].norm() < 0.1 * ab[:, 0, 0].norm()


def test_more_hints_than_anchors_still_spread(two_objects):
    drawn = torch.zeros(3, *GRID)
    drawn[:, 2:, :16] = torch.tensor([60.0, 40.0, 1.0])[:, None, None]  # 352 cells
    ab = spread(drawn, *two_objects)
    assert ab[0, :2, :14].min() > 40
    assert ab[0, :, 26:].abs().max() < 15
