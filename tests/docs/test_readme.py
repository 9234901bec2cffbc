"""README.md stays short, plain and true: sentences, links, figures and Python are checked."""

import json
import re
import shutil
from pathlib import Path

import pytest

from colorize_hub.loading import BUNDLED
from tests.docs.markdown import ROOT, code_blocks, links, prose

README = ROOT / "README.md"
MOST_LINES, MOST_WORDS = 150, 30
PAGES = [README, *(path for path in (ROOT / "docs").glob("*.md") if path.stem != "experiments")]


def table_row(name):
    """The cells of the first row of README.md that begins with a name."""
    text = README.read_text()
    row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", text, re.MULTILINE)
    assert row, name
    return [cell.strip() for cell in row[1].split("|")]


def test_it_is_short():
    assert len(README.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_sentence_is_long(page):
    sentences = prose(page.read_text())
    assert len(sentences) > 5
    assert [s for s in sentences if len(s.split()) > MOST_WORDS] == []


@pytest.mark.parametrize("page", [README, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_links_lead_to_files(page):
    found = [link for link in links(page.read_text()) if "://" not in link]
    assert found
    missing = [link for link in found if not (ROOT / link.partition("#")[0]).exists()]
    assert missing == []


def test_every_page_of_the_documentation_is_linked():
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    elsewhere = {f"docs/{name}.md" for name in ("index", "changes", "package", "upsampling")}
    assert pages - elsewhere <= set(links(README.read_text()))


@pytest.mark.parametrize(
    ("row", "names", "shown"),
    [
        ("PSNR", ("psnr", "psnr_grey"), "{:.2f} dB"),
        ("colourfulness", ("colorfulness", None, "colorfulness_truth"), "{:.1f}"),
        ("CIEDE2000", ("ciede2000", "ciede2000_grey"), "{:.1f}"),
        ("KID", ("kid", "kid_grey"), "{:.4f}"),
    ],
)
def test_its_figures_are_those_of_the_bundled_model(row, names, shown):
    metrics = json.loads((BUNDLED / "metrics.json").read_text())
    for cell, name in zip(table_row(row), names, strict=False):
        assert name is None or cell == shown.format(metrics[name])


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("this model", "hints_{}_psnr"),
        ("the same hints spread without learning", "hints_{}_floor_psnr"),
    ],
)
def test_its_hint_curve_is_that_of_the_bundled_model(row, name):
    metrics = json.loads((BUNDLED / "metrics.json").read_text())
    counts = table_row("hints")
    assert len(counts) == 8
    assert table_row(row) == [f"{metrics[name.format(n)]:.1f}" for n in counts]


def test_its_python_lines_run(tmp_path, monkeypatch):
    shutil.copy(ROOT / "colorize_hub/demo/examples/black-canyon.jpg", tmp_path / "old.jpg")
    monkeypatch.chdir(tmp_path)
    blocks = code_blocks(README.read_text(), "python")
    assert blocks
    for block in blocks:
        exec(block, {})
    assert Path("old-color.png").stat().st_size > 0
