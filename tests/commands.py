"""Commands in processes of their own, which begin where everything is imported already.

A new interpreter spends three seconds on imports. A process forked from one that has done them is
as apart from the test as a new one: it has its own folder, environment, arguments, output and end.
"""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

_forking = get_context("forkserver")
_forking.set_forkserver_preload(
    [
        *("colorize_hub.batch.files", "colorize_hub.cli", "colorize_hub.engines.torch_engine"),
        *("colorize_hub.loading", "colorize_hub.video", "timm"),
    ]
)


def run_module(
    module: str,
    *arguments: object,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments` in a folder; gives its exit code, and what it wrote as text.

    `environment` is added to that of the tests. Of what is read before a command begins, only
    PYTHONIOENCODING is heeded: begin a new interpreter for the rest.
    """
    with TemporaryDirectory() as said:
        told = (module, [str(one) for one in arguments], folder, dict(environment or {}), said)
        process = _forking.Process(target=_run, args=told)
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired([module, *told[1]], timeout)
        out, errors = ((Path(said) / name).read_text() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess([module, *told[1]], process.exitcode, out, errors)


def _run(
    module: str, arguments: list[str], folder: Path, environment: dict[str, str], said: str
) -> None:
    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        os.dup2(os.open(f"{said}/{name}", os.O_WRONLY | os.O_CREAT), stream.fileno())
        stream.reconfigure(encoding=environment.get("PYTHONIOENCODING", "utf-8"))
    os.chdir(folder)
    os.environ.update(environment)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
