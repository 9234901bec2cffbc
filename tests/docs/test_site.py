"""What the documentation says can be typed, and the site that it becomes asks no other host."""

import ast
import contextlib
import io
import json
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module

import pytest

from colorize_hub.loading import BUNDLED
from tests.docs.markdown import ROOT, code_blocks, commands

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
MODULES = ("bench", "train", "colorize_hub.distributed")


def by_name(path):
    return path.name


@pytest.fixture(scope="module")
def help_of():
    """Gives what a program says about its flags, asked once."""
    known = {}

    def ask(module, *command):
        if (module, *command) not in known:
            said = io.StringIO()
            with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
                patch.setattr(sys, "argv", [module, *command, "--help"])
                patch.delitem(sys.modules, module, raising=False)
                with pytest.raises(SystemExit) as ended:
                    runpy.run_module(module, run_name="__main__", alter_sys=True)
            assert ended.value.code == 0, (module, command)
            known[module, *command] = said.getvalue()
        return known[module, *command]

    return ask


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_flag_exists(page, help_of):
    for words in commands(page.read_text()):
        if words[0] == "colorize-hub":
            said = help_of("colorize_hub", words[1])
        elif words[:2] == ["python", "-m"] and words[2].startswith(MODULES):
            said = help_of(words[2])
        else:
            continue
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert {flag for flag in flags if flag not in said} == set(), " ".join(words)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_python_is_python_and_its_imports_exist(page):
    for block in code_blocks(page.read_text(), "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("colorize_hub"):
                for alias in node.names:
                    getattr(import_module(node.module), alias.name)


def test_every_name_in_metrics_json_is_explained():
    names = json.loads((BUNDLED / "metrics.json").read_text())
    explained = (ROOT / "docs" / "publishing.md").read_text()
    generic = {re.sub(r"^hints_\d+_(floor_)?psnr$", r"hints_N_\1psnr", name) for name in names}
    assert {name for name in generic if f"`{name}`" not in explained} == set()


class Fetched(HTMLParser):
    """Collects what a browser fetches by itself when it opens a page."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "src" in values:
            self.addresses.append(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.addresses.append(values["href"])


@pytest.mark.slow
def test_the_site_builds_strictly_and_asks_no_other_host(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    built_from = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"package"}
    assert built_from - {"index"} <= {page.parent.name for page in pages}
    for page in pages:
        parser = Fetched()
        parser.feed(page.read_text())
        assert parser.addresses
        assert [a for a in parser.addresses if re.match(r"(\w+:)?//", a)] == [], page
    for style in tmp_path.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text()), style
