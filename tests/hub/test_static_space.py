"""The Space of static files: what is pushed is the site that the command writes."""

import hashlib
import json

import pytest
import yaml

from colorize_hub.publish.space import ROOT
from colorize_hub.web.build import WORKER, check_built
from tests.hub.client import Client
from tests.hub.models import NEW, Models, published
from tests.hub.repos import Blob
from tests.hub.server import HubServer

try:
    check_built()
except FileNotFoundError as error:
    pytest.skip(str(error), allow_module_level=True)


def settings_of(readme: bytes) -> dict[str, object]:
    return yaml.safe_load(readme.decode().split("---\n")[1])


def test_push_static_space_publishes_the_site(
    hub: HubServer, client: Client, models: Models
) -> None:
    published(hub, "tester/shown", models[NEW])
    url = client.push_static_space("tester/static", model="tester/shown")
    space = hub.repos["spaces", "tester/static"]
    assert url == f"{hub.url}/spaces/tester/static/commit/{space.head.sha}"
    files = space.head.files
    assert {"index.html", "service.js", WORKER, "NOTICES.md"} < set(files)
    settings = settings_of(files["README.md"].data)
    assert settings["sdk"] == "static"
    assert settings["app_file"] == "index.html"
    assert settings["models"] == ["tester/shown"]
    assert settings["custom_headers"] == {
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "cross-origin",
    }
    own = settings_of((ROOT / "README.md").read_bytes())
    for name in ("title", "emoji", "colorFrom", "colorTo", "tags", "license"):
        assert settings[name] == own[name], "both kinds of Space say the same of themselves"
    assert len(str(settings["short_description"])) <= 60
    graphs = json.loads(files["model/model.json"].data)["graphs"]
    assert graphs
    for entry in graphs.values():
        content = files[f"model/{entry['file']}"].data
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]

    stale = {"model/see-0.onnx.gz": Blob(b""), "CNAME": Blob(b"colour.example\n")}
    space.commit("main", "by hand", files | stale)
    client.push_static_space("tester/static", model="tester/shown")
    assert "model/see-0.onnx.gz" not in space.head.files
    assert "CNAME" in space.head.files, "what is not the site's own stays"


def test_a_private_model_does_not_become_public(
    hub: HubServer, client: Client, models: Models
) -> None:
    published(hub, "tester/hidden", models[NEW], private=True)
    answer = client.push_static_space("tester/leak", model="tester/hidden")
    assert "tester/hidden is private, and everybody could take its weights" in answer
    assert ("spaces", "tester/leak") not in hub.repos
