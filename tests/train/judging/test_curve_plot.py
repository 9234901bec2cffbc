"""The plot shows what the metrics say."""

import numpy as np

from train.judging.curve_plot import HEIGHT, WIDTH, plot_hint_curve

COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)
OURS, FLOOR, GREY = (217, 72, 15), (59, 110, 165), (134, 142, 150)


def metrics(ours, floor):
    found = {"hint_images": 12, "data": "photos"}
    for count, our, low in zip(COUNTS, ours, floor, strict=True):
        found |= {f"hints_{count}_psnr": our, f"hints_{count}_floor_psnr": low}
    return found


def rows_of(image, colour, columns):
    """Where a colour stands between the axes in some columns, from the top."""
    top, bottom = 84, HEIGHT - 70
    between = np.asarray(image)[top:bottom, columns].astype(int)
    return top + np.nonzero(np.abs(between - colour).max(axis=2) < 30)[0]


def test_a_rising_curve_rises_above_the_floor():
    image = plot_hint_curve(metrics(np.linspace(21, 28, 8), np.linspace(22, 25, 8)))
    assert image.size == (WIDTH, HEIGHT)
    start, end = slice(88, 100), slice(730, 745)
    assert rows_of(image, OURS, end).mean() < rows_of(image, FLOOR, end).mean() - 50
    assert rows_of(image, OURS, start).mean() > rows_of(image, FLOOR, start).mean() + 20
    grey = rows_of(image, GREY, slice(300, 500))
    assert np.ptp(grey) <= 3  # level, where the floor starts
    assert abs(grey.mean() - rows_of(image, FLOOR, start).mean()) < 8


def test_all_stays_inside_the_axes_even_where_nothing_rises():
    for ours in (np.full(8, 22.0), np.linspace(5, 50, 8)):
        image = plot_hint_curve(metrics(ours, np.full(8, 22.0)))
        rows = rows_of(image, OURS, slice(84, 750))
        assert 86 <= rows.min() <= rows.max() <= HEIGHT - 68
