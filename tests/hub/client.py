"""A process that loads and pushes as a user's would; tests drive it through Client.

huggingface_hub reads its settings when it is imported, so they cannot be changed inside the tests'
own process. The process takes one JSON call a line on stdin and answers with one JSON line.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PIXELS = 64


class Client:
    """A process with an environment of its own, kept for many calls."""

    def __init__(
        self, environment: dict[str, str], prepare: Callable[[], None] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONPATH": str(ROOT)},
            preexec_fn=prepare,
        )

    def load(self, name: str, **options: object) -> list[float] | str:
        """`fingerprint` of the model, or the class and text of the ModelError."""
        return self._call("load", [name], options)

    def push(self, folder: Path, repo_id: str, **options: object) -> dict[str, str] | str:
        """The url, commit and tag of the release, or the class and text of the ModelError."""
        return self._call("push", [str(folder), repo_id], options)

    def push_space(self, repo_id: str, **options: object) -> str:
        """The URL of the commit, or the class and text of the ModelError."""
        return self._call("push_space", [repo_id], options)

    def push_static_space(self, repo_id: str, **options: object) -> str:
        """The URL of the commit, or the class and text of the ModelError."""
        return self._call("push_static_space", [repo_id], options)

    def push_pictures(self, folder: Path, repo_id: str, **options: object) -> dict[str, Any] | str:
        """url, pictures and left_out, or the class and text of the ModelError."""
        return self._call("push_pictures", [str(folder), repo_id], options)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _call(self, verb: str, arguments: list[str], options: dict[str, object]) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the client process has no pipes")
        stdin.write(json.dumps([verb, arguments, options]) + "\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise RuntimeError("the client process died; its error is above")
        return json.loads(answer)


def fingerprint(name: str | Path, **options: object) -> list[float]:
    """What tells a loaded model from another: its vividness, and the ab it gives one place."""
    import torch

    from colorize_hub.loading import load

    model = load(name, device="cpu", **options)  # pyright: ignore[reportArgumentType]
    lightness = torch.linspace(0, 100, PIXELS**2).reshape(1, 1, PIXELS, PIXELS)
    return [model.config.vividness, *model.predict_ab(lightness)[0, :, 8, 8].tolist()]


def serve() -> None:
    """Answer calls until stdin ends."""
    from colorize_hub.errors import ModelError
    from colorize_hub.publish.picture_set import push_pictures
    from colorize_hub.publish.release import push
    from colorize_hub.publish.space import push_space
    from colorize_hub.publish.static_space import push_static_space

    known = (push, push_space, push_static_space, push_pictures)
    verbs = {"load": fingerprint, **{verb.__name__: verb for verb in known}}
    for line in sys.stdin:
        verb, arguments, options = json.loads(line)
        try:
            answer = verbs[verb](*arguments, **options)
            answer = asdict(answer) if is_dataclass(answer) else answer
        except (ModelError, FileNotFoundError) as error:
            answer = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
