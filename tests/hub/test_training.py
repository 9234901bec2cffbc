"""The whole way: pictures to the Hub, training on them, the model to the Hub, loaded elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from colorize_hub.loading import CARD, CONFIG, METRICS, WEIGHTS
from tests.hub.client import ROOT, Client, fingerprint
from tests.hub.handler import RefusalError
from tests.hub.models import same
from tests.hub.server import HubServer
from tests.train.training_fixtures import flags, picture, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures in folders, one broken, and a text."""
    folder = write_folder(tmp_path_factory.mktemp("album"), range(12))
    picture(12).save(folder / "last.JPG", quality=95)
    (folder / "album 0" / "broken.png").write_bytes(b"\x89PNG but no picture")
    (folder / "album 0" / "notes.txt").write_text("no picture")
    return folder


def test_trained_on_the_hub_pushed_to_it_and_loaded_from_it(
    hub: HubServer, client: Client, album: Path, tmp_path: Path
) -> None:
    client.push_pictures(album, "tester/album", shard_bytes=20_000)
    refused = iter([True])

    def refuse_the_first_checkpoint(method: str, path: str) -> None:
        if path.endswith("/commit/checkpoints") and next(refused, False):
            raise RefusalError(403, "", "You don't have the rights")

    hub.before_request = refuse_the_first_checkpoint
    output = tmp_path / "run"
    options = {"pictures": 48, "warmup": 2, "validation": 2, "push": "tester/trained"}
    command = flags("tester/album", output, **options, push_every=2, private=True)
    done = subprocess.run(
        [sys.executable, "-m", "train", *command],
        env=hub.environment(tmp_path / "home") | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    repo = hub.repos["models", "tester/trained"]
    assert repo.private
    assert set(repo.head.files) == {
        *(".gitattributes", CONFIG, WEIGHTS, CARD, METRICS),
        *("training.json", "provenance.json"),
    }
    assert repo.tags == {"v1": repo.head.sha}
    for name in (CONFIG, WEIGHTS, METRICS):
        assert repo.head.files[name].data == (output / "model" / name).read_bytes()
    record = json.loads(repo.head.files["training.json"].data)
    assert record["pictures_seen"] == 48
    assert record["arguments"]["data"] == "tester/album"
    assert str(tmp_path) not in json.dumps(record)
    card = repo.head.files[CARD].data.decode()
    assert "- tester/album" in card
    assert 'load("tester/trained")' in card

    assert "checkpoint of step 2 was not sent: The Hub refused access" in done.stderr
    sent = repo.commits[repo.branches["checkpoints"]]
    assert sent.title.startswith("Checkpoint of step ")
    assert {CONFIG, WEIGHTS, "training.json"} <= set(sent.files)
    assert client.load("tester/trained", revision="checkpoints") != fingerprint(output / "model")

    elsewhere = Client(hub.environment(tmp_path / "empty"))
    assert elsewhere.load("tester/trained") == same(fingerprint(output / "model"))
    elsewhere.close()


def test_a_run_that_may_not_push_ends_before_it_starts(hub: HubServer, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "train", *flags("x/y", tmp_path / "run", push="tester/mine")],
        env=hub.environment(tmp_path, token=None) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "python -m train: The Hub refused access to tester/mine"
    )


def test_pictures_become_a_dataset(
    hub: HubServer, client: Client, album: Path, tmp_path: Path
) -> None:
    done = client.push_pictures(album, "tester/set", license="cc-by-4.0", shard_bytes=20_000)
    repo = hub.repos["datasets", "tester/set"]
    assert isinstance(done, dict)
    assert done["pictures"] == 13
    assert [os.path.basename(path) for path in done["left_out"]] == ["broken.png"]
    assert done["url"].endswith(f"/datasets/tester/set/commit/{repo.head.sha}")
    shards = [path for path in repo.head.files if path.endswith(".parquet")]
    assert len(shards) > 1
    assert shards[0] == f"data/train-00000-of-{len(shards):05d}.parquet"
    card = repo.head.files[CARD].data.decode()
    assert "license: cc-by-4.0" in card
    assert "num_examples: 13" in card

    note = type(repo.head.files[CARD])(card.replace("13 pictures", "My pictures").encode())
    repo.commit("main", "by hand", repo.head.files | {CARD: note})
    (album / "last.JPG").rename(tmp_path / "last.JPG")
    client.push_pictures(album, "tester/set")
    card = repo.head.files[CARD].data.decode()
    assert "My pictures, published" in card
    assert "num_examples: 12" in card
    assert "license: cc-by-4.0" in card
    assert [p for p in repo.head.files if p.endswith(".parquet")] == [
        "data/train-00000-of-00001.parquet"
    ], "the old shards are gone"
    empty = client.push_pictures(tmp_path / "none", "tester/none")
    assert empty == f"ModelNotFoundError: There is no folder {tmp_path / 'none'}."
    (tmp_path / "void").mkdir()
    assert "holds no picture that can be opened" in client.push_pictures(
        tmp_path / "void", "tester/none"
    )
    assert ("datasets", "tester/none") not in hub.repos
