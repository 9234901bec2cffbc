"""The Space: what is pushed is a whole program, which starts where nothing else is installed."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from playwright.sync_api import Browser

from colorize_hub.publish.space import ROOT, space_files
from tests.browser.desk_page import DeskPage
from tests.serving import page_of

from .client import Client
from .models import NEW, Models, published
from .repos import Blob
from .server import HubServer

HARDWARE = {"cpu-basic", "cpu-upgrade", "zero-a10g", "t4-small", "l4x1"}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def front_matter(readme: bytes) -> dict[str, object]:
    return yaml.safe_load(readme.decode().split("---\n")[1])


def test_the_front_matter_is_what_a_space_needs() -> None:
    settings = front_matter((ROOT / "README.md").read_bytes())
    assert settings["sdk"] == "gradio"
    assert settings["app_file"] == "app.py"
    assert {settings["colorFrom"], settings["colorTo"]} <= COLOURS
    assert settings["suggested_hardware"] in HARDWARE
    assert len(str(settings["short_description"])) <= 60
    assert settings["python_version"] == "3.12", "ZeroGPU knows 3.10 and 3.12"
    version = tuple(map(int, str(settings["sdk_version"]).split(".")))
    gradio = re.search(
        r"^gradio>=(\d+)\.(\d+),<(\d+)$", (ROOT / "requirements.txt").read_text(), re.M
    )
    assert gradio is not None
    least, most = (int(gradio[1]), int(gradio[2])), int(gradio[3])
    assert least <= version[:2] < (most,), "the Hub installs sdk_version first"


def test_push_space_publishes_the_program(hub: HubServer, client: Client, models: Models) -> None:
    published(hub, "tester/shown", models[NEW])
    url = client.push_space("tester/desk", model="tester/shown")
    space = hub.repos["spaces", "tester/desk"]
    assert url == f"{hub.url}/spaces/tester/desk/commit/{space.head.sha}"
    assert {"app.py", "requirements.txt", "README.md", "LICENSE"} < set(space.head.files)
    assert space.head.files["app.py"].data == (ROOT / "app.py").read_bytes()
    assert "colorize_hub/models/default/model.safetensors" in space.head.files
    assert not [path for path in space.head.files if "__pycache__" in path]
    settings = front_matter(space.head.files["README.md"].data)
    assert settings["preload_from_hub"] == settings["models"] == ["tester/shown"]
    assert settings["emoji"] == "🎨"
    assert space.variables == {"COLORIZE_MODEL": "tester/shown"}

    own = {"colorize_hub/gone.py": Blob(b""), "packages.txt": Blob(b"ffmpeg\n")}
    space.commit("main", "by hand", space.head.files | own)
    client.push_space("tester/desk")
    assert "colorize_hub/gone.py" not in space.head.files
    assert "packages.txt" in space.head.files, "what is not the project's own stays"
    assert "preload_from_hub" not in front_matter(space.head.files["README.md"].data)


def test_push_space_says_what_is_missing(
    hub: HubServer, client: Client, models: Models, tmp_path: Path
) -> None:
    elsewhere = client.push_space("tester/desk2", root=str(tmp_path))
    assert f"{tmp_path} has no app.py. Clone the project" in elsewhere
    assert "shows no model repo tester/absent" in client.push_space(
        "tester/desk2", model="tester/absent"
    )
    assert ("spaces", "tester/desk2") not in hub.repos
    published(hub, "tester/secret", models[NEW], private=True)
    answer = client.push_space("tester/desk2", model="tester/secret")
    assert "tester/desk2 is published, but tester/secret is private: add a token" in answer


@pytest.mark.browser
def test_a_pushed_space_starts_from_its_own_files(
    hub: HubServer,
    models: Models,
    chromium: Browser,
    tmp_path: Path,
) -> None:
    """With a home that cannot be written to, and its model on the Hub, it colours a photo."""
    published(hub, "tester/started", models[NEW])
    for name, content in space_files(ROOT, "tester/started").items():
        path = tmp_path / "space" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    before = {path for path in (tmp_path / "space").rglob("*") if "__pycache__" not in path.parts}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
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
