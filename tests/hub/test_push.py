"""push over the network: what a release consists of, and what is refused."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from PIL import Image

from colorize_hub.loading import CARD, CONFIG, METRICS, WEIGHTS
from tests.hub.client import ROOT, Client, fingerprint
from tests.hub.handler import READER
from tests.hub.models import NEW, OLD, Models, blobs, published, same
from tests.hub.server import HubServer


@pytest.fixture
def folder(models: Models, tmp_path: Path) -> Path:
    """A model to spoil."""
    return Path(shutil.copytree(models[OLD], tmp_path / "model"))


def test_push_is_one_commit_of_the_files_that_belong_there(
    hub: HubServer, client: Client, models: Models
) -> None:
    done = client.push(models[OLD], "tester/model")
    repo = hub.repos["models", "tester/model"]
    commit = repo.head.sha
    url = f"{hub.url}/tester/model/commit/{commit}"
    assert done == {"url": url, "commit": commit, "tag": "v1"}
    assert repo.tags == {"v1": commit}
    assert repo.commits[str(repo.head.parent)].parent is None
    assert set(repo.head.files) == {".gitattributes", CONFIG, WEIGHTS, CARD, METRICS}
    for name, blob in blobs(models[OLD]).items():
        if name != CARD:
            assert repo.head.files[name] == blob
    card = ModelCard(repo.head.files[CARD].data.decode())
    assert card.data.library_name == "colorize-hub"
    assert card.data.pipeline_tag == "image-to-image"
    assert {"image-colorization", "safetensors"} <= set(card.data.tags)
    assert {result.metric_type for result in card.data.eval_results} >= {"psnr", "psnr_grey"}

    again = client.push(models[OLD], "tester/model")
    assert again == {"url": url, "commit": commit, "tag": None}, "nothing new: no commit, no tag"
    branch = client.push(models[NEW], "tester/model", revision="next")
    assert branch["commit"] == repo.branches["next"] != repo.head.sha == commit
    assert (branch["tag"], repo.tags) == (None, {"v1": commit})
    assert client.push(models[NEW], "tester/model")["tag"] == "v2"
    assert client.load("tester/model", revision="v1") == same(fingerprint(models[OLD]))
    assert client.load("tester/model") == same(fingerprint(models[NEW]))


def test_a_tag_of_ones_own(hub: HubServer, client: Client, models: Models) -> None:
    assert client.push(models[OLD], "tester/tagged", tag="1.0")["tag"] == "1.0"
    repo = hub.repos["models", "tester/tagged"]
    taken = client.push(models[NEW], "tester/tagged", tag="1.0")
    assert f"has a tag 1.0 already, of commit {repo.tags['1.0'][:12]}; nothing was" in taken
    assert repo.head.sha == repo.tags["1.0"]


@pytest.mark.slow
def test_the_snippet_of_a_pushed_card_runs_on_another_machine(
    hub: HubServer, client: Client, models: Models, tmp_path: Path
) -> None:
    client.push(models[OLD], "tester/snippet")
    card = hub.repos["models", "tester/snippet"].head.files[CARD].data.decode()
    snippet = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert snippet is not None
    assert 'load("tester/snippet")' in snippet[1]
    Image.new("L", (80, 60), 128).save(tmp_path / "grey.jpg")
    environment = hub.environment(tmp_path / "home", token=None) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", snippet[1]]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    assert Image.open(tmp_path / "colour.png").size == (80, 60)
    assert Image.open(tmp_path / "red.png").mode == "RGB"


def test_what_a_person_wrote_into_the_card_stays(
    hub: HubServer, client: Client, models: Models
) -> None:
    client.push(models[OLD], "tester/edited")
    repo = hub.repos["models", "tester/edited"]
    text = repo.head.files[CARD].data.decode()
    edited = text.replace("- safetensors\n", "- safetensors\n- portraits\n")
    edited = edited.replace("## Limits", "Made for my grandmother.\n\n## Limits")
    edited = edited.replace("value: 0.5", "value: 0.75")
    assert edited.count("0.75") > 1
    blob = type(repo.head.files[CARD])(edited.encode())
    repo.commit("main", "by hand", repo.head.files | {CARD: blob})
    client.push(models[NEW], "tester/edited")
    renewed = repo.head.files[CARD].data.decode()
    assert "Made for my grandmother." in renewed
    assert "- portraits" in renewed
    assert "value: 0.75" not in renewed
    assert "vividness 0.75" in renewed, "the generated part tells of the new model"


def test_only_what_was_evaluated_is_published(
    hub: HubServer, client: Client, models: Models, folder: Path
) -> None:
    def refused(message: str) -> None:
        answer = client.push(folder, "tester/never")
        assert isinstance(answer, str)
        assert message in answer, answer

    card, metrics = (folder / CARD).read_text(), json.loads((folder / METRICS).read_text())
    (folder / METRICS).write_text(json.dumps(metrics | {"psnr": 0.75}))
    refused(f"README.md of {folder} says psnr 0.5, but metrics.json says 0.75")
    (folder / METRICS).write_text(json.dumps(metrics))
    (folder / CARD).write_text("# Mine\n\nThe best one.\n")
    refused("has no metrics in its model-index")
    (folder / CARD).write_text("---\nmodel-index: [\n---\n")
    refused("has no valid front matter")
    (folder / CARD).write_text(card)
    shutil.copy(models[NEW] / WEIGHTS, folder)
    refused("is not about these weights: config.json or model.safetensors changed")
    shutil.copy(models[OLD] / WEIGHTS, folder)
    (folder / METRICS).write_text("{")
    refused(f"metrics.json of {folder} is not JSON")
    (folder / METRICS).unlink()
    refused("has no file metrics.json. What is published needs config.json, model.safetensors")
    (folder / WEIGHTS).write_bytes(b"broken")
    (folder / METRICS).write_text(json.dumps(metrics))
    refused("is not a whole safetensors file")
    assert ("models", "tester/never") not in hub.repos
    assert not hub.log, "nobody was asked"


def test_a_branch_that_moved_is_left_alone(hub: HubServer, client: Client, models: Models) -> None:
    def push_in_between(method: str, path: str) -> None:
        if "tester/raced/commit/" in path:
            hub.repos["models", "tester/raced"].commit("main", "faster", blobs(models[NEW]))

    before = {path.name: path.read_bytes() for path in models[OLD].iterdir()}
    hub.before_request = push_in_between
    raced = client.push(models[OLD], "tester/raced", private=True)
    assert raced == (
        "ModelError: Somebody else pushed to tester/raced meanwhile; nothing was published and the "
        "files here are unchanged. Look at what came, then push again."
    )
    repo = hub.repos["models", "tester/raced"]
    assert repo.private
    assert repo.head.title == "faster"
    assert not repo.tags
    assert {path.name: path.read_bytes() for path in models[OLD].iterdir()} == before
    hub.before_request = None
    assert client.push(models[OLD], "tester/raced")["commit"] == repo.head.sha


def test_a_commit_whose_answer_was_lost_is_not_made_twice(
    hub: HubServer, client: Client, models: Models
) -> None:
    lost = iter([True])

    def lose(path: str, data: bytes) -> bytes:
        return b"" if "/commit/" in path and next(lost, False) else data

    hub.damage = lose
    done = client.push(models[OLD], "tester/lost")
    repo = hub.repos["models", "tester/lost"]
    assert done["commit"] == repo.head.sha
    assert len(repo.commits) == 2
    assert next(lost, None) is None


def test_push_says_who_may(hub: HubServer, client: Client, models: Models) -> None:
    published(hub, "tester/theirs", models[NEW])
    for token in ("hf_wrong", READER, False):
        answer = client.push(models[OLD], "tester/theirs", token=token)
        assert "ModelError: The Hub refused access to tester/theirs" in answer
        assert "run `hf auth login` or pass token=, with a token that may write" in answer
    assert hub.repos["models", "tester/theirs"].head.title == "model"


def test_a_public_repo_is_not_taken_for_a_private_one(
    hub: HubServer, client: Client, models: Models
) -> None:
    published(hub, "tester/public", models[NEW])
    answer = client.push(models[OLD], "tester/public", private=True)
    assert "tester/public should be private, but it exists and is public" in answer
    assert hub.repos["models", "tester/public"].head.title == "model"
