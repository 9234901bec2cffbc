"""load and push over the network, with the real client in processes of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from colorize_hub.config import ColorizerConfig
from colorize_hub.hub import CARD, CONFIG, WEIGHTS, save
from colorize_hub.model_card import Provenance, render_model_card
from colorize_hub.network import ColorNet

from .client import ROOT, Client, fingerprint
from .repos import Blob, Repo
from .server import HubServer

OLD, NEW = 0.25, 0.75  # the vividness that tells two models apart
Models = dict[float, Path]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Folders of two small models, with different weights, by their vividness."""
    folders = {}
    for vividness in (OLD, NEW):
        config = ColorizerConfig(
            encoder="mobilenetv3_small_050",
            decoder_channels=(8, 8, 8, 8),
            bin_step=50,
            vividness=vividness,
        )
        folder = tmp_path_factory.mktemp("models") / "model"
        folders[vividness] = save(ColorNet(config), folder, card=_card(config))
        (folder / "metrics.json").write_text("{}")
        (folder / "notes.txt").write_text("not for the Hub")
    return folders


def _card(config: ColorizerConfig) -> str:
    names = ("psnr", "psnr_grey", "psnr_minus_grey", "colorfulness", "colorfulness_truth")
    metrics = dict.fromkeys((*names, "delta_colorfulness", "ciede2000", "out_of_gamut"), 0.5)
    data = [("photographs", 3, "CC BY 2.0")]
    facts = Provenance("A model", "tester/model", data, 3, 0.1, "random weights")
    return render_model_card(config, {"images": 3, "data": "x", "size": 256} | metrics, facts)


def _blobs(folder: Path) -> dict[str, Blob]:
    names = (CONFIG, WEIGHTS, CARD)
    return {name: Blob((folder / name).read_bytes(), lfs=name == WEIGHTS) for name in names}


def _published(hub: HubServer, repo_id: str, folder: Path, *, private: bool = False) -> Repo:
    repo = hub.create("models", repo_id, private=private)
    repo.commit("main", "model", _blobs(folder))
    return repo


def _same(fingerprint: list[float]) -> object:
    return pytest.approx(fingerprint, abs=1e-3)


def test_push_is_one_commit_of_the_files_that_belong_there(
    hub: HubServer, client: Client, models: Models
) -> None:
    url = client.push(models[OLD], "tester/model")
    repo = hub.repos["models", "tester/model"]
    assert url == f"{hub.url}/tester/model/commit/{repo.head.sha}"
    assert repo.commits[repo.head.parent].parent is None
    assert set(repo.head.files) == {".gitattributes", CONFIG, WEIGHTS, CARD, "metrics.json"}
    for name, blob in _blobs(models[OLD]).items():
        assert repo.head.files[name] == blob

    assert client.push(models[OLD], "tester/model") == url, "nothing changed, so no new commit"
    branch = client.push(models[NEW], "tester/model", revision="next")
    assert branch.endswith(repo.branches["next"])
    assert url.endswith(repo.head.sha)


def test_the_snippet_of_a_pushed_card_runs_on_another_machine(
    hub: HubServer, client: Client, models: Models, tmp_path: Path
) -> None:
    client.push(models[OLD], "tester/model")
    card = hub.repos["models", "tester/model"].head.files[CARD].data.decode()
    snippet = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    Image.new("L", (80, 60), 128).save(tmp_path / "grey.jpg")
    environment = hub.environment(tmp_path / "home", token=None) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", snippet[1]]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True)
    assert Image.open(tmp_path / "colour.png").size == (80, 60)
    assert Image.open(tmp_path / "red.png").mode == "RGB"


def test_push_says_what_the_hub_refuses(hub: HubServer, client: Client, models: Models) -> None:
    def push_in_between(method: str, path: str) -> None:
        if "tester/raced/commit/" in path:
            hub.repos["models", "tester/raced"].commit("main", "faster", _blobs(models[NEW]))

    hub.before_request = push_in_between
    raced = client.push(models[OLD], "tester/raced", private=True)
    assert (
        raced
        == "ModelError: Somebody else pushed to tester/raced meanwhile; look, then push again."
    )
    assert hub.repos["models", "tester/raced"].private
    assert hub.repos["models", "tester/raced"].head.title == "faster"
    wrong = client.push(models[OLD], "tester/unsigned", token="hf_wrong")
    assert "ModelError: The Hub refused access to tester/unsigned" in wrong
    assert "run `hf auth login` or pass token=." in wrong
    assert client.push(models[OLD], "nonsense").startswith("ModelNotFoundError: There is no folder")


def test_a_revision_is_a_branch_a_tag_or_a_commit(
    hub: HubServer, client: Client, models: Models
) -> None:
    repo = hub.create("models", "tester/versions")
    first = repo.commit("main", "old", _blobs(models[OLD]))
    repo.commit("main", "new", _blobs(models[NEW]))
    repo.tags["v1"] = first.sha
    old, new = _same(fingerprint(models[OLD])), _same(fingerprint(models[NEW]))
    assert client.load("tester/versions") == new
    assert client.load("tester/versions", revision="main") == new
    assert client.load("tester/versions", revision="v1") == old
    assert client.load("tester/versions", revision=first.sha) == old
    for revision in ("v2", "0" * 40):
        answer = client.load("tester/versions", revision=revision)
        assert f"ModelNotFoundError: tester/versions has no revision {revision}; name a" in answer


def test_load_says_why_there_is_no_model(hub: HubServer, client: Client, models: Models) -> None:
    _published(hub, "tester/private", models[NEW], private=True)
    _published(hub, "tester/gated", models[NEW]).gated = True
    hub.create("models", "tester/empty")
    strange = _published(hub, "tester/strange", models[NEW])
    unknown = Blob(b'{"architecture": "UNet"}')
    strange.commit("main", "strange", strange.head.files | {CONFIG: unknown})
    expected = {
        "tester/absent": "ModelNotFoundError: The Hub shows no model repo tester/absent",
        "tester/private": "If the repo is private, run `hf auth login` or pass token=.",
        "tester/gated": "ModelError: tester/gated is gated: accept its terms at https://",
        "tester/empty": "ModelNotFoundError: tester/empty has no file config.json at revision",
        "tester/strange": f"config.json of tester/strange at commit {strange.head.sha[:12]} cannot",
    }
    for name, message in expected.items():
        assert message in client.load(name, token=False)
    assert client.load("tester/private") == _same(fingerprint(models[NEW]))


def test_both_files_are_of_one_commit_though_the_branch_moves(
    hub: HubServer, client: Client, models: Models
) -> None:
    repo = _published(hub, "tester/moving", models[OLD])
    before = repo.head

    def push_after_config(method: str, path: str) -> None:
        if method == "GET" and path.endswith(f"{before.sha}/{CONFIG}"):
            repo.commit("main", "new", _blobs(models[NEW]))

    hub.before_request = push_after_config
    assert client.load("tester/moving") == _same(fingerprint(models[OLD]))
    assert repo.head != before
    downloads = [request for request in hub.log if "/resolve/" in request.path]
    assert {request.path.split("/resolve/")[1] for request in downloads} == {
        f"{before.sha}/{CONFIG}",
        f"{before.sha}/{WEIGHTS}",
    }
    assert all(request.user_agent.startswith("colorize-hub/") for request in downloads)
    assert client.load("tester/moving") == _same(fingerprint(models[NEW]))


def test_offline_mode_serves_from_the_cache(
    hub: HubServer, client: Client, home: Path, models: Models
) -> None:
    _published(hub, "tester/kept", models[OLD])
    loaded = client.load("tester/kept")
    hub.log.clear()
    offline = Client(hub.environment(home) | {"HF_HUB_OFFLINE": "1"})
    assert offline.load("tester/kept") == _same(loaded)
    assert "tester/absent at revision main is not in this" in offline.load("tester/absent")
    offline.close()
    assert not hub.log


def test_the_cache_serves_when_the_hub_is_gone(
    hub: HubServer, client: Client, models: Models
) -> None:
    """Takes the Hub away, so it comes last."""
    _published(hub, "tester/cached", models[OLD])
    before = client.load("tester/cached", local_files_only=True)
    assert before.startswith("ModelError: config.json of tester/cached at revision main is not in")
    loaded = client.load("tester/cached")
    hub.stop()
    assert client.load("tester/cached") == _same(loaded)
    assert client.load("tester/cached", local_files_only=True) == _same(loaded)
    assert "Load it once while the Hub can be reached" in client.load("tester/absent")
