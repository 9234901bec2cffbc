"""`python -m bench.live`: the live picture in headless Chromium, for minutes or for hours.

A server of its own, a film as camera. Every frame of the film says its number, so that what the
camera shows and what is shown in colour can be compared at one moment: that is glass to glass.
"""

import statistics
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import tyro
from playwright.sync_api import Browser, Page

from bench.clock_film import FRAMES, READ_NUMBER, write_clock_film
from bench.pages import camera_browser, served_page
from colorize_hub.web.prints import example_path

# Notes when a frame in colour is drawn, and now and then both numbers in one moment.
WATCH = """
  const numberOf = READ_NUMBER;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  window.watched = { shown: [], late: [] };
  CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
    draw.apply(this, rest);
    if (this.canvas.id !== 'live-after' || !(rest[0] instanceof ImageBitmap)) return;
    watched.shown.push(performance.now());
    if (watched.shown.length % 7) return;
    const canvas = this.canvas;
    requestAnimationFrame(() => {
      const video = document.querySelector('#live-video');
      watched.late.push([performance.now(), numberOf(video), numberOf(canvas)]);
    });
  };
""".replace("READ_NUMBER", READ_NUMBER)
TAKE = "(() => { const all = watched; window.watched = { shown: [], late: [] }; return all; })()"
_WARM_UP_S = 20
_MEBIBYTE = 2**20


@dataclass
class Log:
    """What was seen.

    Attributes:
        fps: displayed, per viewer and turn.
        late_ms: glass to glass, each sample.
        width: of the coloured picture, pixels, per turn.
        memory: (minutes, MiB of the server) per turn.
        disk: (files, MiB) in the server's folder of temporary files, per turn.
    """

    fps: list[list[float]] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    width: list[int] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    disk: list[tuple[int, float]] = field(default_factory=list)


def live(
    minutes: float = 1.0,
    viewers: int = 1,
    model: str = "",
    turn: float = 10.0,
    chromium: str = "",
) -> None:
    """Measure and report.

    Args:
        minutes: How long, after a warm-up of 20 seconds.
        viewers: Tabs with a camera at the same time; two share, more wait.
        model: As `load` takes it; the default is the built-in one.
        turn: Seconds between two looks.
        chromium: Path of the browser; the default is the first on the PATH.
    """
    with tempfile.TemporaryDirectory() as name:
        film, files = Path(name) / "clock.mjpeg", Path(name) / "temp"
        files.mkdir()
        write_clock_film(film, example_path("nagasaki-boats"))
        with served_page(model, files) as (url, pid), camera_browser(film, chromium) as browser:
            pages = [_watch(browser, url) for _ in range(viewers)]
            time.sleep(_WARM_UP_S)
            log = _look(pages, pid, files, minutes, turn)
            print(_report(log, minutes, viewers))


def _look(pages: list[Page], pid: int, files: Path, minutes: float, turn: float) -> Log:
    log, begin = Log(), time.monotonic()
    for page in pages:
        page.evaluate(TAKE)
    while time.monotonic() < begin + 60 * minutes:
        time.sleep(turn)
        seen = [page.evaluate(TAKE) for page in pages]
        log.fps.append([fps_of(one["shown"]) for one in seen])
        for one in seen:
            log.late_ms += lateness(one["late"])
        log.width.append(pages[0].evaluate("document.querySelector('#live-after').width"))
        log.memory.append(((time.monotonic() - begin) / 60, _resident(pid)))
        kept = [path.stat().st_size for path in files.rglob("*") if path.is_file()]
        log.disk.append((len(kept), sum(kept) / _MEBIBYTE))
    return log


def fps_of(shown: list[float]) -> float:
    return 1000 * (len(shown) - 1) / (shown[-1] - shown[0]) if len(shown) > 1 else 0.0


def lateness(samples: list[list[float]]) -> list[float]:
    """Glass to glass in ms: frames of the film between both, times how long the film shows one."""
    if len(samples) < 3:
        return []
    went = sum((later[1] - earlier[1]) % FRAMES for earlier, later in pairwise(samples))
    frame_ms = (samples[-1][0] - samples[0][0]) / max(went, 1)
    return [((camera - coloured) % FRAMES) * frame_ms for _, camera, coloured in samples]


def _report(log: Log, minutes: float, viewers: int) -> str:
    lines = [f"{viewers} viewers, {minutes:g} minutes, camera 640 x 480"]
    for number, each in enumerate(zip(*log.fps, strict=True), 1):
        lines.append(
            f"viewer {number}: displayed fps, median of {len(each)} turns "
            f"{statistics.median(each):.1f}, lowest {min(each):.1f}"
        )
    if len(log.late_ms) > 1:
        cuts = statistics.quantiles(log.late_ms, n=20)
        lines.append(
            f"glass to glass, N = {len(log.late_ms)}: median {cuts[9]:.0f} ms, "
            f"p95 {cuts[18]:.0f} ms"
        )
    lines.append(f"width of the picture: {min(log.width)} to {max(log.width)} pixels")
    memory = [held for _, held in log.memory]
    lines.append(
        f"memory of the server: {memory[0]:.0f} MiB at first, {max(memory):.0f} at most, "
        f"{memory[-1]:.0f} at last; {_slope_per_hour(log.memory):+.1f} MiB an hour by a line "
        "through the second half"
    )
    (files, size), (last_files, last_size) = log.disk[0], log.disk[-1]
    lines.append(
        f"temporary files: {files} ({size:.2f} MiB) at first, {last_files} ({last_size:.2f} MiB) at"
        " last"
    )
    return "\n".join(lines)


def _slope_per_hour(points: list[tuple[float, float]]) -> float:
    points = points[len(points) // 2 :]
    if len(points) < 2:
        return 0.0
    minutes, held = zip(*points, strict=True)
    return statistics.linear_regression(minutes, held).slope * 60


def _resident(pid: int) -> float:
    """MiB of memory that a process holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / _MEBIBYTE


def _watch(browser: Browser, url: str) -> Page:
    """Open a viewer in a window of its own, streaming."""
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
    page = browser.new_context(**options).new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_selector("#after[src]", timeout=120_000)
    page.click("#tab-live")
    page.click("#live-start")
    return page


if __name__ == "__main__":
    tyro.cli(live, prog="python -m bench.live")
