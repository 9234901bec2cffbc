"""What npm fetched, copied into the package."""

import gzip
import shutil

import pytest

from colorize_hub.web.build import RUNTIME, WORKER, build, check_built

DIST = "node_modules/onnxruntime-web/dist"
NAMES = ("ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A clone's web/ after npm ci."""
    tmp_path = tmp_path_factory.mktemp("clone")
    for name in ("src/worker.js", "src/desk.js", f"{DIST}/ort.wasm.min.mjs"):
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"// {name}")
    for name in ("ort.webgpu.min.mjs", *(f"{stem}.mjs" for stem in NAMES)):
        (tmp_path / "web" / DIST / name).write_text(f"// {name}")
    for stem in NAMES:
        (tmp_path / "web" / DIST / f"{stem}.wasm").write_bytes(b"\0asm" + stem.encode() * 100)
    return tmp_path / "web"


def test_a_build_is_complete_and_replaces_the_last_one(sources, tmp_path):
    built = tmp_path / "built"
    (built / "worker").mkdir(parents=True)
    (built / "worker/gone.js").write_text("")
    build(sources, built)
    check_built(built)
    assert {path.name for path in (built / "worker").iterdir()} == {"worker.js", "desk.js"}
    for stem in NAMES:
        packed = built / RUNTIME / f"{stem}.wasm.gz"
        assert (
            gzip.decompress(packed.read_bytes()) == (sources / DIST / f"{stem}.wasm").read_bytes()
        )
        assert not (built / RUNTIME / f"{stem}.wasm").exists(), "it would be in the wheel twice"


def test_a_build_without_npm_says_what_to_run(sources, tmp_path):
    sources = shutil.copytree(sources, tmp_path / "web")
    (sources / DIST / "ort.wasm.min.mjs").unlink()
    with pytest.raises(FileNotFoundError, match=r"no ort\.wasm\.min\.mjs; run: npm ci --prefix"):
        build(sources, tmp_path / "built")
    with pytest.raises(FileNotFoundError, match=r"npm ci --prefix web && python -m"):
        check_built(tmp_path / "built")


def test_what_is_missing_is_named(sources, tmp_path):
    build(sources, tmp_path / "built")
    (tmp_path / "built" / WORKER).unlink()
    with pytest.raises(FileNotFoundError, match=r"worker/worker\.js is missing"):
        check_built(tmp_path / "built")
