"""A hint lands on the cell that holds its place, at every picture and grid size."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.hints import hint as hints_as_arrays
from colorize_hub.hints.hint import Hint
from tests.colour.rounding import LAB

RED, GREEN = (200, 30, 40), (30, 160, 60)
side = st.integers(1, 300)


def hint_ab(hints):
    return torch.from_numpy(hints_as_arrays.hint_ab(hints))


def draw_hints(*arguments):
    return torch.from_numpy(hints_as_arrays.draw_hints(*arguments))


def hinted_pixels(*arguments):
    return torch.from_numpy(hints_as_arrays.hinted_pixels(*arguments))


def ab_of(rgb):
    return rgb_to_lab(torch.tensor(rgb)[:, None, None] / 255)[1:, 0, 0]


def cells(drawn):
    """The (row, column) of every cell that carries a hint."""
    return {tuple(cell) for cell in drawn[0, 2].nonzero().tolist()}


def test_no_hints_draw_zeros():
    drawn = draw_hints([], (30, 40), (8, 10))
    assert torch.equal(drawn, torch.zeros(1, 3, 8, 10))


def test_a_hint_carries_its_ab_and_a_mask():
    drawn = draw_hints([Hint(13, 7, RED)], (32, 40), (8, 10))
    assert cells(drawn) == {(1, 3)}
    torch.testing.assert_close(drawn[0, :2, 1, 3], ab_of(RED), atol=LAB, rtol=0)
    assert drawn[0, 2, 1, 3] == 1
    assert drawn[0, :2].count_nonzero() == 2


@given(side, side, st.integers(1, 40), st.integers(1, 40), st.data())
def test_the_centre_of_a_pixel_falls_into_the_cell_that_covers_it(
    height, width, rows, columns, data
):
    x = data.draw(st.integers(0, width - 1)) + 0.5
    y = data.draw(st.integers(0, height - 1)) + 0.5
    ((row, column),) = cells(draw_hints([Hint(x, y, RED)], (height, width), (rows, columns)))
    assert row * height <= y * rows < (row + 1) * height
    assert column * width <= x * columns < (column + 1) * width


@pytest.mark.parametrize("size", [(32, 40), (1, 1), (1080, 1920), (7, 500), (683, 1024)])
@pytest.mark.parametrize("grid", [(8, 10), (64, 96), (8, 32)])
def test_corners_of_the_picture_are_corners_of_the_grid(size, grid):
    height, width = size
    right, bottom = math.nextafter(width, 0), math.nextafter(height, 0)
    rows, columns = grid
    assert cells(draw_hints([Hint(0, 0, RED)], size, grid)) == {(0, 0)}
    assert cells(draw_hints([Hint(right, 0, RED)], size, grid)) == {(0, columns - 1)}
    assert cells(draw_hints([Hint(right, bottom, RED)], size, grid)) == {(rows - 1, columns - 1)}


def test_later_hints_lie_over_earlier_ones():
    below, above = Hint(13, 7, RED, radius=50), Hint(13, 7, GREEN)
    drawn = draw_hints([below, above], (32, 40), (8, 10))
    torch.testing.assert_close(drawn[0, :2, 1, 3], ab_of(GREEN), atol=LAB, rtol=0)
    torch.testing.assert_close(drawn[0, :2, 5, 5], ab_of(RED), atol=LAB, rtol=0)
    drawn = draw_hints([above, below], (32, 40), (8, 10))
    torch.testing.assert_close(drawn[0, :2, 1, 3], ab_of(RED), atol=LAB, rtol=0)


def test_radius_covers_the_cells_whose_centres_it_reaches():
    drawn = draw_hints([Hint(20, 16, RED, radius=9)], (32, 40), (8, 10))  # cells of 4 pixels
    reached = {
        (row, column)
        for row in range(8)
        for column in range(10)
        if math.hypot(column * 4 + 2 - 20, row * 4 + 2 - 16) <= 9
    }
    own = (4, 5)
    assert len(reached) == 16
    assert cells(drawn) == reached | {own}


def test_radius_is_in_pixels_of_the_picture_both_ways():
    drawn = draw_hints([Hint(50, 100, RED, radius=30)], (200, 100), (10, 10))  # cells of 10 x 20
    rows, columns = drawn[0, 2].nonzero().T
    assert (rows.min(), rows.max()) == (4, 5)  # centres 90 and 110; 70 and 130 are off the middle
    assert (columns.min(), columns.max()) == (2, 7)


@pytest.mark.parametrize("radius", [None, 0, 0.1])
def test_the_smallest_hint_is_one_cell(radius):
    assert len(cells(draw_hints([Hint(13, 7, RED, radius)], (32, 40), (8, 10)))) == 1


def test_a_radius_larger_than_the_picture_covers_it():
    drawn = draw_hints([Hint(1, 1, RED, radius=1000)], (32, 40), (8, 10))
    assert drawn[0, 2].all()


@pytest.mark.parametrize(("x", "y"), [(-1, 5), (5, -0.1), (40, 5), (5, 32), (1e9, 5)])
def test_outside_the_picture_is_an_error(x, y):
    with pytest.raises(ValueError, match="outside the picture of 40 x 32"):
        draw_hints([Hint(x, y, RED)], (32, 40), (8, 10))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((math.nan, 0, RED), "x and y must be finite"),
        ((0, math.inf, RED), "x and y must be finite"),
        ((0, 0, (1, 2)), "rgb must be three numbers"),
        ((0, 0, (1, 2, 256)), "rgb must be three numbers"),
        ((0, 0, (1, -2, 3)), "rgb must be three numbers"),
        ((0, 0, (1, math.nan, 3)), "rgb must be three numbers"),
        ((True, 0, RED), "x and y must be finite"),
        (("3", 0, RED), "x and y must be finite"),
        ((0, 0, (1, True, 3)), "rgb must be three numbers"),
        ((0, 0, "red"), "rgb must be three numbers"),
        ((0, 0, None), "rgb must be three numbers"),
        ((0, 0, RED, True), "radius must be None or pixels"),
        ((0, 0, RED, "4"), "radius must be None or pixels"),
        ((0, 0, RED, -1), "radius must be None or pixels"),
        ((0, 0, RED, math.nan), "radius must be None or pixels"),
        ((0, 0, RED, math.inf), "radius must be None or pixels"),
    ],
)
def test_a_hint_that_makes_no_sense_is_an_error(values, message):
    with pytest.raises(ValueError, match=message):
        Hint(*values)


def test_numpy_numbers_and_lists_make_hints():
    level = np.array([200, 30, 40], np.uint8)
    hint = Hint(np.float32(3), np.int64(4), list(level), np.float64(2))  # pyright: ignore
    torch.testing.assert_close(hint_ab([hint])[0], ab_of(RED), atol=LAB, rtol=0)
    assert hint_ab([]).shape == (0, 2)


@given(side, side, st.data())
def test_without_a_radius_a_hint_fixes_its_own_pixel(height, width, data):
    x = data.draw(st.floats(0, width, exclude_max=True))
    y = data.draw(st.floats(0, height, exclude_max=True))
    owner = hinted_pixels([Hint(x, y, RED)], (height, width))
    assert (owner >= 0).nonzero().tolist() == [[int(y), int(x)]]


@given(st.floats(0, 39.9), st.floats(0, 31.9), st.floats(0, 60))
def test_a_disc_fixes_every_pixel_it_touches_and_few_more(x, y, radius):
    row, column = torch.meshgrid(torch.arange(32), torch.arange(40), indexing="ij")
    nearest = torch.hypot(
        x - column.clamp_min(0) - (x - column).clamp(0, 1), y - row - (y - row).clamp(0, 1)
    )
    fixed = hinted_pixels([Hint(x, y, RED, radius)], (32, 40)) >= 0
    assert fixed[nearest < radius - 1e-3].all()
    assert not fixed[nearest > radius + 1].any()


def test_later_hints_own_the_pixels_they_share():
    hints = [Hint(10, 10, RED, 6), Hint(12.5, 10.5, GREEN, 0), Hint(13.5, 10.5, RED)]
    owner = hinted_pixels(hints, (32, 40))
    assert (owner[10, 11:15].tolist(), owner[31, 39]) == ([0, 1, 2, 0], -1)


def test_ten_thousand_hints_are_drawn():
    places = torch.rand(10_000, 2, generator=torch.Generator().manual_seed(3)) * 256
    hints = [Hint(x, y, RED, 4) for x, y in places.tolist()]
    assert draw_hints(hints, (256, 256), (64, 64))[0, 2].mean() > 0.99
    owner = hinted_pixels(hints, (256, 256))
    assert (owner >= 0).float().mean() > 0.99
    assert owner[int(hints[-1].y), int(hints[-1].x)] == 9999
