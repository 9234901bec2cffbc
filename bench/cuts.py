"""Where a film is cut: ways to find it, on films whose cuts are known. A table in Markdown.

    python -m bench.cuts CLIPS/ [--data PICTURES.parquet] [--films N]

The films join pieces of the clips, and windows that move over the pictures, by cuts, cuts to a
flash, fades through black and dissolves; half of them flicker, shake, flash and have grain. A join
is found when a cut lies within 2 frames of it; each counts once. Speed is in seconds of CPU time.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.joined import HEIGHT, KINDS, WIDTH, Join, JoinedFilm, join_pieces, pans, read_pieces
from colorize_hub.engines.compose import pixels_to_lightness
from colorize_hub.inference.motion import motions
from colorize_hub.video.cuts import ShotFinder
from colorize_hub.video.reader import ClipFacts, ClipFrame
from train.judging.pictures import read_pictures

Find = Callable[[list[np.ndarray]], Iterable[int]]
_NEAR = 2  # frames
_JOINS = 24  # of a film
_CELL = 4  # pixels to a cell in which motion is sought


def by_motion(frames: list[np.ndarray]) -> Iterable[int]:
    """Find frames to which nothing of the frame before can be carried, as steady colour does."""
    lightness = [pixels_to_lightness(one[..., None])[None] for one in frames]
    shape = HEIGHT // _CELL, WIDTH // _CELL
    return [i for i, pair in enumerate(pairwise(lightness), 1) if motions(*pair, shape) is None]


def by_detectors(*names: str) -> Find:
    """Return what finds cuts by PySceneDetect's detectors as they come, on luma alone."""
    import scenedetect

    def find(frames: list[np.ndarray]) -> Iterable[int]:
        takes_luma = {"ContentDetector", "AdaptiveDetector"}
        detectors = [
            getattr(scenedetect, name)(
                min_scene_len=5, **({"luma_only": True} if name in takes_luma else {})
            )
            for name in names
        ]
        cuts = set()
        for number, frame in enumerate(frames):
            code, picture = scenedetect.FrameTimecode(number, 25.0), np.stack([frame] * 3, 2)
            for detector in detectors:
                cuts |= {cut.frame_num for cut in detector.process_frame(code, picture)}
        return sorted(cuts)

    return find


def by_library(frames: list[np.ndarray]) -> Iterable[int]:
    """Find what `colorize-hub shots` finds."""
    facts = (Path("joined"), Fraction(1, 25), Fraction(25), len(frames), None, HEIGHT, WIDTH)
    finder = ShotFinder(ClipFacts(*facts, aspect=Fraction(1)))
    for number, frame in enumerate(frames):
        finder.add(ClipFrame(frame, number, 1))
    return finder.index().cuts


WAYS: dict[str, Callable[[], Find]] = {
    "no motion leads there (steady colour's own)": lambda: by_motion,
    "ContentDetector": lambda: by_detectors("ContentDetector"),
    "AdaptiveDetector": lambda: by_detectors("AdaptiveDetector"),
    "AdaptiveDetector, ThresholdDetector": lambda: by_detectors(
        "AdaptiveDetector", "ThresholdDetector"
    ),
    "**these and dissolves: `colorize-hub shots`**": lambda: by_library,
}


def matched(cuts: Iterable[int], joins: Sequence[Join]) -> list[Join]:
    """Return the joins that were found; a cut stands for one of them."""
    left, found = sorted(cuts), []
    for join in joins:
        near = [cut for cut in left if join.first - _NEAR <= cut <= join.last + _NEAR]
        if near:
            left.remove(near[0])
            found.append(join)
    return found


def row(name: str, find: Find, films: list[JoinedFilm]) -> str:
    """Return a line of the table."""
    found, cuts, start = [], 0, time.process_time()
    for film in films:
        here = list(find(film.frames))
        found += matched(here, film.joins)
        cuts += len(here)
    pace = sum(len(film.frames) for film in films) / (time.process_time() - start)
    joins = [join for film in films for join in film.joins]
    precision, recall = len(found) / max(1, cuts), len(found) / len(joins)
    kinds, all_kinds = (Counter(join.kind for join in some) for some in (found, joins))
    of_kinds = " | ".join(f"{kinds[kind]}/{all_kinds[kind]}" for kind in KINDS)
    return f"| {name} | {precision:.2f} | {recall:.2f} | {of_kinds} | {pace:.0f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--films", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    sources = read_pieces(asked.clips)
    if asked.data:
        sources += pans(list(read_pictures(asked.data, "train", limit=12)), asked.seed)
    for worn in (False, True):
        seeds = range(asked.seed, asked.seed + asked.films)
        films = [join_pieces(sources, _JOINS, worn, seed) for seed in seeds]
        kinds = " | ".join(KINDS)
        print(f"| {'worn' if worn else 'clean'} | precision | recall | {kinds} | frames/s |")
        print("|---|" + "--:|" * (3 + len(KINDS)))
        for name, make in WAYS.items():
            print(row(name, make(), films), flush=True)


if __name__ == "__main__":
    main()
