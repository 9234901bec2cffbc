"""The Hub on a bad day: it fails, breaks off, sends nonsense; the disk is full."""

import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from colorize_hub.loading import CONFIG, WEIGHTS
from tests.hub.client import Client, fingerprint
from tests.hub.handler import RefusalError
from tests.hub.models import NEW, OLD, Models, published, same
from tests.hub.server import HubServer


def failing(status: int, times: int, *parts: str) -> Callable[[str, str], None]:
    """Refuses the first requests whose "METHOD path" holds each of some parts."""
    left = dict.fromkeys(parts, times)

    def refuse(method: str, path: str) -> None:
        for part, count in left.items():
            if part in f"{method} {path}" and count:
                left[part] -= 1
                raise RefusalError(status, "", "Service is having a bad day")

    return refuse


@pytest.mark.parametrize("status", [500, 503])
def test_load_tries_again(hub: HubServer, client: Client, models: Models, status: int) -> None:
    repo = published(hub, f"tester/shaky{status}", models[OLD])
    weights = repo.head.files[WEIGHTS].sha256
    parts = (f"GET /api/models/{repo.id}", f"{repo.head.sha}/{CONFIG}", f"GET /_lfs/{weights}")
    hub.before_request = failing(status, 1, *parts)
    assert client.load(repo.id) == same(fingerprint(models[OLD]))
    assert [line.status for line in hub.log].count(status) == len(parts)


def test_load_gives_up_with_one_clear_error(hub: HubServer, client: Client, models: Models) -> None:
    repo = published(hub, "tester/down", models[NEW])
    lfs = f"GET /_lfs/{repo.head.files[WEIGHTS].sha256}"
    hub.before_request = failing(503, 99, lfs)
    answer = client.load(repo.id)
    assert answer.startswith(f"ModelError: {WEIGHTS} of tester/down at revision {repo.head.sha}")
    assert "could not be fetched" in answer
    assert "Load it once while the Hub can be reached" in answer
    assert [f"{line.method} {line.path}" for line in hub.log].count(lfs) == 3
    hub.before_request = None
    assert client.load(repo.id) == same(fingerprint(models[NEW]))


def test_push_tries_again_and_gives_up(hub: HubServer, client: Client, models: Models) -> None:
    before = {path.name: path.read_bytes() for path in models[OLD].iterdir()}
    hub.before_request = failing(503, 99, "/commit/")
    answer = client.push(models[OLD], "tester/unlucky")
    assert "ModelError: The Hub did not take the files for tester/unlucky: " in answer
    assert "503" in answer
    assert {path.name: path.read_bytes() for path in models[OLD].iterdir()} == before
    hub.before_request = failing(500, 1, "/repos/create", "/commit/", "/tag/")
    assert client.push(models[OLD], "tester/unlucky")["tag"] == "v1"
    assert len(hub.repos["models", "tester/unlucky"].commits) == 2


def test_a_connection_cut_in_the_middle_is_taken_up_again(
    hub: HubServer, client: Client, models: Models
) -> None:
    repo = published(hub, "tester/cut", models[OLD])
    cut = iter([True])

    def break_off(path: str, data: bytes) -> bytes:
        return data[: len(data) // 2] if "/_lfs/" in path and next(cut, False) else data

    hub.damage = break_off
    assert client.load(repo.id) == same(fingerprint(models[OLD]))
    statuses = [line.status for line in hub.log if "/_lfs/" in line.path and line.method == "GET"]
    assert statuses in ([200, 206], [200, 200]), "resumed, or read again from the start"


def test_content_with_another_hash_is_never_used(
    hub: HubServer, client: Client, home: Path, models: Models
) -> None:
    repo = published(hub, "tester/flipped", models[OLD])
    bad = [True] * 3

    def flip(path: str, data: bytes) -> bytes:
        if "/_lfs/" not in path or not bad:
            return data
        bad.pop()
        return data[:-8] + bytes(byte ^ 1 for byte in data[-8:])

    hub.damage = flip
    answer = client.load(repo.id)
    assert f"ModelError: {WEIGHTS} of tester/flipped at revision" in answer
    assert "is damaged: its content does not have the hash" in answer
    assert not list(_cache(home, repo.id).rglob("*" + WEIGHTS)), "nothing is kept"
    assert not bad
    bad.append(True)
    assert client.load(repo.id) == same(fingerprint(models[OLD])), "once is made good"


def test_a_file_that_went_bad_in_the_cache_is_fetched_again(
    hub: HubServer, client: Client, home: Path, models: Models
) -> None:
    repo = published(hub, "tester/rotten", models[OLD])
    client.load(repo.id)
    (weights,) = _cache(home, repo.id).rglob(WEIGHTS)
    stored = weights.resolve()
    stored.write_bytes(stored.read_bytes()[:-100])
    assert "is damaged" in client.load(repo.id, local_files_only=True)
    assert client.load(repo.id) == same(fingerprint(models[OLD]))


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_file(hub: HubServer, models: Models, tmp_path: Path) -> None:
    repo = published(hub, "tester/large", models[OLD])
    most = len(repo.head.files[WEIGHTS].data) // 2

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    cramped = Client(hub.environment(tmp_path), small_disk)
    answer = cramped.load(repo.id)
    cramped.close()
    assert f"ModelError: {WEIGHTS} of tester/large could not be stored: " in answer
    assert "set HF_HOME to a folder on a larger disk" in answer
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and _size(path) == most]
    assert not list(tmp_path.rglob(WEIGHTS))


@pytest.mark.slow
def test_two_processes_load_at_once(
    hub: HubServer, client: Client, home: Path, models: Models
) -> None:
    repo = published(hub, "tester/shared", models[NEW])
    other = Client(hub.environment(home))
    other.load("tester/nothing-yet")  # started
    with ThreadPoolExecutor() as threads:
        both = list(threads.map(lambda process: process.load(repo.id), (client, other)))
    other.close()
    expected = same(fingerprint(models[NEW]))
    assert both == [expected, expected]
    assert len(list(_cache(home, repo.id).rglob("*.incomplete"))) == 0


def _cache(home: Path, repo_id: str) -> Path:
    return home / "hub" / f"models--{repo_id.replace('/', '--')}"


def _size(path: Path) -> int:
    return path.stat().st_size
