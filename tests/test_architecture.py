"""House rules that no linter knows: imports go one way, files stay short, import is light."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "colorize_hub"

# A package imports only from the lines above its own; inside it imports are free.
ORDER = """
errors version atomic
colour
pictures
hub
network
hints
engines
inference
loading
export
web
video
batch
publish
__init__
demo
cli
__main__ distributed files
"""
LEVEL = {name: level for level, line in enumerate(ORDER.splitlines()) for name in line.split()}
LONGEST_FILE = 300
LIGHT = {"torch", "gradio", "datasets", "skimage", "timm", "torchvision", "huggingface_hub"}


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def package_of(path):
    """colorize_hub/demo/page.py is demo, colorize_hub/loading.py is loading."""
    first = path.relative_to(LIBRARY).parts[0]
    return first.removesuffix(".py")


def imports(path):
    """Every dotted name that a file imports, inside functions and TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def library_packages(path):
    """The packages, and modules beside them, of colorize_hub that a file imports."""
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "colorize_hub":
            first = rest.partition(".")[0]
            is_module = (LIBRARY / f"{first}.py").exists() or (LIBRARY / first).is_dir()
            yield first if first and is_module else "__init__"


def test_every_package_has_a_place_in_the_order():
    here = {package_of(path) for path in sources("colorize_hub")}
    assert here - LEVEL.keys() == set(), "put new packages into ORDER"
    assert len(here) > 10


@pytest.mark.parametrize("path", sources("colorize_hub"), ids=lambda p: p.stem)
def test_imports_go_one_way(path):
    own = package_of(path)
    inside = {own} if (LIBRARY / own).is_dir() else set()
    wrong = {
        name for name in library_packages(path) if LEVEL[name] >= LEVEL[own] and name not in inside
    }
    assert wrong == set(), f"{own} stands below or beside what it imports"


def test_nothing_below_imports_what_stands_above():
    above = {"train", "bench", "tests", "app"}
    for path in sources("colorize_hub"):
        assert above.isdisjoint(name.partition(".")[0] for name in imports(path)), path
    allowed = {"train": {"train"}, "bench": {"train", "bench"}}  # bench measures the training too
    for path in sources("train", "bench"):
        others = above - allowed[path.relative_to(ROOT).parts[0]]
        assert others.isdisjoint(name.partition(".")[0] for name in imports(path)), path


def test_only_the_demo_imports_gradio_and_nothing_imports_datasets():
    for path in sources("colorize_hub"):
        packages = {name.partition(".")[0] for name in imports(path)}
        assert "datasets" not in packages, path
        assert "gradio" not in packages or package_of(path) == "demo", path


@pytest.mark.parametrize("folder", ["colorize_hub", "train", "bench", "tests"])
def test_files_fit_in_the_head(folder):
    for path in [*sources(folder), ROOT / "app.py"]:
        lines = len(path.read_text().splitlines())
        assert lines <= LONGEST_FILE, f"{path.relative_to(ROOT)} has {lines} lines"


def test_only_the_browser_tests_import_playwright():
    for path in sources("tests"):
        packages = {name.partition(".")[0] for name in imports(path)}
        if path.parent != ROOT / "tests/browser":
            assert packages.isdisjoint({"playwright", "axe_playwright_python"}), path


def test_no_star_imports():
    for path in sources("colorize_hub", "train", "bench", "tests"):
        aliases = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.alias)]
        assert "*" not in {alias.name for alias in aliases}, path


def test_the_library_does_not_print():
    for path in sources("colorize_hub"):
        calls = [n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        printed = [f for f in calls if isinstance(f, ast.Name) and f.id == "print"]
        assert not printed or package_of(path) == "cli", path


def test_modules_are_named_after_what_they_hold():
    vague = {"utils", "util", "helpers", "common", "misc"}
    assert not [p for p in sources("colorize_hub", "train", "bench", "tests") if p.stem in vague]


def test_a_space_installs_what_the_package_and_its_app_need():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["app"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert sorted(line for line in lines if line and line[0] != "#") == sorted(needed)


@pytest.mark.parametrize(
    ("set_by_user", "seen"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_torch_threads_sleep_while_they_wait_unless_told_otherwise(set_by_user, seen):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment |= {"OMP_DISPLAY_ENV": "TRUE"} | set_by_user
    code = "import colorize_hub, torch; torch.ones(9).sum()"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert f"OMP_WAIT_POLICY = '{seen}'" in result.stderr


def test_importing_everything_public_stays_light():
    """torch comes with the first model of it; the page, the data and the backbones later still."""
    code = (
        "import sys, colorize_hub\n"
        "for name in colorize_hub.__all__: getattr(colorize_hub, name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "numpy" in loaded
    assert loaded.isdisjoint(LIGHT)


@pytest.mark.parametrize(
    ("moved", "home"),
    [
        ("colorize_hub.files import colour_file", "from colorize_hub import colorize_file"),
        ("colorize_hub.hub import load", "from colorize_hub import load"),
        ("colorize_hub.hub import save", "from colorize_hub import save"),
        ("colorize_hub.hub import read_model", "from colorize_hub.loading import read_model"),
    ],
)
def test_a_documented_name_that_has_moved_says_where(moved, home):
    with pytest.raises(ImportError, match=f"moved: {home}"):
        exec(f"from {moved}", {})
