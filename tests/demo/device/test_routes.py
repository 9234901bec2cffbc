"""What a visitor's machine fetches: the built files, the exported model, and nothing else."""

import asyncio
import gzip
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from colorize_hub.demo.device.routes import Alone, DeviceRoutes
from colorize_hub.web.build import build
from tests.web.test_build import sources

__all__ = ["sources"]  # a fixture


async def anybody(request):
    return True


async def nobody(request):
    return False


def served(routes, *paths):
    async def play():
        app = Starlette(routes=routes.routes(), middleware=[Middleware(Alone)])
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(play())


@pytest.fixture(scope="module")
def built(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes") / "built"
    build(sources, folder)
    return folder


def test_the_model_is_exported_once_and_may_be_kept_for_ever(built, tiny_network):
    read = []
    routes = DeviceRoutes(lambda: read.append(1) or tiny_network, anybody, built)
    worker, manifest = served(routes, "/device/worker/worker.js", "/device/model/model.json")
    assert "javascript" in worker.headers["content-type"]
    assert worker.headers["cross-origin-embedder-policy"] == "require-corp"
    assert worker.headers["cache-control"] == manifest.headers["cache-control"] == "no-cache"
    for entry in json.loads(manifest.content)["graphs"].values():
        (graph,) = served(routes, f"/device/model/{entry['file']}")
        assert len(graph.content) == entry["bytes"]
        assert gzip.decompress(graph.content)
        assert "immutable" in graph.headers["cache-control"]
    assert read == [1]


def test_nothing_else_is_served(built, tiny_network):
    routes = DeviceRoutes(lambda: tiny_network, anybody, built)
    wrong = ("worker/none.js", "worker/..%2Fruntime", "runtime/..%2F..%2Fsite.py", "secret/x")
    answers = served(routes, *(f"/device/{path}" for path in wrong))
    assert {answer.status_code for answer in answers} == {404}


def test_who_has_not_signed_in_gets_nothing(built, tiny_network):
    answers = served(
        DeviceRoutes(lambda: tiny_network, nobody, built),
        *("/device/model/model.json", "/device/worker/worker.js"),
    )
    assert {answer.status_code for answer in answers} == {401}
