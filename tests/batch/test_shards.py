"""A Parquet dataset in colour: every row once, in place, whatever became of an earlier run."""

import io
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from colorize_hub.batch.options import Options
from colorize_hub.batch.shards import PLAN, color_shard, plan_shards
from tests.scenes import difference, scene

PLAIN = Options()


def encoded(seed, channels=1, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(scene(24, 32, channels, seed=seed)).save(file, kind)
    return file.getvalue()


def decoded(content):
    return Image.open(io.BytesIO(content))


def write(path, contents, first=0, as_struct=True, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = contents
    if as_struct:
        images = [None if c is None else {"bytes": c, "path": "old.png"} for c in contents]
    columns = {"image": images, "id": list(range(first, first + len(contents)))}
    table = pyarrow.table(columns).replace_schema_metadata({"huggingface": '{"info": {}}'})
    pyarrow.parquet.write_table(table, path, **options)


@pytest.fixture
def dataset(tmp_path):
    """17 rows in two files; row 3 is damaged, 4 has no picture, 5 has colour."""
    contents = [encoded(seed) for seed in range(17)]
    contents[3:6] = [b"torn", None, encoded(5, channels=3)]
    write(tmp_path / "data" / "a.parquet", contents[:10], row_group_size=3)
    write(tmp_path / "data" / "sub" / "b.parquet", contents[10:], first=10)
    return tmp_path / "data"


def colour(colorizer, dataset, options=PLAIN, **how):
    shards = plan_shards(dataset, dataset.parent / "out", options, **how)
    return shards, [color_shard(colorizer, shard, options) for shard in shards]


def rows_of(folder):
    paths = sorted(folder.rglob("*.parquet"))
    return [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]


@pytest.mark.parametrize("rows", [4, 256])
def test_every_row_is_there_once_in_its_place(dataset, tiny_colorizer, rows):
    shards, finished = colour(tiny_colorizer, dataset, PLAIN, rows=rows)
    out = dataset.parent / "out"
    assert len(shards) == {4: 5, 256: 2}[rows]
    assert {path.parent for path in out.rglob("*.parquet")} == {out, out / "sub"}
    before, after = rows_of(dataset), rows_of(out)
    assert [row["id"] for row in after] == list(range(17))
    for old, new in zip(before, after, strict=True):
        if old["id"] in (3, 4, 5):
            assert new == old
        else:
            assert new["image"]["path"] == old["image"]["path"]
            image = decoded(new["image"]["bytes"])
            assert image.format == "PNG"
            expected = tiny_colorizer.colorize(decoded(old["image"]["bytes"]))
            assert difference(image, expected).max() <= 1
    assert sum(one.coloured for one in finished) == 14
    ((row, reason),) = [error for one in finished for error in one.errors]
    assert (row, reason.startswith("the picture is")) == (3, True)
    for path in out.rglob("*.parquet"):
        schema = pyarrow.parquet.read_schema(path)
        assert schema.metadata[b"huggingface"] == b'{"info": {}}'
        assert schema.equals(pyarrow.parquet.read_schema(dataset / "a.parquet"))


def test_bytes_stay_bytes_and_other_names_and_options_are_heeded(tmp_path, tiny_colorizer):
    contents = [encoded(0, kind="JPEG"), encoded(1, channels=3)]
    write(tmp_path / "data" / "a.parquet", contents, as_struct=False)
    options = Options(vividness=0.9, size=32, recolor=True)
    _, (done,) = colour(tiny_colorizer, tmp_path / "data", options, column="image")
    assert done.coloured == 2
    first, second = rows_of(tmp_path / "out")
    assert decoded(first["image"]).format == "JPEG"
    expected = tiny_colorizer.colorize(decoded(contents[1]), vividness=0.9, size=32)
    assert np.array_equal(decoded(second["image"]), expected)


def test_a_row_with_only_a_path_is_named_and_stays(tmp_path, tiny_colorizer):
    table = pyarrow.table(
        {"image": [{"bytes": None, "path": "far.png"}, {"bytes": encoded(0), "path": None}]}
    )
    (tmp_path / "data").mkdir()
    pyarrow.parquet.write_table(table, tmp_path / "data" / "a.parquet")
    _, (done,) = colour(tiny_colorizer, tmp_path / "data", PLAIN)
    assert [row for row, _ in done.errors] == [0]
    assert rows_of(tmp_path / "out")[0] == {"image": {"bytes": None, "path": "far.png"}}


def test_a_finished_shard_is_not_done_again_and_tells_what_became_of_it(dataset, tiny_colorizer):
    shards, finished = colour(tiny_colorizer, dataset, PLAIN, rows=4)
    targets = [Path(shard.target) for shard in shards]
    targets[2].unlink()
    times = {path: path.stat().st_mtime_ns for path in targets if path.exists()}
    _, again = colour(tiny_colorizer, dataset, PLAIN, rows=4)
    assert again[:2] + again[3:] == finished[:2] + finished[3:]
    assert (again[2].rows, again[2].coloured) == (finished[2].rows, finished[2].coloured)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert Counter(row["id"] for row in rows_of(dataset.parent / "out")) == Counter(range(17))


def test_what_was_begun_goes_on_only_in_the_same_way(dataset):
    out = dataset.parent / "out"
    plan_shards(dataset, out, PLAIN, rows=4)
    assert plan_shards(dataset, out, PLAIN, rows=4)
    assert json.loads((out / PLAN).read_text())["files"] == {"a.parquet": 10, "sub/b.parquet": 7}
    with pytest.raises(ValueError, match="begun with other rows: go on"):
        plan_shards(dataset, out, PLAIN, rows=5)
    with pytest.raises(ValueError, match="other model, vividness"):
        plan_shards(dataset, out, Options(vividness=0.2), model="user/model", rows=4)
    write(dataset / "c.parquet", [encoded(0)])
    with pytest.raises(ValueError, match="other files"):
        plan_shards(dataset, out, PLAIN, rows=4)


def test_what_cannot_be_a_dataset_is_refused(dataset, tmp_path):
    (tmp_path / "empty").mkdir()
    for source, target, rows, column, message in [
        (tmp_path / "empty", "out", 4, None, "no Parquet file"),
        (dataset, "out", 0, None, "1 or more"),
        (dataset, "data/out", 4, None, "lie in one another"),
        (dataset / "sub", "data", 4, None, "lie in one another"),
        (dataset, "out", 4, "id", "column of pictures 'id'.*: image"),
    ]:
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            plan_shards(source, tmp_path / target, PLAIN, column=column, rows=rows)
    assert not (tmp_path / "out").exists()


def test_a_file_of_somebody_else_is_not_taken_for_a_shard(dataset, tiny_colorizer):
    (shard, _) = plan_shards(dataset, dataset.parent / "out", PLAIN)
    pyarrow.parquet.write_table(pyarrow.table({"id": [1]}), shard.target)
    with pytest.raises(ValueError, match="move it away"):
        color_shard(tiny_colorizer, shard, PLAIN)


def test_what_is_not_the_fault_of_a_picture_leaves_the_shard_undone(dataset, tiny_colorizer):
    options = Options(size=7)
    (shard, _) = plan_shards(dataset, dataset.parent / "out", options)
    with pytest.raises(ValueError, match="size must be"):
        color_shard(tiny_colorizer, shard, options)
    assert not Path(shard.target).exists()


def test_files_may_have_any_name_and_each_its_own_column(tmp_path, tiny_colorizer):
    name = os.fsdecode(b"M\xfcnchen.parquet")
    (tmp_path / "data").mkdir()
    for path, column in (
        (tmp_path / "data" / "A.parquet", "image"),
        (tmp_path / "data" / name, "photo"),
    ):
        with path.open("wb") as file:
            pyarrow.parquet.write_table(pyarrow.table({column: [encoded(0)]}), file)
    shards, finished = colour(tiny_colorizer, tmp_path / "data")
    assert [(shard.column, one.coloured) for shard, one in zip(shards, finished, strict=True)] == [
        ("image", 1),
        ("photo", 1),
    ]
    _, again = colour(tiny_colorizer, tmp_path / "data")
    assert again == finished
    assert not list((tmp_path / "out").glob(".*"))


def test_a_tint_is_kept_when_told(tmp_path, tiny_colorizer):
    file = io.BytesIO()
    sepia = scene(40, 60)[..., None] * np.array([1.0, 0.85, 0.6])
    Image.fromarray(sepia.astype(np.uint8)).save(file, "PNG")
    blue = []
    for keep in (False, True):
        folder = tmp_path / f"{keep}"
        write(folder / "data" / "a.parquet", [file.getvalue()])
        colour(tiny_colorizer, folder / "data", Options(keep_toning=keep))
        (row,) = rows_of(folder / "out")
        blue.append(np.asarray(decoded(row["image"]["bytes"]))[..., 2].astype(int).mean())
    assert blue[1] < blue[0] - 5
