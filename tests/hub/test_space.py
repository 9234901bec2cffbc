"""The Space: what is pushed is a whole program, which starts where nothing else is installed."""

import re
from pathlib import Path

import yaml

from colorize_hub.network.config import OWN_ENCODER
from colorize_hub.publish.space import ROOT, files_for
from tests.hub.client import Client
from tests.hub.models import NEW, Models, published
from tests.hub.repos import Blob
from tests.hub.server import HubServer

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
    asked = space.head.files["requirements.txt"].data.decode().splitlines()
    assert asked[:-2] == (ROOT / "requirements.txt").read_text().splitlines()
    names = [line.partition(">=")[0] for line in asked[-2:]]
    assert names == ["timm", "torchvision"], "its encoder is one of timm's"

    own = {"colorize_hub/gone.py": Blob(b""), "packages.txt": Blob(b"ffmpeg\n")}
    space.commit("main", "by hand", space.head.files | own)
    client.push_space("tester/desk")
    assert "colorize_hub/gone.py" not in space.head.files
    assert "packages.txt" in space.head.files, "what is not the project's own stays"
    assert "preload_from_hub" not in front_matter(space.head.files["README.md"].data)
    own = (ROOT / "requirements.txt").read_bytes()
    assert space.head.files["requirements.txt"].data == own, "the bundled model needs no more"


def test_a_model_with_the_built_in_encoder_needs_no_more_than_the_bundled_one() -> None:
    assert set(files_for("tester/shown", OWN_ENCODER, ROOT)) == {"README.md"}


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
