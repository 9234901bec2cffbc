"""A Space that was pushed, in a browser: it starts where nothing else is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from colorize_hub.publish.space import ROOT, files_for, space_files
from tests.browser.desk_page import DeskPage
from tests.hub.conftest import hub, models, running_hub
from tests.hub.models import NEW, Models, published
from tests.hub.server import HubServer
from tests.serving import free_port, page_of

__all__ = ["hub", "models", "running_hub"]  # fixtures
pytestmark = pytest.mark.browser


def test_a_pushed_space_starts_from_its_own_files(
    hub: HubServer,
    models: Models,
    chromium: Browser,
    tmp_path: Path,
) -> None:
    """With a home that cannot be written to, and its model on the Hub, it colours a photo."""
    published(hub, "tester/started", models[NEW])
    encoder = json.loads((models[NEW] / "config.json").read_bytes())["encoder"]
    files = space_files(ROOT) | files_for("tester/started", encoder, ROOT)
    for name, content in files.items():
        path = tmp_path / "space" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    before = {path for path in (tmp_path / "space").rglob("*") if "__pycache__" not in path.parts}
    port = free_port()
    environment = hub.environment(tmp_path / "home", token=None)
    environment.pop("PYTHONPATH", None)
    server = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=tmp_path / "space",
        env=environment
        | {"HOME": os.devnull, "COLORIZE_MODEL": "tester/started", "GRADIO_SERVER_PORT": str(port)},
    )
    try:
        assert "gradio" in page_of(server, port)
        desk = DeskPage(chromium.new_page())
        desk.page.goto(f"http://127.0.0.1:{port}/")
        desk.page.wait_for_selector("#after[src]", timeout=60_000)
        assert np.abs(desk.pixels() - desk.pixels("#before")).mean() > 3
        desk.page.close()
    finally:
        server.kill()
        server.wait()
    after = {path for path in (tmp_path / "space").rglob("*") if "__pycache__" not in path.parts}
    assert after == before, "nothing is written into the Space's own folder"
    assert any("tester/started/resolve" in line.path for line in hub.log)
