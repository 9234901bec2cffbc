"""The desk's cache: bounded, timed, shared, and never a loss."""

import threading

import numpy as np
import pytest
from PIL import Image

from colorize_hub.demo.photo.desk import Desk
from colorize_hub.demo.photo.marks import Mark, Work
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from tests.scenes import scene


@pytest.fixture
def photos(tmp_path):
    paths = []
    for seed in range(4):
        path = tmp_path / f"photo-{seed}.png"
        Image.fromarray(scene(60, 90, seed=seed)).save(path)
        paths.append(str(path))
    return paths


WORK = Work(marks=(Mark(((30, 20),), (200, 30, 40), 6),), vividness=0.6)


def test_only_so_many_are_held_and_the_others_come_back_equal(tiny_colorizer, photos, tmp_path):
    desk = Desk(tmp_path / "made", sheets=2)
    sheets = [desk.sheet(photo, tiny_colorizer) for photo in photos[:3]]
    assert len(desk) == 2
    assert desk.sheet(photos[2], tiny_colorizer) is sheets[2]
    again = desk.sheet(photos[0], tiny_colorizer)
    assert again is not sheets[0]
    np.testing.assert_array_equal(desk.render(again, WORK), desk.render(sheets[0], WORK))


def test_what_nobody_uses_is_dropped(tiny_colorizer, photos, tmp_path):
    now = 0.0
    desk = Desk(tmp_path / "made", kept_s=100, clock=lambda: now)
    used, unused = desk.sheet(photos[0], tiny_colorizer), desk.sheet(photos[1], tiny_colorizer)
    now = 90.0
    assert desk.sheet(photos[0], tiny_colorizer) is used
    now = 110.0
    assert len(desk) == 1
    assert desk.holds(photos[0], tiny_colorizer)
    assert desk.sheet(photos[1], tiny_colorizer) is not unused


def test_marks_are_scaled_to_the_preview(tiny_colorizer, tmp_path):
    path = str(tmp_path / "large.png")
    Image.fromarray(scene(1536, 2048)).save(path)
    desk = Desk(tmp_path / "made")
    sheet = desk.sheet(path, tiny_colorizer)
    assert sheet.before.size == (1024, 768)
    assert sheet.scale == 0.5
    shown = desk.render(sheet, Work(marks=(Mark(((1000, 400),), (200, 30, 40), 100),)))
    expected = sheet.canvas.render([Hint(500, 200, (200, 30, 40), 50)])
    np.testing.assert_array_equal(shown, expected)


def test_full_size_is_what_the_library_gives(tiny_colorizer, photos, tmp_path):
    desk = Desk(tmp_path / "made")
    made = desk.full_size(photos[0], WORK, tiny_colorizer)
    expected = tiny_colorizer.colorize(photos[0], [Hint(30, 20, (200, 30, 40), 6)], 0.6)
    np.testing.assert_array_equal(Image.open(made), expected)
    assert desk.full_size(photos[0], WORK, tiny_colorizer) == made
    assert desk.full_size(photos[0], Work(), tiny_colorizer) != made


def test_a_hint_keeps_its_colour_under_a_palette(tiny_colorizer, photos, tmp_path):
    desk = Desk(tmp_path / "made")
    sheet = desk.sheet(photos[0], tiny_colorizer)
    palette = ((20.0, 0.5, 0.5, 8.0, -8.0), (80.0, 0.5, 0.5, 8.0, -8.0))
    lent = desk.render(sheet, Work(palette=palette))
    assert (np.asarray(lent) != np.asarray(desk.render(sheet, Work()))).any()
    both = desk.render(sheet, Work(marks=WORK.marks, palette=palette))
    assert (np.asarray(both) != np.asarray(lent)).any()


def test_many_visitors_at_once_get_what_each_asked_for(tiny_colorizer, photos, tmp_path):
    desk = Desk(tmp_path / "made", sheets=2)
    works = [Work(marks=(Mark(((10.0 * i, 20),), (200, 30, 40), 6),)) for i in range(4)]
    expected = [
        np.asarray(desk.render(desk.sheet(photo, tiny_colorizer), work))
        for photo, work in zip(photos, works, strict=True)
    ]
    wrong = []

    def visit(index):
        for _ in range(5):
            shown = np.asarray(desk.render(desk.sheet(photos[index], tiny_colorizer), works[index]))
            if not np.array_equal(shown, expected[index]):
                wrong.append(index)

    visitors = [threading.Thread(target=visit, args=(index,)) for index in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert wrong == []
    assert len(desk) <= 2


def test_a_sheet_belongs_to_its_model(tiny_colorizer, tiny_network, photos, tmp_path):
    desk = Desk(tmp_path / "made")
    sheet = desk.sheet(photos[0], tiny_colorizer)
    other = Colorizer(TorchEngine(tiny_network, device="cpu"))
    assert desk.sheet(photos[0], other).model is other
    assert desk.sheet(photos[0], tiny_colorizer) is sheet
    assert desk.full_size(photos[0], WORK, other) != desk.full_size(photos[0], WORK, sheet.model)
