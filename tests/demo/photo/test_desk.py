"""The desk's cache and shelf: bounded, timed, shared, and never a loss."""

import threading

import numpy as np
import pytest
from PIL import Image

from colorize_hub import loading
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.photo.desk import Desk
from colorize_hub.demo.photo.marks import Mark, Work
from colorize_hub.hints.hint import Hint
from colorize_hub.loading import ModelError
from tests.scenes import scene


@pytest.fixture
def shelf(tiny_colorizer):
    return ModelShelf(tiny_colorizer)


@pytest.fixture
def photos(tmp_path):
    paths = []
    for seed in range(4):
        path = tmp_path / f"photo-{seed}.png"
        Image.fromarray(scene(60, 90, seed=seed)).save(path)
        paths.append(str(path))
    return paths


WORK = Work(marks=(Mark(((30, 20),), (200, 30, 40), 6),), vividness=0.6)


def test_only_so_many_are_held_and_the_others_come_back_equal(shelf, photos, tmp_path):
    desk = Desk(shelf, tmp_path / "made", sheets=2)
    sheets = [desk.sheet(photo) for photo in photos[:3]]
    assert len(desk) == 2
    assert desk.sheet(photos[2]) is sheets[2]
    again = desk.sheet(photos[0])
    assert again is not sheets[0]
    np.testing.assert_array_equal(desk.render(again, WORK), desk.render(sheets[0], WORK))


def test_what_nobody_uses_is_dropped(shelf, photos, tmp_path):
    desk = Desk(shelf, tmp_path / "made", kept_s=0)
    desk.sheet(photos[0])
    assert len(desk) == 0


def test_marks_are_scaled_to_the_preview(shelf, tmp_path):
    path = str(tmp_path / "large.png")
    Image.fromarray(scene(1536, 2048)).save(path)
    desk = Desk(shelf, tmp_path / "made")
    sheet = desk.sheet(path)
    assert sheet.before.size == (1024, 768)
    assert sheet.scale == 0.5
    shown = desk.render(sheet, Work(marks=(Mark(((1000, 400),), (200, 30, 40), 100),)))
    expected = sheet.canvas.render([Hint(500, 200, (200, 30, 40), 50)])
    np.testing.assert_array_equal(shown, expected)


def test_full_size_is_what_the_library_gives(shelf, tiny_colorizer, photos, tmp_path):
    desk = Desk(shelf, tmp_path / "made")
    made = desk.full_size(photos[0], WORK)
    expected = tiny_colorizer.colorize(photos[0], [Hint(30, 20, (200, 30, 40), 6)], 0.6)
    np.testing.assert_array_equal(Image.open(made), expected)
    assert desk.full_size(photos[0], WORK) == made
    assert desk.full_size(photos[0], Work()) != made


def test_a_hint_keeps_its_colour_under_a_palette(shelf, photos, tmp_path):
    desk = Desk(shelf, tmp_path / "made")
    sheet = desk.sheet(photos[0])
    palette = ((20.0, 0.5, 0.5, 8.0, -8.0), (80.0, 0.5, 0.5, 8.0, -8.0))
    lent = desk.render(sheet, Work(palette=palette))
    assert (np.asarray(lent) != np.asarray(desk.render(sheet, Work()))).any()
    both = desk.render(sheet, Work(marks=WORK.marks, palette=palette))
    assert (np.asarray(both) != np.asarray(lent)).any()


def test_many_visitors_at_once_get_what_each_asked_for(shelf, photos, tmp_path):
    desk = Desk(shelf, tmp_path / "made", sheets=2)
    works = [Work(marks=(Mark(((10.0 * i, 20),), (200, 30, 40), 6),)) for i in range(4)]
    expected = [
        np.asarray(desk.render(desk.sheet(photo), work))
        for photo, work in zip(photos, works, strict=True)
    ]
    wrong = []

    def visit(index):
        for _ in range(5):
            shown = np.asarray(desk.render(desk.sheet(photos[index]), works[index]))
            if not np.array_equal(shown, expected[index]):
                wrong.append(index)

    visitors = [threading.Thread(target=visit, args=(index,)) for index in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert wrong == []
    assert len(desk) <= 2


def test_shelf_loads_once_and_holds_few(tiny_colorizer, tiny_network, tmp_path):
    shelf = ModelShelf(tiny_colorizer, guests=1)
    assert shelf.get("") is shelf.get("  ") is tiny_colorizer
    one, other = (str(loading.save(tiny_network, tmp_path / name)) for name in ("one", "other"))
    first = shelf.get(one)
    assert shelf.get(one) is first
    shelf.get(other)
    assert shelf.get(one) is not first
    with pytest.raises(ModelError):
        shelf.get(str(tmp_path / "nothing"))
    assert shelf.get("") is tiny_colorizer


def test_a_shelf_without_folders_tells_nothing_of_the_disk(
    tiny_colorizer, tiny_network, tmp_path, monkeypatch
):
    shelf = ModelShelf(tiny_colorizer, folders=False)
    folder = loading.save(tiny_network, tmp_path / "user" / "model")
    monkeypatch.chdir(tmp_path)
    told = set()
    for name in (str(folder), "user/model", "~", "/etc/passwd", "/nowhere", "../user"):
        with pytest.raises(ModelError) as refused:
            shelf.get(name)
        told.add(str(refused.value).replace(name, "", 1))
    assert told == {' is not a model of the Hub; write "user/model".'}
    with pytest.raises(ModelError) as looked_for:
        shelf.get("nobody/nothing")
    assert "is not a model of the Hub" not in str(looked_for.value)
    assert shelf.get("") is tiny_colorizer


def test_a_sheet_belongs_to_its_model(shelf, tiny_network, photos, tmp_path):
    desk = Desk(shelf, tmp_path / "made")
    folder = str(loading.save(tiny_network, tmp_path / "model"))
    assert desk.sheet(photos[0], folder).model is shelf.get(folder)
    assert desk.sheet(photos[0]).model is shelf.get("")
