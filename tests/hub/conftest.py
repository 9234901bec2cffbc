"""One Hub and one client process for the tests of this folder; each test uses repos of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.client import Client
from tests.hub.models import NEW, OLD, Models, publishable
from tests.hub.server import HubServer


@pytest.fixture(scope="session")
def running_hub() -> Iterator[HubServer]:
    server = HubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hub(running_hub: HubServer) -> Iterator[HubServer]:
    running_hub.log.clear()
    yield running_hub
    running_hub.before_request = running_hub.damage = None


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `client` keeps its cache."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def client(running_hub: HubServer, home: Path) -> Iterator[Client]:
    process = Client(running_hub.environment(home))
    yield process
    process.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Folders of two small models, with different weights, by their vividness."""
    return {
        vividness: publishable(tmp_path_factory.mktemp("models") / "model", vividness)
        for vividness in (OLD, NEW)
    }
