"""One Hub and one client process for the tests of a file; each test uses repos of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .client import Client
from .server import HubServer


@pytest.fixture(scope="module")
def running_hub() -> Iterator[HubServer]:
    server = HubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hub(running_hub: HubServer) -> HubServer:
    running_hub.before_request = None
    running_hub.log.clear()
    return running_hub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `client` keeps its cache."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def client(running_hub: HubServer, home: Path) -> Iterator[Client]:
    process = Client(running_hub.environment(home))
    yield process
    process.close()
