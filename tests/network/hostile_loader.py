"""A process that loads folders it must not trust, with 1 GB of memory and an eye on what it does.

It answers for each folder named on its command line, after a good one, with one JSON line.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

NEVER = ("exec", "compile", "import", "os.exec", "os.fork", "os.system", "pickle", "socket")
NEVER += ("subprocess", "marshal", "os.remove", "os.rename", "os.mkdir", "os.symlink")
_seen: list[str] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what a load has no business with, and every file that is opened."""
    if event.startswith(NEVER):
        _seen.append(f"{event} {str(arguments)[:100]}")
    elif event == "open":
        _seen.append(f"open {arguments[0]!s} {arguments[1]}")


def main() -> None:
    from colorize_hub.errors import ModelError
    from colorize_hub.loading import load

    good, *folders = map(Path, sys.argv[1:])
    load(good, device="cpu")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    sys.addaudithook(watch)
    for folder in folders:
        _seen.clear()
        start = time.perf_counter()
        try:
            load(folder, device="cpu")
            answer = "loaded"
        except ModelError as error:
            answer = str(error)
        seconds = time.perf_counter() - start
        reads = {f"open {folder / name} r" for name in ("config.json", "model.safetensors")}
        strange = [event for event in _seen if event not in reads]
        sys.stdout.write(json.dumps([folder.name, answer, seconds, strange]) + "\n")


if __name__ == "__main__":
    main()
