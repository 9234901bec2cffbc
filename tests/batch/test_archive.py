"""A folder of pictures in colour: which ones, in what state each ends, and that none is harmed."""

import os
import tempfile
from collections import Counter
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from colorize_hub.batch.archive import Task, color_pictures, plan_folder
from colorize_hub.batch.options import Options
from tests.scenes import difference, scene

PLAIN = Options()


@pytest.fixture
def folder(tmp_path):
    """Grey pictures in a tree, one in colour, one damaged, and what is no picture."""
    root = tmp_path / "in"
    (root / "b" / "deep").mkdir(parents=True)
    for seed, name in enumerate(["a.jpg", "a.png", "b/C.JPEG", "b/deep/d.tif", "e.gif"]):
        Image.fromarray(scene(40, 60 + 4 * seed, seed=seed)).save(root / name)
    Image.fromarray(scene(40, 60, 3)).save(root / "b" / "colour.jpg", quality=95)
    (root / "broken.png").write_bytes((root / "a.png").read_bytes()[:200])
    (root / "notes.txt").write_text("no picture")
    (root / "._a.jpg").write_bytes(b"what a Mac leaves on other disks")
    return root


def names(paths, root):
    return [path.relative_to(root).as_posix() for path in paths]


def run(colorizer, source, target, options=PLAIN, **how):
    plan = plan_folder(source, target)
    outcomes = list(color_pictures(colorizer, plan.waiting, options, **how))
    return plan, {one.source.relative_to(source).as_posix(): one for one in outcomes}


# --- plan_folder -----------------------------------------------------------------------------


def test_a_plan_has_every_picture_and_an_output_of_its_own_for_each(folder, tmp_path):
    plan = plan_folder(folder, tmp_path / "out")
    sources = names([task.source for task in plan.waiting], folder)
    targets = names([task.target for task in plan.waiting], tmp_path / "out")
    assert sources == [
        *("a.jpg", "a.png", "broken.png", "e.gif"),
        *("b/C.JPEG", "b/colour.jpg", "b/deep/d.tif"),
    ]
    assert targets == [name.replace("e.gif", "e.gif.png") for name in sources]
    assert (plan.done, plan.failed) == ([], [])


def test_what_has_an_output_is_done(folder, tmp_path):
    (tmp_path / "out" / "b").mkdir(parents=True)
    (tmp_path / "out" / "b" / "C.JPEG").touch()
    plan = plan_folder(folder, tmp_path / "out")
    assert names([task.source for task in plan.done], folder) == ["b/C.JPEG"]
    assert len(plan.waiting) == 6


def test_links_are_followed_and_every_folder_searched_once(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    Image.fromarray(scene(8, 8)).save(tmp_path / "elsewhere" / "far.png")
    (folder / "again").symlink_to(folder / "b")
    (folder / "b" / "up").symlink_to(folder)
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    plan = plan_folder(folder, tmp_path / "out")
    sources = names([task.source for task in plan.waiting], folder)
    assert "more/far.png" in sources
    assert len(sources) == 9
    assert not [name for name in sources if name.startswith(("again", "b/up"))]


def test_a_link_to_nothing_fails_alone(folder, tmp_path, tiny_colorizer):
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    _, outcomes = run(tiny_colorizer, folder, tmp_path / "out")
    assert "no picture file" in outcomes["gone.jpg"].error
    assert outcomes["a.jpg"].state == "coloured"


def test_outputs_inside_the_source_are_not_coloured_again(folder, tiny_colorizer):
    first, _ = run(tiny_colorizer, folder, folder / "out", Options(recolor=True))
    again = plan_folder(folder, folder / "out")
    assert len(first.waiting) == 7
    assert len(again.done) == 6
    assert names([task.source for task in again.waiting], folder) == ["broken.png"]


def test_two_pictures_of_one_output_are_told_apart(folder, tmp_path):
    Image.fromarray(scene(8, 8)).save(folder / "e.gif.png")
    plan = plan_folder(folder, tmp_path / "out")
    (failed,) = plan.failed
    assert failed.source == folder / "e.gif.png"
    assert "rename" in failed.error


def test_a_link_back_to_the_pictures_is_not_written_through(folder, tmp_path, tiny_colorizer):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b").symlink_to(folder / "b")
    plan, outcomes = run(tiny_colorizer, folder, tmp_path / "out")
    failed = names([one.source for one in plan.failed], folder)
    assert failed == ["b/C.JPEG", "b/colour.jpg", "b/deep/d.tif"]
    assert "a link to pictures" in plan.failed[0].error
    assert set(outcomes) == {"a.jpg", "a.png", "broken.png", "e.gif"}


def test_a_folder_that_may_not_be_read_is_reported(folder):
    with tempfile.TemporaryDirectory() as name:
        root, target = Path(name) / "in", Path(name) / "out"
        (root / "closed").mkdir(parents=True)
        Image.fromarray(scene(8, 8)).save(root / "open.png")
        target.mkdir()
        os.chmod(name, 0o755)
        (root / "closed").chmod(0)
        own = os.geteuid()
        try:
            if own == 0:  # who may read everything
                os.seteuid(65534)
            plan = plan_folder(root, target)
        finally:
            os.seteuid(own)
    assert [task.source.name for task in plan.waiting] == ["open.png"]
    (failed,) = plan.failed
    assert failed.source == root / "closed"
    assert "Permission denied" in failed.error


@pytest.mark.parametrize(
    ("source", "target", "error", "message"),
    [
        ("nowhere", "out", FileNotFoundError, "no folder"),
        ("in/a.jpg", "out", NotADirectoryError, "is a file"),
        ("in", "in/a.jpg", NotADirectoryError, "is a file"),
        ("in", "in", ValueError, "Name another folder"),
        ("in", "in/b/..", ValueError, "Name another folder"),
        ("in/b", "in", ValueError, "lies inside"),
    ],
)
def test_folders_that_cannot_be_used_are_refused(folder, source, target, error, message):
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(error, match=message):
        plan_folder(folder.parent / source, folder.parent / target)
    assert sorted(folder.parent.rglob("*")) == before


# --- color_pictures --------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "batch"), [(1, 1), (3, 1), (2, 4)])
def test_outputs_are_what_colorize_gives(folder, tmp_path, tiny_colorizer, workers, batch):
    originals = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    _, outcomes = run(tiny_colorizer, folder, out, workers=workers, batch=batch)
    states = Counter(outcome.state for outcome in outcomes.values())
    assert states == {"coloured": 5, "has colour": 1, "failed": 1}
    assert outcomes["b/colour.jpg"].state == "has colour"
    assert str(folder / "broken.png") in outcomes["broken.png"].error
    assert names(sorted(out.rglob("*.*")), out) == [
        *("a.jpg", "a.png", "b/C.JPEG", "b/deep/d.tif", "e.gif.png"),
    ]
    for name in ("a.png", "b/deep/d.tif", "e.gif.png"):
        expected = tiny_colorizer.colorize(folder / name.replace(".gif.png", ".gif"))
        assert difference(Image.open(out / name), expected).max() <= 1
    assert {path: path.read_bytes() for path in originals} == originals


def test_options_reach_the_pictures(folder, tmp_path, tiny_colorizer):
    options = Options(vividness=0.9, size=32, recolor=True)
    _, outcomes = run(tiny_colorizer, folder, tmp_path / "out", options)
    assert outcomes["b/colour.jpg"].state == "coloured"
    expected = tiny_colorizer.colorize(folder / "a.png", vividness=0.9, size=32)
    assert np.array_equal(Image.open(tmp_path / "out" / "a.png"), expected)


def test_toning_is_kept_when_told(tmp_path, tiny_colorizer):
    (tmp_path / "in").mkdir()
    grey = scene(40, 60)[..., None]
    sepia = (grey * np.array([1.0, 0.85, 0.6])).astype(np.uint8)
    Image.fromarray(sepia).save(tmp_path / "in" / "print.png")
    for keep in (False, True):
        options = Options(keep_toning=keep)
        _, outcomes = run(tiny_colorizer, tmp_path / "in", tmp_path / f"{keep}", options)
        assert outcomes["print.png"].state == "coloured"
    yellow = [
        np.asarray(Image.open(tmp_path / f"{keep}" / "print.png")).astype(int)[..., 2].mean()
        for keep in (False, True)
    ]
    assert yellow[1] < yellow[0] - 5


def test_a_picture_that_cannot_be_written_fails_alone(folder, tmp_path, tiny_colorizer):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b").touch()
    _, outcomes = run(tiny_colorizer, folder, tmp_path / "out", batch=8)
    assert {name for name, one in outcomes.items() if one.state == "failed"} == {
        *("broken.png", "b/C.JPEG", "b/deep/d.tif"),
    }
    assert (tmp_path / "out" / "a.jpg").exists()


def test_a_size_that_fits_no_picture_fails_each_of_a_batch(folder, tmp_path, tiny_colorizer):
    _, outcomes = run(tiny_colorizer, folder, tmp_path / "out", Options(size=7), batch=8)
    assert "size must be" in outcomes["a.jpg"].error
    assert Counter(one.state for one in outcomes.values()) == {"failed": 6, "has colour": 1}


def test_stopped_it_finishes_what_is_in_work_and_begins_no_more(folder, tmp_path, tiny_colorizer):
    stop, tasks = Event(), plan_folder(folder, tmp_path / "out").waiting * 20
    outcomes = []
    for outcome in color_pictures(tiny_colorizer, tasks, PLAIN, workers=2, stop=stop):
        outcomes.append(outcome)
        stop.set()
    assert 1 <= len(outcomes) < len(tasks)
    coloured = {one.source for one in outcomes if one.state == "coloured"}
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {task.target for task in tasks if task.source in coloured}


def test_leaving_the_loop_stops_the_work(folder, tmp_path, tiny_colorizer):
    tasks = [Task(folder / "a.png", tmp_path / f"{n}.png") for n in range(100)]
    outcomes = color_pictures(tiny_colorizer, tasks, PLAIN)
    next(outcomes)
    outcomes.close()
    assert 1 <= len(list(tmp_path.glob("*.png"))) < 100


def test_what_is_done_again_replaces_its_earlier_result_and_no_other_picture(
    folder, tmp_path, tiny_colorizer
):
    """As where the folders of two `scans/*` were taken for IN and OUT."""
    out = tmp_path / "out"
    run(tiny_colorizer, folder, out)
    Image.fromarray(scene(40, 64, seed=9)).save(out / "a.png")
    another = (out / "a.png").read_bytes()
    plan = plan_folder(folder, out)
    outcomes = {
        one.source.name: one
        for one in color_pictures(tiny_colorizer, plan.done, Options(vividness=0.9))
    }
    assert {one.state for name, one in outcomes.items() if name != "a.png"} == {"coloured"}
    assert outcomes["a.png"].state == "failed"
    assert "is a picture of its own" in outcomes["a.png"].error
    assert (out / "a.png").read_bytes() == another


def test_pictures_of_kinds_that_are_not_read_are_named(folder, tmp_path):
    for name in ("x.dng", "b/y.DNG", "z.pfm"):
        (folder / name).write_bytes(b"no matter what")
    plan = plan_folder(folder, tmp_path / "out")
    assert names(plan.unread, folder) == ["x.dng", "z.pfm", "b/y.DNG"]
    assert len(plan.waiting) == 7


def test_a_name_that_is_no_utf8_is_a_name(folder, tmp_path, tiny_colorizer):
    name = os.fsdecode(b"M\xfcnchen.jpg")
    Image.fromarray(scene(40, 60)).save(folder / name)
    _, outcomes = run(tiny_colorizer, folder, tmp_path / "out")
    assert outcomes[name].state == "coloured"
    assert Image.open(tmp_path / "out" / name).size == (60, 40)
