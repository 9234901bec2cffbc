"""The static site as it is written; tests/browser/test_web_site.py opens it."""

import hashlib
import io
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from PIL import Image

from colorize_hub.errors import ModelError
from colorize_hub.web import site
from colorize_hub.web.build import build
from colorize_hub.web.prints import EXAMPLES
from tests.web.test_build import sources

__all__ = ["sources"]  # a fixture


@pytest.fixture(scope="module")
def written(sources, tiny_network, tmp_path_factory):
    """A site; what npm fetches is not the real thing, all else is."""
    folder = tmp_path_factory.mktemp("site")
    build(sources, folder / "built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "BUILT", folder / "built")
        yield site.write_site(tiny_network, folder / "page").parent


def service_worker(folder):
    first, _, _ = (folder / "service.js").read_text().partition(";\n")
    return json.loads(first.removeprefix("const SITE = "))


def test_every_link_is_relative_and_leads_to_a_file(written):
    found = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.extend(value for name, value in attrs if name in ("href", "src"))

    Links().feed((written / "index.html").read_text())
    manifest = json.loads((written / "manifest.webmanifest").read_text())
    found += [icon["src"] for icon in manifest["icons"]]
    start = re.search(r"startSite\(.*?, (\[.*\])\);\n$", (written / "page.js").read_text())
    assert start is not None
    found += [one["url"] for one in json.loads(start[1])]
    found += re.findall(r"new URL\('(.*?)', base\)", (written / "page.js").read_text())
    assert len(found) > len(EXAMPLES) + 6
    for link in found:
        assert not link.startswith(("/", "http", "data:")), link
        assert (written / link).is_file(), link
    assert manifest["start_url"] == manifest["scope"] == "./"


def test_nothing_names_another_host(written):
    texts = [p for p in written.rglob("*") if p.suffix in (".html", ".css", ".webmanifest")]
    texts += [written / "page.js", written / "service.js"]
    for path in texts:
        found = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in found, path
        assert "https:" not in found, path
    assert "connect-src 'self' data: blob:;" in (written / "index.html").read_text()


def test_the_service_worker_keeps_all_but_the_graphs(written):
    kept = service_worker(written)
    files = {p.relative_to(written).as_posix() for p in written.rglob("*") if p.is_file()}
    graphs = {name for name in files if name.endswith(".onnx.gz")}
    assert graphs
    assert set(kept["first"] + kept["others"]) == files - graphs - {"service.js", "site.json"}
    assert {name.partition("/")[0] for name in kept["others"]} == {"runtime", "bench"}


def test_graphs_are_named_by_their_content(written):
    entries = json.loads((written / "model/model.json").read_text())["graphs"]
    for entry in entries.values():
        digest = hashlib.sha256((written / "model" / entry["file"]).read_bytes()).hexdigest()
        assert digest == entry["sha256"]
        assert digest[:16] in entry["file"]


def test_icons_are_what_the_manifest_says(written):
    for icon in json.loads((written / "manifest.webmanifest").read_text())["icons"]:
        with Image.open(io.BytesIO((written / icon["src"]).read_bytes())) as image:
            assert f"{image.width}x{image.height}" == icon["sizes"]
            assert len(image.convert("RGB").getcolors(1000) or ()) > 3


def test_a_later_site_replaces_an_earlier_one_and_nothing_else(
    written, tiny_network, tmp_path, monkeypatch
):
    shutil.copytree(written, tmp_path / "page")
    version = service_worker(written)["version"]
    written = tmp_path / "page"
    graphs = shutil.copytree(written / "model", tmp_path / "model")
    monkeypatch.setattr(
        site, "export_web", lambda _, folder: shutil.copytree(graphs, folder, dirs_exist_ok=True)
    )
    site.write_site(tiny_network, written)
    assert service_worker(written)["version"] == version, "equal files, equal version"
    (written / "CNAME").write_text("colour.example")
    (written / "prints/gone.jpg").write_text("")
    names = json.loads((written / "site.json").read_text())
    (written / "site.json").write_text(json.dumps([*names, "prints/gone.jpg"]))
    site.write_site(tiny_network, written, "user/other")
    assert (written / "CNAME").exists()
    assert not (written / "prints/gone.jpg").exists()
    assert "user/other" in (written / "index.html").read_text()
    assert service_worker(written)["version"] != version


def test_a_folder_with_another_page_is_left_alone(written, tiny_network, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(ModelError, match="holds another page already"):
        site.write_site(tiny_network, tmp_path)
    assert (tmp_path / "index.html").read_text() == "mine"
    with pytest.raises(ModelError, match="holds another page already"):
        site.write_site(tiny_network, tmp_path / "index.html")
