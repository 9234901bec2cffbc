"""One command from a trained folder to all that its repo shows, with a tiny network."""

import json
import sys

import datasets
import pytest
from huggingface_hub import ModelCard
from PIL import Image

from colorize_hub.loading import load, save
from colorize_hub.publish.results import read_results
from tests.train.training_fixtures import encoded, picture
from train import publish as command
from train.publish import PublishConfig, publish

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

FACTS = {
    "model_name": "A tiny model",
    "data": [{"name": "blobs", "pictures": 12, "licence": "CC0"}],
    "pictures_seen": 100,
    "training_hours": 0.1,
    "encoder_weights": "random weights",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Five pictures with their authors."""
    rows = {
        "image": [{"bytes": encoded(picture(seed, 256, 256)), "path": None} for seed in range(5)],
        "author": [f"Author {seed} Adri\\303\\241n" for seed in range(5)],
        "url": ["" if seed == 3 else f"https://example.org/{seed}" for seed in range(5)],
        "licence": ["CC BY 2.0"] * 5,
    }
    path = tmp_path_factory.mktemp("data") / "blobs.parquet"
    table = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    table.to_parquet(path)
    return path


@pytest.fixture
def folder(tmp_path, tiny_network):
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    return save(tiny_network, tmp_path / "model")


def config(folder, data, **changes):
    flags = {"provenance": folder.parent / "facts.json", "kid_weights": "none", "hints": 0}
    return PublishConfig(folder, str(data), **flags | changes)


def test_one_command_writes_all(monkeypatch, capsys, folder, data):
    flags = ["--model", folder, "--data", data, "--provenance", folder.parent / "facts.json"]
    flags += ["--show", "--limit", 2, "--hints", 1, "--kid-weights", "none"]
    flags += ["--pictures-seen", 777, "--repo-id", "user/tiny"]
    monkeypatch.setattr(sys, "argv", ["publish", *map(str, flags)])
    command.main()
    written = "metrics.json, provenance.json, hint_curve.png, samples.jpg, README.md"
    assert f"Wrote {written} to" in capsys.readouterr().out

    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["images"], metrics["hint_images"], metrics["size_images"]) == (2, 1, 1)
    size = (folder / "model.safetensors").stat().st_size / 1e6
    assert metrics["weights_mb"] == pytest.approx(size, abs=1e-3)
    assert metrics["network_ms"] > 0
    card = ModelCard.load(folder / "README.md")
    assert {one.metric_type: one.metric_value for one in card.data.eval_results} == read_results(
        metrics
    )
    assert "777 pictures seen in 0.1 hours" in card.text
    assert 'load("user/tiny")' in card.text
    for name in ("samples.jpg", "hint_curve.png"):
        assert f"({name})" in card.text
        with Image.open(folder / name) as image:
            assert image.width > 100
    assert len(set(json.loads((folder / "provenance.json").read_text())) - set(FACTS)) > 0
    load(folder)


def test_the_command_ends_with_one_line_where_something_is_missing(monkeypatch, folder, data):
    monkeypatch.setattr(sys, "argv", ["publish", "--model", str(folder), "--data", str(data)])
    with pytest.raises(SystemExit, match=r"python -m train\.publish: There is no .*provenance"):
        command.main()


def test_those_who_made_the_pictures_shown_are_named(folder, data):
    publish(config(folder, data, show=True))
    text = (folder / "README.md").read_text()
    for author in (0, 1, 2, 4):
        assert f"[Author {author} Adrián](https://example.org/{author}), CC BY 2.0" in text
    assert "Author 3 Adrián, CC BY 2.0" in text
    publish(config(folder, data, show=True, limit=2))
    named = [f"Author {author}" in (folder / "README.md").read_text() for author in range(5)]
    assert sum(named) == 2
    publish(config(folder, data, show=True, credit="By the blob makers, CC0."))
    assert "By the blob makers, CC0." in (folder / "README.md").read_text()


def test_pictures_that_nobody_is_named_for_are_not_shown(folder, data, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    picture(0).save(pictures / "0.png")
    with pytest.raises(ValueError, match=r"--show needs to know whom to name.*--credit"):
        publish(config(folder, pictures, show=True))
    assert not (folder / "README.md").exists()
    (folder / "samples.jpg").write_bytes(b"of other weights")
    publish(config(folder, data, limit=2))
    assert not (folder / "samples.jpg").exists()
    assert "samples.jpg" not in (folder / "README.md").read_text()


@pytest.mark.slow
def test_a_hand_edited_card_is_kept_until_told_otherwise(folder, data):
    readme = folder / "README.md"
    publish(config(folder, data, limit=2))
    readme.write_text(readme.read_text().replace("# A tiny model", "# Tiny\n\nBy hand."))
    publish(config(folder, data, provenance=None, training_hours=3.0))  # the copy in the folder
    assert "# Tiny\n\nBy hand." in readme.read_text()
    assert "in 3.0 hours" in readme.read_text()
    assert "5 pictures at 256x256" in readme.read_text()
    publish(config(folder, data, limit=2, new_card=True))
    assert "By hand." not in readme.read_text()
    readme.write_text("---\nlibrary_name: colorize-hub\n---\n# Old\n\n| PSNR | 20.1 |\n")
    with pytest.raises(ValueError, match=r"before generated parts were marked.*--new-card"):
        publish(config(folder, data, limit=2))


def test_a_failure_changes_nothing(folder, data, tmp_path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileNotFoundError, match=r"There is no .*provenance\.json.*--provenance"):
        publish(config(folder, data, provenance=None))
    (folder.parent / "facts.json").write_text(json.dumps(FACTS | {"data": []}))
    with pytest.raises(ValueError, match=r"provenance\.data is empty"):
        publish(config(folder, data, limit=2))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
