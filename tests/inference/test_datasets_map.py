"""`Dataset.map` with a Colorizer: in this process and in others, and its cache."""

import pickle
import subprocess
import sys

import datasets
import numpy as np
import pytest
import torch
from datasets.fingerprint import Hasher
from PIL import Image

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import load, save
from tests.cli.test_cli import ENVIRONMENT
from tests.scenes import difference, scene

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

# Sizes differ, and with them the shapes that the network works at.
PICTURES = [Image.fromarray(scene(40, width, seed=width)) for width in (60, 60, 90, 60, 90, 60)]


@pytest.fixture
def rows():
    columns = {"image": PICTURES, "label": list(range(len(PICTURES)))}
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    return datasets.Dataset.from_dict(columns, features=features)


def check(coloured, colorizer, **options):
    assert list(coloured["label"]) == list(range(len(PICTURES)))
    for row, picture in zip(coloured, PICTURES, strict=True):
        assert row["image"].mode == "RGB"
        expected = colorizer.colorize(picture, **options)
        assert difference(row["image"], expected).max() <= 1


def test_map_takes_colorize_rows(rows, tiny_colorizer):
    check(rows.map(tiny_colorizer.colorize_rows, batched=True), tiny_colorizer)
    check(rows.map(tiny_colorizer.colorize_rows), tiny_colorizer)


def test_map_takes_a_function_and_works_in_two_processes(rows, tiny_colorizer):
    """Also after this process has used several threads, which are lost in a fork."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        tiny_colorizer.colorize(scene(256, 256))
        coloured = rows.map(
            lambda batch: {"image": tiny_colorizer.colorize(batch["image"], vividness=0.9)},
            batched=True,
            batch_size=2,
            num_proc=2,
        )
    finally:
        torch.set_num_threads(before)
    check(coloured, tiny_colorizer, vividness=0.9)


@pytest.mark.slow
def test_the_cache_is_found_again_by_equal_models_only(tiny_network, tiny_colorizer, tmp_path):
    torch.nn.Module().register_forward_hook(print)  # counters of the process are no part of it
    again = Colorizer(TorchEngine(tiny_network, device="cpu", dtype=torch.float32))
    other = Colorizer(TorchEngine(tiny_network, device="cpu", dtype=torch.bfloat16))
    hashes = [Hasher.hash(one.colorize_rows) for one in (tiny_colorizer, again, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    folder = save(tiny_network, tmp_path / "model")
    code = (
        "import sys; from colorize_hub import load; from datasets.fingerprint import Hasher\n"
        "print(Hasher.hash(load(sys.argv[1], device='cpu').colorize_rows))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == Hasher.hash(load(folder, device="cpu").colorize_rows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_pickled_colorizer_gives_the_same_colours(tiny_network, dtype):
    colorizer = Colorizer(TorchEngine(tiny_network, device="cpu", dtype=dtype))
    revived = pickle.loads(pickle.dumps(colorizer))
    assert revived.device == colorizer.device
    picture = scene(40, 60)
    assert np.array_equal(revived.colorize(picture), colorizer.colorize(picture))


def test_a_row_has_its_pictures_in_one_column(tiny_colorizer):
    grey, rows = scene(40, 60), tiny_colorizer.colorize_rows
    for row in ({"scan": grey, "label": 1}, {"scan": [grey], "label": [1]}):
        assert list(rows(row)) == ["scan"]
    both = {"image": grey, "mask": grey}
    assert np.array_equal(rows(both)["image"], tiny_colorizer.colorize(grey))
    for row in ({"label": 1}, {"scan": grey, "mask": grey}):
        with pytest.raises(ValueError, match='column "image"'):
            rows(row)
    assert list(rows({"scan": grey, "mask": grey}, column="mask", vividness=1.0, size=32)) == [
        "mask"
    ]
    with pytest.raises(ValueError, match="no column 'page'; there are: scan, label"):
        rows({"scan": grey, "label": 1}, column="page")


def test_none_stays_none(tiny_colorizer):
    grey, rows = scene(40, 60), tiny_colorizer.colorize_rows
    coloured = rows({"scan": [None, grey, None, grey]})["scan"]
    assert [one is None for one in coloured] == [True, False, True, False]
    assert difference(coloured[1], tiny_colorizer.colorize(grey)).max() <= 1
    assert rows({"image": None, "label": 3}) == {"image": None}
    assert rows({"image": [None, None]}) == {"image": [None, None]}


def test_a_column_with_nones_goes_through_map(tiny_colorizer):
    features = datasets.Features({"image": datasets.Image()})
    with_nones = datasets.Dataset.from_dict({"image": [*PICTURES[:2], None]}, features=features)
    coloured = with_nones.map(tiny_colorizer.colorize_rows, batched=True)
    assert coloured[2]["image"] is None
    assert coloured[0]["image"].mode == "RGB"


def test_colorize_still_takes_rows_and_names_what_is_meant_for_them(tiny_colorizer):
    rows = {"image": [scene(40, 60), None], "label": [3, 4]}
    with pytest.warns(DeprecationWarning, match="colorize_rows"):
        coloured = tiny_colorizer.colorize(rows)
    expected = tiny_colorizer.colorize_rows(rows)
    assert np.array_equal(coloured["image"][0], expected["image"][0])
    assert coloured["image"][1] is None


def test_a_long_list_keeps_its_order(tiny_colorizer):
    sizes = [32 + 32 * (n * 7 % 5) for n in range(45)]
    pictures = [scene(32, width, seed=n) for n, width in enumerate(sizes)]
    coloured = tiny_colorizer.colorize(pictures, size=32)
    for n in (0, 11, 33, 44):
        assert difference(coloured[n], tiny_colorizer.colorize(pictures[n], size=32)).max() <= 1
