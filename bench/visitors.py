"""`python -m bench.visitors`: many people at the desk at once, against a server that runs.

Each visitor opens a print and then, every few seconds, gives one more place a colour. Reported are
the times from click to coloured picture as a client sees them, errors, and the server's memory.
"""

import json
import random
import statistics
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import tyro

from colorize_hub.web.prints import EXAMPLES, example_path

_MEBIBYTE = 2**20


@dataclass
class Tally:
    """What all visitors saw; appended to by their threads."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def visitors(
    url: str = "http://127.0.0.1:7860",
    people: int = 20,
    every: float = 2.0,
    minutes: float = 3.0,
    openers: int = 0,
    pid: int | None = None,
) -> None:
    """Load the desk and report.

    Args:
        url: Of the page.
        people: Visitors at the same time.
        every: Seconds between two clicks of one visitor, if the answer is there by then.
        minutes: How long.
        openers: Others, who open one new photo after the other; their times are not counted.
        pid: Of the server, on this machine, to watch its memory.
    """
    tally, end = Tally(), time.monotonic() + 60 * minutes
    crowd = [
        threading.Thread(target=_visit, args=(url.rstrip("/"), number, every, end, tally))
        for number in range(people)
    ]
    crowd += [
        threading.Thread(target=_open_photos, args=(url.rstrip("/"), number, end, tally))
        for number in range(openers)
    ]
    memory = []
    for visitor in crowd:
        visitor.start()
    while any(visitor.is_alive() for visitor in crowd):
        if pid is not None:
            memory.append(_resident(pid))
        time.sleep(5)
    print(_report(people, every, minutes, tally, memory))


def _visit(url: str, number: int, every: float, end: float, tally: Tally) -> None:
    rng = random.Random(number)
    stem = list(EXAMPLES)[number % len(EXAMPLES)]
    photo = {"path": str(example_path(stem)), "meta": {"_type": "gradio.FileData"}}
    time.sleep(rng.random() * every)
    try:
        opened = call(url, "open_photo", photo, "", "")
    except OSError as error:
        tally.errors.append(str(error))
        return
    marks: list[dict[str, Any]] = []
    while time.monotonic() < end:
        start = time.monotonic()
        place = [rng.random() * opened["width"], rng.random() * opened["height"]]
        rgb = [rng.randrange(256) for _ in range(3)]
        marks = [*marks[-9:], {"points": [place], "rgb": rgb, "radius": None}]
        try:
            render(url, photo, json.dumps({"marks": marks}), f"visitor {number}")
            tally.seconds.append(time.monotonic() - start)
        except OSError as error:
            tally.errors.append(str(error))
        time.sleep(max(0.0, every - (time.monotonic() - start)))


def _open_photos(url: str, number: int, end: float, tally: Tally) -> None:
    photo, count = example_path(list(EXAMPLES)[number % len(EXAMPLES)]).read_bytes(), 0
    while time.monotonic() < end:
        count += 1
        try:  # what follows the end of a JPEG file makes it another file, and is not read
            call(url, "open_photo", _upload(url, photo + f"{number} {count}".encode()), "", "")
        except OSError as error:
            tally.errors.append(str(error))


def _upload(url: str, photo: bytes) -> dict[str, Any]:
    """Upload a photo, and name it as the server does."""
    head = b'--part\r\nContent-Disposition: form-data; name="files"; filename="photo.jpg"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=part"}
    body = head + photo + b"\r\n--part--\r\n"
    request = urllib.request.Request(f"{url}/gradio_api/upload", body, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return {"path": json.load(answer)[0], "meta": {"_type": "gradio.FileData"}}


def call(url: str, name: str, *data: object) -> Any:  # noqa: ANN401
    """Ask an endpoint as the page does.

    Raises:
        OSError: the server is gone, or answered with an error.
    """
    body = json.dumps({"data": data}).encode()
    address = f"{url}/gradio_api/call/{name}"
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/{event}", timeout=120) as answer:
        lines = answer.read().decode().splitlines()
    answers = dict(pairwise(lines))  # a line that names an event, and its data
    if "event: complete" not in answers:
        raise OSError(f"{name}: {answers.get('event: error', 'no answer')[:200]}")
    return json.loads(answers["event: complete"].removeprefix("data: "))[0]


def render(url: str, photo: dict[str, Any], hints: str, visitor: str) -> bytes:
    """Return a JPEG file of the photo with hints, asked for as the page asks for it.

    Raises:
        OSError: the server is gone, or answered with an error.
    """
    body = json.dumps({"photo": photo, "hints": hints, "model": "", "visitor": visitor}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/desk/render", body, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def _resident(pid: int) -> float:
    """MiB of memory that a process holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / _MEBIBYTE


def _report(people: int, every: float, minutes: float, tally: Tally, memory: list[float]) -> str:
    lines = [f"{people} people, a click every {every:g} s, {minutes:g} minutes"]
    if len(tally.seconds) > 1:
        cuts = statistics.quantiles(tally.seconds, n=20)
        lines.append(
            f"click to colour, N = {len(tally.seconds)}: median {cuts[9]:.2f} s, "
            f"p95 {cuts[18]:.2f} s, slowest {max(tally.seconds):.2f} s"
        )
    lines.append(f"errors: {len(tally.errors)} {sorted(set(tally.errors))[:3]}")
    if memory:
        half = memory[len(memory) // 2 :]
        lines.append(
            f"memory: {memory[0]:.0f} MiB at the start, {max(memory):.0f} at most, "
            f"{half[0]:.0f} at half time, {half[-1]:.0f} at the end"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    tyro.cli(visitors, prog="python -m bench.visitors")
