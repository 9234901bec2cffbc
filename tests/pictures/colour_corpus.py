"""Colours all files of a corpus in one process: 1 GB of memory, 10 s of processor time for each.

    python -m tests.pictures.colour_corpus FOLDER MODEL

prints JSON: how many files became a picture and how many an error, and what went wrong.
"""

import json
import logging
import resource
import signal
import sys
import warnings
from pathlib import Path

from colorize_hub.batch.files import colorize_file, target_name
from colorize_hub.loading import load
from colorize_hub.pictures.picture import Picture, PictureError, read_picture
from tests.pictures.bad_pictures import Case, make_corpus
from tests.scenes import lightness_of

SECONDS, MEMORY = 10, 1 << 30
LOSSY = {".jpg", ".webp", ".avif", ".heic", ".jxl"}


def main(folder: Path, model: Path) -> None:
    colorizer = load(model, device="cpu")
    cases = make_corpus(folder)
    (folder / "out").mkdir()
    virtual = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (virtual + MEMORY, -1))
    signal.signal(signal.SIGPROF, out_of_time)
    counts, wrong = {"picture": 0, "error": 0}, []
    for case in cases:
        target = folder / "out" / target_name(case.path).name
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            colorize_file(colorizer, case.path, target)
            fate, problem = "picture", unlike(case, folder, read_picture(target))
        except PictureError as error:
            fate, problem = "error", "" if str(error).count("\n") == 0 else "error of many lines"
        except Exception as error:  # any other is what this looks for
            fate, problem = "picture", repr(error)
        signal.setitimer(signal.ITIMER_PROF, 0)
        counts[fate] += 1
        if problem or case.fate not in (fate, "either"):
            wrong.append(f"{case.path.name}: {fate} {problem}")
    json.dump({"counts": counts, "wrong": wrong}, sys.stdout)


def out_of_time(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def unlike(case: Case, folder: Path, coloured: Picture) -> str:
    """How a picture in colour differs from what it should be; empty if it does not."""
    source = read_picture(case.path)
    if (coloured.width, coloured.height) != (source.width, source.height):
        return f"{coloured.width} x {coloured.height} of {source.width} x {source.height} pixels"
    if case.deep and coloured.pixels.dtype != "uint16":
        return "not 16 bits"
    if case.alpha and coloured.alpha is None:
        return "no alpha"
    wanted = read_picture(folder / case.like) if case.like else source
    apart = lightness_of(coloured.pixels) - lightness_of(wanted.pixels)
    if apart.abs().mean() > (2 if target_name(case.path).suffix in LOSSY else 0.2):
        return f"lightness is {apart.abs().mean():.2f} off"
    return ""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
