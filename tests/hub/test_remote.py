"""load over the network, with the real client in processes of its own."""

import json
from pathlib import Path

import pytest

from colorize_hub.loading import CONFIG, WEIGHTS
from tests.hub.client import Client, fingerprint
from tests.hub.models import NEW, OLD, Models, blobs, published, same
from tests.hub.repos import Blob
from tests.hub.server import HubServer


def test_a_revision_is_a_branch_a_tag_or_a_commit(
    hub: HubServer, client: Client, models: Models
) -> None:
    repo = hub.create("models", "tester/versions")
    first = repo.commit("main", "old", blobs(models[OLD]))
    repo.commit("main", "new", blobs(models[NEW]))
    repo.tags["v1"] = first.sha
    old, new = same(fingerprint(models[OLD])), same(fingerprint(models[NEW]))
    assert client.load("tester/versions") == new
    assert client.load("tester/versions", revision="main") == new
    assert client.load("tester/versions", revision="v1") == old
    assert client.load("tester/versions", revision=first.sha) == old
    for revision in ("v2", "0" * 40):
        answer = client.load("tester/versions", revision=revision)
        assert f"ModelNotFoundError: tester/versions has no revision {revision}; name a" in answer


def test_load_says_why_there_is_no_model(hub: HubServer, client: Client, models: Models) -> None:
    published(hub, "tester/private", models[NEW], private=True)
    published(hub, "tester/gated", models[NEW]).gated = True
    hub.create("models", "tester/empty")
    strange = published(hub, "tester/strange", models[NEW])
    unknown = Blob(b'{"architecture": "UNet"}')
    strange.commit("main", "strange", strange.head.files | {CONFIG: unknown})
    expected = {
        "tester/absent": "ModelNotFoundError: The Hub shows no model repo tester/absent",
        "tester/private": "If the repo is private, run `hf auth login` or pass token=.",
        "tester/gated": f"is gated: accept its terms at {hub.url}/tester/gated, then run `hf auth",
        "tester/empty": "ModelNotFoundError: tester/empty has no file config.json at revision",
        "tester/strange": f"config.json of tester/strange at commit {strange.head.sha[:12]} cannot",
    }
    for name, message in expected.items():
        assert message in client.load(name, token=False)
    assert client.load("tester/private") == same(fingerprint(models[NEW]))


def test_both_files_are_of_one_commit_though_the_branch_moves(
    hub: HubServer, client: Client, models: Models
) -> None:
    repo = published(hub, "tester/moving", models[OLD])
    before = repo.head

    def push_after_config(method: str, path: str) -> None:
        if method == "GET" and path.endswith(f"{before.sha}/{CONFIG}"):
            repo.commit("main", "new", blobs(models[NEW]))

    hub.before_request = push_after_config
    assert client.load("tester/moving") == same(fingerprint(models[OLD]))
    assert repo.head != before
    downloads = [request for request in hub.log if "/resolve/" in request.path]
    assert {request.path.split("/resolve/")[1] for request in downloads} == {
        f"{before.sha}/{CONFIG}",
        f"{before.sha}/{WEIGHTS}",
    }
    assert all(request.user_agent.startswith("colorize-hub/") for request in downloads)
    assert client.load("tester/moving") == same(fingerprint(models[NEW]))


def test_offline_mode_serves_from_the_cache(
    hub: HubServer, client: Client, home: Path, models: Models
) -> None:
    published(hub, "tester/kept", models[OLD])
    loaded = client.load("tester/kept")
    hub.log.clear()
    offline = Client(hub.environment(home) | {"HF_HUB_OFFLINE": "1"})
    assert offline.load("tester/kept") == same(loaded)
    assert "tester/absent at revision main is not in this" in offline.load("tester/absent")
    offline.close()
    assert not hub.log


class Declared(bytes):
    """Content that says it has ten gigabytes."""

    def __len__(self) -> int:
        return 10 * 10**9


def test_what_is_too_large_is_not_even_asked_for(
    hub: HubServer, client: Client, models: Models
) -> None:
    repo = published(hub, "tester/huge", models[NEW])
    for name in (WEIGHTS, CONFIG):
        files = blobs(models[NEW])
        repo.commit("main", name, files | {name: Blob(Declared(files[name].data), lfs=True)})
        answer = client.load(repo.id)
        assert (
            f"ModelError: {name} of tester/huge at commit {repo.head.sha[:12]} has 10,000,"
            in answer
        )
    assert not [line for line in hub.log if "/_lfs/" in line.path]


def test_a_pickle_is_not_asked_for(hub: HubServer, client: Client, models: Models) -> None:
    files = blobs(models[NEW])
    weights = files.pop(WEIGHTS)
    repo = hub.create("models", "tester/pickle")
    repo.commit("main", "model", files | {"pytorch_model.bin": weights})
    answer = client.load(repo.id)
    assert f"ModelNotFoundError: tester/pickle has no file {WEIGHTS} at revision" in answer
    assert "only safetensors weights are read, never a pickle" in answer
    assert not [line for line in hub.log if "pytorch" in line.path]


def test_an_older_config_still_loads(hub: HubServer, client: Client, models: Models) -> None:
    repo = published(hub, "tester/older", models[OLD])
    config = json.loads(repo.head.files[CONFIG].data)
    del config["architecture"]
    config["format_version"] = 1
    older = Blob(json.dumps(config).encode())
    repo.commit("main", "older", repo.head.files | {CONFIG: older})
    assert client.load(repo.id) == same(fingerprint(models[OLD]))


@pytest.mark.slow
def test_the_cache_serves_when_the_hub_is_gone(models: Models, tmp_path: Path) -> None:
    hub = HubServer()
    hub.start()
    client = Client(hub.environment(tmp_path))
    published(hub, "tester/cached", models[OLD])
    before = client.load("tester/cached", local_files_only=True)
    assert before.startswith("ModelError: config.json of tester/cached at revision main is not in")
    loaded = client.load("tester/cached")
    hub.stop()
    assert client.load("tester/cached") == same(loaded)
    assert client.load("tester/cached", local_files_only=True) == same(loaded)
    assert "Load it once while the Hub can be reached" in client.load("tester/absent")
    client.close()
