"""Training data from every kind of source, and how positions deal it out."""

import io
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import islice

import datasets
import numpy as np
import pytest
from PIL import Image

from tests.hub.repos import Blob
from tests.hub.server import HubServer
from tests.train.training_fixtures import (
    ROOT,
    encoded,
    grey_picture,
    picture,
    tiny,
    write_folder,
    write_parquet,
)
from train.data.augment import crop, hint_mask, loss_cells
from train.data.examples import Examples, Share, StreamedExamples, open_training_data
from train.data.source import Pictures, decode_picture, open_dataset

pytestmark = pytest.mark.usefixtures("own_datasets_cache")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The same nine pictures in every layout."""
    root = tmp_path_factory.mktemp("sources")
    images = [encoded(picture(seed)) for seed in range(9)]
    write_parquet(root / "parts" / "a.parquet", images[:4])
    write_parquet(root / "parts" / "b.parquet", images[4:])
    return {
        "file": write_parquet(root / "one.parquet", images),
        "parts": root / "parts",
        "folder": write_folder(root / "pictures [2020]", range(9)),
        "other name": write_parquet(root / "photo.parquet", images, column="photo"),
    }


def pixels(rows, short_side=72):
    return sorted(np.asarray(decode_picture(row["image"], short_side)).tobytes() for row in rows)


def opened(path, column=None):
    rows = open_dataset(str(path), "train", column, False)
    assert isinstance(rows, datasets.Dataset)
    return rows


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("source", ["file", "parts", "folder", "other name"])
def test_every_source_yields_the_same_pictures(sources, source, streaming):
    rows = open_dataset(str(sources[source]), "train", None, streaming)
    assert rows.column_names == ["image"]
    assert pixels(rows) == sorted(np.asarray(picture(seed)).tobytes() for seed in range(9))


def test_a_named_column_is_taken(tmp_path):
    images = [encoded(picture(seed)) for seed in range(2)]
    table = {"before": images, "after": images[::-1], "count": [1, 2]}
    kinds = {"before": datasets.Image(), "after": datasets.Image(), "count": datasets.Value("int8")}
    path = tmp_path / "two.parquet"
    datasets.Dataset.from_dict(table, features=datasets.Features(kinds)).to_parquet(path)

    with pytest.raises(ValueError, match=r"2 image columns \(before, after\).*--column"):
        open_dataset(str(path), "train", None, False)
    with pytest.raises(ValueError, match=r"no column 'image'; it has before, after, count"):
        open_dataset(str(path), "train", "image", False)
    with pytest.raises(ValueError, match=r"'count' of .* holds no pictures but"):
        open_dataset(str(path), "train", "count", False)
    after = opened(path, "after")
    assert np.array_equal(decode_picture(after[0]["image"], 72), np.asarray(picture(1)))


def test_plain_bytes_are_pictures_too(tmp_path):
    path = tmp_path / "plain.parquet"
    datasets.Dataset.from_dict({"image": [encoded(picture(3))]}).to_parquet(path)
    plain = opened(path)
    assert np.array_equal(decode_picture(plain[0]["image"], 72), np.asarray(picture(3)))


def test_no_image_column_says_which_there_are(tmp_path):
    path = tmp_path / "words.parquet"
    datasets.Dataset.from_dict({"word": ["a"], "number": [1]}).to_parquet(path)
    for streaming in (False, True):
        with pytest.raises(ValueError, match=r"0 image columns .* among word, number; name one"):
            open_dataset(str(path), "train", None, streaming)


@pytest.mark.parametrize("path", ["/no/such/folder", "./missing", "a/b/c", "~/pictures"])
def test_a_missing_path_is_not_looked_up_on_the_hub(path):
    with pytest.raises(FileNotFoundError, match="neither a file nor a folder"):
        open_dataset(path, "train", None, False)


def test_a_file_of_another_kind_is_refused(tmp_path):
    picture(0).save(tmp_path / "photo.png")
    with pytest.raises(ValueError, match=r"is a file but no \.parquet; give the folder"):
        open_dataset(str(tmp_path / "photo.png"), "train", None, False)


def test_grey_small_and_broken_pictures_are_dropped_and_counted(tmp_path):
    good = [encoded(picture(seed)) for seed in range(6)]
    truncated = good[0][: len(good[0]) // 2]
    bad = [b"no picture", truncated, b"", None, encoded(grey_picture()), encoded(picture(1, 40))]
    path = write_parquet(tmp_path / "mixed.parquet", [*bad[:3], *good, *bad[3:]])
    pictures = Pictures(opened(path), 64)
    assert len(pictures) == 6
    assert pictures.dropped == Counter(broken=4, grey=1, small=1)
    assert {pictures[index].shape for index in range(6)} == {(64, 71, 3)}

    data = open_training_data(tiny(path, tmp_path), Share())
    assert data.description.startswith("5 pictures to train on, 1 held out")
    assert all(f"'{reason}': " in data.description for reason in ("broken", "grey", "small"))

    only_grey = write_parquet(tmp_path / "grey.parquet", [encoded(grey_picture())] * 3)
    with pytest.raises(ValueError, match=r"No usable picture .*'grey': 3"):
        Pictures(opened(only_grey), 64)


def test_pictures_are_decoded_upright_and_large_ones_made_smaller():
    upright = picture(5, 200, 100)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[274] = 6  # turn by 90 degrees to view
    upright.rotate(90, expand=True).save(file, "JPEG", quality=95, exif=exif)
    decoded = decode_picture({"bytes": file.getvalue(), "path": None}, 100)
    assert isinstance(decoded, np.ndarray)
    assert decoded.shape == (200, 100, 3)
    assert np.abs(decoded.astype(int) - np.asarray(upright)).mean() < 6
    smaller = decode_picture({"bytes": encoded(upright), "path": None}, 64)
    assert isinstance(smaller, np.ndarray)
    assert smaller.shape == (128, 64, 3)


def test_the_split_leaves_most_pictures_to_the_training(sources):
    pictures = Pictures(opened(sources["file"]), 72)
    training, validation = pictures.split(256, seed=0)
    assert len(validation) == 1  # a fifth of nine
    assert sorted([*training, *validation]) == list(range(9))


def test_positions_yield_the_same_whoever_asks(sources, tmp_path):
    config = tiny(sources["file"], tmp_path)
    shares = [Share(rank, 2) for rank in range(2)]
    alone = list(Share().positions(3, config))
    assert alone == list(range(12, 160))
    halves = [list(share.positions(3, config)) for share in shares]
    assert sorted(halves[0] + halves[1]) == alone
    for step in range(37):
        both = {p // config.batch for half in halves for p in half[2 * step : 2 * step + 2]}
        assert both == {3 + step}
    with pytest.raises(ValueError, match="--batch 4 cannot be dealt out evenly to 3 processes"):
        Share(0, 3).batch(config)

    examples, again = (open_training_data(config, Share()).source for _ in range(2))
    assert isinstance(examples, Examples)
    assert isinstance(again, Examples)
    for position in (0, 7, 8, 100, 9):  # epochs in any order
        for key, value in examples[position].items():
            assert np.array_equal(value, again[position][key])  # pyright: ignore
    epoch = [int(examples._pictures[i].sum()) for i in examples.indices]
    assert len(set(epoch)) == 8
    assert [examples[p]["rgb"].shape[-1] for p in (79, 80)] == [32, 64]


def test_augmentation_stays_in_range():
    for seed in range(200):
        random = np.random.default_rng(seed)
        rgb = np.asarray(picture(seed % 5, 64 + seed % 30, 64))
        assert crop(rgb, 32, random).shape == (32, 32, 3)
        mask = hint_mask(64, 1.0, random)
        assert mask.shape == (16, 16)
        assert mask.any()
        cells = loss_cells(64, 0.25, random)
        assert len(set(cells.tolist())) == 64
        assert cells.min() >= 0
        assert cells.max() < 256
    assert not hint_mask(64, 0.0, np.random.default_rng(0)).any()


@pytest.mark.parametrize("source", ["file", "parts"])
def test_streams_hold_out_what_no_process_trains_on(sources, tmp_path, source):
    config = tiny(sources[source], tmp_path, streaming=True, validation=2)
    held, seen = [], []
    for share in (Share(0, 2), Share(1, 2)):
        data = open_training_data(config, share)
        held += [rgb.tobytes() for rgb in data.validation]
        seen += pixels(data.source)
    assert len(held) in (2, 4)
    assert not set(held) & set(seen)
    assert len(set(held) | set(seen)) == len(held) + len(seen) == 9


def test_a_stream_resumes_behind_the_rows_it_read(sources, tmp_path):
    config = tiny(sources["file"], tmp_path, streaming=True)
    stream = open_training_data(config, Share()).source
    assert isinstance(stream, datasets.IterableDataset)
    whole = list(islice(StreamedExamples(stream, Share(), 0, 0, config), 40))
    assert whole[-1]["read"] == 40  # eight epochs of five
    rest = StreamedExamples(stream, Share(), 3, int(whole[11]["read"]), config)
    for expected, example in zip(whole[12:], rest, strict=False):
        assert np.array_equal(expected["rgb"], example["rgb"])
        assert expected["read"] == example["read"]
    assert len(list(StreamedExamples(stream, Share(), 38, 0, config))) == 8  # the run ends


def test_a_stream_without_usable_pictures_ends_in_an_error(tmp_path):
    grey = [encoded(grey_picture())] * 3
    path = write_parquet(tmp_path / "late.parquet", [encoded(picture(0)), *grey])
    config = tiny(path, tmp_path, streaming=True, validation=2)
    stream = open_training_data(config, Share()).source
    assert isinstance(stream, datasets.IterableDataset)
    with pytest.raises(ValueError, match="no usable picture"):
        next(iter(StreamedExamples(stream, Share(), 0, 0, config)))
    path = write_parquet(tmp_path / "early.parquet", grey)
    with pytest.raises(ValueError, match=r"first 2 rows .* raise --validation"):
        open_training_data(replace(config, data=str(path)), Share())


OPEN_BY_ID = """
import sys
from train.data.source import decode_picture, open_dataset

for repo in sys.argv[1:]:
    for streaming in (False, True):
        rows = open_dataset(repo, "train", None, streaming)
        shapes = [getattr(decode_picture(row["image"], 72), "shape", None) for row in rows]
        print(repo, streaming, shapes.count((72, 80, 3)))
try:
    open_dataset("tester/nothing", "train", None, False)
except FileNotFoundError as error:
    print(error)
"""


def test_a_hub_dataset_is_opened_by_id(sources, tmp_path):
    server = HubServer()
    server.start()
    try:
        parquet = {"data/train-00000.parquet": Blob(sources["file"].read_bytes())}
        server.create("datasets", "tester/parquet.v1").commit("main", "data", parquet)
        pngs = {f"train/{seed}.png": Blob(encoded(picture(seed))) for seed in range(3)}
        server.create("datasets", "tester/pictures").commit("main", "data", pngs)
        done = subprocess.run(
            [sys.executable, "-c", OPEN_BY_ID, "tester/parquet.v1", "tester/pictures"],
            env=server.environment(tmp_path) | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        server.stop()
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "tester/parquet.v1 False 9",
        "tester/parquet.v1 True 9",
        "tester/pictures False 3",
        "tester/pictures True 3",
    ], done.stderr
    assert lines[4].startswith("--data: tester/nothing is no file or folder here and no dataset")
