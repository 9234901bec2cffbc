"""The part of the static site that needs npm, copied from a clone's `web/` into the package.

``npm ci --prefix web && python -m colorize_hub.web.build`` in a clone; a wheel holds what it makes.
"""

import gzip
import shutil
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE / "built"  # git ignores it
WORKER = "worker/worker.js"
RUNTIME = "runtime"
SOURCES = HERE.parents[1] / "web"
_RUNTIME_SOURCE = "node_modules/onnxruntime-web/dist"
_BINARIES = ("ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify")  # without WebGPU, with it
_MODULES = ("ort.wasm.min.mjs", "ort.webgpu.min.mjs", *(f"{name}.mjs" for name in _BINARIES))


def build(sources: Path = SOURCES, built: Path = BUILT) -> None:
    """Copy the worker's modules and the runtime's files.

    Args:
        sources: a clone's `web/`.
        built: replaced.

    Raises:
        FileNotFoundError: npm has not fetched the runtime.
    """
    runtime = sources / _RUNTIME_SOURCE
    binaries = [f"{name}.wasm" for name in _BINARIES]
    missing = [name for name in (*_MODULES, *binaries) if not (runtime / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{runtime} has no {missing[0]}; run: npm ci --prefix {sources}")
    shutil.rmtree(built, ignore_errors=True)
    shutil.copytree(sources / "src", built / Path(WORKER).parent)
    (built / RUNTIME).mkdir()
    for name in _MODULES:
        shutil.copyfile(runtime / name, built / RUNTIME / name)
    for name in binaries:  # many hosts send files as they lie; the worker unpacks them
        packed = gzip.compress((runtime / name).read_bytes(), 9, mtime=0)
        (built / RUNTIME / f"{name}.gz").write_bytes(packed)


def check_built(built: Path = BUILT) -> None:
    """Find what is missing of what `build` makes.

    Raises:
        FileNotFoundError: something is; the message says what to run.
    """
    runtime = (*_MODULES, *(f"{name}.wasm.gz" for name in _BINARIES))
    needed = (WORKER, *(f"{RUNTIME}/{name}" for name in runtime))
    missing = [name for name in needed if not (built / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"The static site is not built here ({missing[0]} is missing). In a clone, run: "
            f"npm ci --prefix web && python -m colorize_hub.web.build"
        )


if __name__ == "__main__":
    build()
