"""Marks carried through a shot: ways to follow them, where the motion is known. Markdown tables.

    python -m bench.following PICTURES.parquet [--films N] [--marks N] [--seed N]

Shots are stills that are panned, zoomed and turned, marked in their middle, and scenes in which a
round thing passes over a ground that pans, marked at the first frame, every other mark on the
thing. A mark is right where it speaks within 4 of 224 pixels of its true place, of those whose
place can be seen then. Worn shots flicker and have grain. Time is of the CPU.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image

from colorize_hub.engines.compose import pixels_to_lightness
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.inference.motion import load_opencv
from colorize_hub.inference.tracking import Tracker, small_grey
from colorize_hub.loading import load
from colorize_hub.video.tracking import track_hints
from train.judging.marked_films import MarkedFilm, passing_thing, turning_still
from train.judging.pictures import read_pictures, square, to_grey

Tracks = tuple[np.ndarray, np.ndarray]  # (T, N, 2) places in the pixels of the shot; (T, N) spoken
Way = Callable[[Sequence[np.ndarray], int, np.ndarray], Tracks]
Step = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # frame, next, places -> places

AFTER = (30, 60, 100)  # frames
_NEAR = 4.0  # pixels
_ASTRAY = 1.0  # pixels by which the way back may miss
_EDGE = 12  # pixels from it within which nothing is marked
_FLICKER, _GRAIN = 0.05, 6.0  # share of the light; levels
_WINDOW = (17, 17)
_MAP_REACH = 3  # cells of the network's map between two frames
_MAP_ASTRAY = 1.5  # likewise, by which the way back may miss


def by_steps(step: Step) -> Way:
    """Return what goes from frame to frame, and is silent from where the way back misses."""

    def way(frames: Sequence[np.ndarray], marked: int, places: np.ndarray) -> Tracks:
        small, scale = _small(frames)
        found, seen = _empty(frames, places)
        for order in _orders(len(frames), marked):
            now, sure = (places * scale - 0.5).astype(np.float32), np.ones(len(places), bool)
            for one, following in pairwise(order):
                there = step(small[one], small[following], now)
                back = step(small[following], small[one], there)
                inside = ((there > -0.5) & (there < np.array(small[0].shape[::-1]) - 0.5)).all(1)
                sure &= (np.hypot(*(back - now).T) < _ASTRAY) & inside
                now = np.where(sure[:, None], there, now)
                found[following], seen[following] = (now + 0.5) / scale, sure
        found[marked], seen[marked] = places, True
        return found, seen

    return way


def lucas_kanade(one: np.ndarray, following: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Pyramidal Lucas-Kanade (Bouguet 2000)."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(  # pyright: ignore[reportCallIssue]
        one,
        following,
        places.astype(np.float32),
        None,  # pyright: ignore[reportArgumentType]
        winSize=_WINDOW,
        maxLevel=3,
    )
    return np.where(found == 0, np.inf, there)


def dense_flow(one: np.ndarray, following: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Dense inverse search (Kroeger et al. 2016), as the judge of steady colour has it."""
    search = load_opencv().DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(one, following, None)
    x, y = places.T.astype(np.float32)
    return places + cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]


def by_correlation(frames: Sequence[np.ndarray], marked: int, places: np.ndarray) -> Tracks:
    """Follow as the live picture does."""
    small, _ = _small(frames)
    height, width = frames[0].shape[:2]
    found, seen = _empty(frames, places)
    for number, (x, y) in enumerate(places):
        for order in _orders(len(frames), marked):
            tracker = Tracker(small[marked], x / width, y / height)
            for frame in order[1:]:
                tracker.follow(small[frame])
                found[frame, number] = np.array(tracker.place) * (width, height)
                seen[frame, number] = tracker.seen
    found[marked], seen[marked] = places, True
    return found, seen


def by_maps(colorizer: Colorizer) -> Way:
    """Return what looks for the mark's own entry in the decoder's last map, by its cosine."""

    def way(frames: Sequence[np.ndarray], marked: int, places: np.ndarray) -> Tracks:
        maps = [_map(colorizer, frame) for frame in frames]
        scale = np.array(maps[0].shape[1::-1]) / frames[0].shape[1::-1]
        found, seen = _empty(frames, places)
        for order in _orders(len(frames), marked):
            for number, place in enumerate(places * scale - 0.5):
                first, now = _read(maps[marked], place), place
                for one, following in pairwise(order):
                    there = _best(maps[following], first, now)
                    back = _best(maps[one], _read(maps[following], there), there)
                    seen[following, number] = np.hypot(*(back - now)) < _MAP_ASTRAY
                    now = there if seen[following, number] else now
                    found[following, number] = (now + 0.5) / scale
        found[marked], seen[marked] = places, True
        return found, seen

    return way


def by_library(frames: Sequence[np.ndarray], marked: int, places: np.ndarray) -> Tracks:
    """Follow as films with hints are coloured."""
    small, _ = _small(frames)
    marks = [(marked, Hint(float(x), float(y), (0, 0, 0))) for x, y in places]
    height, width = frames[0].shape[:2]
    tracks = track_hints(small, marks, (width, height))
    return np.stack([one.places for one in tracks], 1), np.stack([one.seen for one in tracks], 1)


def shots(pictures: list[np.ndarray], worn: bool, seed: int) -> Iterator[MarkedFilm]:
    """Yield a still of each picture, and a scene of each but the first over the one before."""
    random, most = np.random.default_rng(seed), max(AFTER)
    squares = [square(picture) for picture in pictures]
    stills = (turning_still(one, seed + i, 2 * most + 1) for i, one in enumerate(squares))
    scenes = (
        passing_thing(ground, thing, seed + i, most + 1)
        for i, (thing, ground) in enumerate(pairwise(squares))
    )
    for made in (*stills, *scenes):
        greys = [to_grey(frame) for frame in made.film.frames]
        made.film.frames[:] = [_worn(grey, random) for grey in greys] if worn else greys
        yield made


def row(name: str, way: Way, marked: Iterable[tuple[MarkedFilm, np.ndarray]]) -> str:
    """Return a line of the table."""
    right: dict[int, list[bool]] = {after: [] for after in AFTER}
    hidden, spent, count = [], 0.0, 0
    for shot, places in marked:
        start = time.process_time()
        found, seen = way(shot.film.frames, shot.marked, places)
        spent, count = spent + time.process_time() - start, count + len(seen)
        for number, place in enumerate(places):
            for frame in range(len(seen)):
                true = _whereabouts(shot, place, frame)
                if true is None:
                    hidden.append(bool(seen[frame, number]))
                elif (after := abs(frame - shot.marked)) in right:
                    near = np.hypot(*(found[frame, number] - true)) < _NEAR
                    right[after].append(bool(seen[frame, number] and near))
    shares = " | ".join(f"{np.mean(right[after]):.0%}" for after in AFTER)
    return f"| {name} | {shares} | {np.mean(hidden):.0%} | {spent / count * 1e5:.0f} |"


def place_marks(shot: MarkedFilm, count: int, seed: int) -> np.ndarray:
    """(N, 2) places of the marked frame, at random; every other one on the thing, if there is."""
    random = np.random.default_rng(seed)
    height, width = shot.film.frames[0].shape[:2]
    places: list[np.ndarray] = []
    while len(places) < count:
        place = random.uniform(_EDGE, (width - _EDGE, height - _EDGE))
        on_thing = (
            shot.things is not None and shot.things[shot.marked][int(place[1]), int(place[0])]
        )
        if shot.things is None or on_thing == (len(places) % 2 == 0):
            places.append(place)
    return np.array(places)


def _whereabouts(shot: MarkedFilm, place: np.ndarray, frame: int) -> np.ndarray | None:
    assert shot.whereabouts is not None
    true = shot.whereabouts((float(place[0]), float(place[1])), frame)
    return None if true is None else np.array(true)


def _orders(count: int, marked: int) -> tuple[list[int], list[int]]:
    return list(range(marked, count)), list(range(marked, -1, -1))


def _small(frames: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    small = [small_grey(Image.fromarray(frame)) for frame in frames]
    return small, np.array(small[0].shape[::-1]) / frames[0].shape[1::-1]


def _empty(frames: Sequence[np.ndarray], places: np.ndarray) -> Tracks:
    return np.zeros((len(frames), *places.shape)), np.zeros((len(frames), len(places)), bool)


def _worn(grey: np.ndarray, random: np.random.Generator) -> np.ndarray:
    light = 1 + random.uniform(-_FLICKER, _FLICKER)
    return (grey * light + random.normal(0, _GRAIN, grey.shape)).round().clip(0, 255).astype("u1")


def _map(colorizer: Colorizer, frame: np.ndarray) -> np.ndarray:
    """(h, w, C) of the decoder's last map, each entry of length 1."""
    engine = colorizer.engine
    seen = engine.see(engine.asarray(pixels_to_lightness(frame[..., None])[None]))
    rows, columns = seen.plain.shape[2:]
    entries = np.asarray(seen.cells(0).maps).reshape(rows, columns, -1)
    return entries / np.linalg.norm(entries, axis=-1, keepdims=True)


def _read(entries: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(C,) bilinear."""
    x, y = place.clip(0, np.array(entries.shape[1::-1]) - 1)
    left, top = min(int(x), entries.shape[1] - 2), min(int(y), entries.shape[0] - 2)
    across, down = np.array([1 - (x - left), x - left]), np.array([1 - (y - top), y - top])
    return np.einsum("y,x,yxc->c", down, across, entries[top : top + 2, left : left + 2])


def _best(entries: np.ndarray, wanted: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(2,) x and y where an entry fits best near a place, to a part of a cell by a parabola."""
    size = np.array(entries.shape[1::-1])
    low = np.maximum(np.rint(near).astype(int) - _MAP_REACH, 0)
    high = np.minimum(np.rint(near).astype(int) + _MAP_REACH + 1, size)
    fit = entries[low[1] : high[1], low[0] : high[0]] @ wanted
    y, x = np.unravel_index(int(fit.argmax()), fit.shape)
    across, down = _peak(fit[y], int(x)), _peak(fit[:, x], int(y))
    return np.array([low[0] + x + across, low[1] + y + down], float)


def _peak(line: np.ndarray, at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = line[at - 1 : at + 2]
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else float((before - after) / (2 * bend))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--films", type=int, default=6)
    parser.add_argument("--marks", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    pictures = list(read_pictures(asked.data, "test", limit=asked.films))
    ways: dict[str, Way] = {
        "Lucas-Kanade, there and back": by_steps(lucas_kanade),
        "dense flow, there and back": by_steps(dense_flow),
        "correlation, as Live has it": by_correlation,
        "the network's last map": by_maps(load()),
        "**films with hints**": by_library,
    }
    for worn in (False, True):
        marked = [
            (shot, place_marks(shot, asked.marks, asked.seed + number))
            for number, shot in enumerate(shots(pictures, worn, asked.seed))
        ]
        after = " | ".join(f"{frames} frames" for frames in AFTER)
        print(f"| {'worn' if worn else 'clean'} | {after} | hidden, but spoken | ms |")
        print("|---|" + "--:|" * (len(AFTER) + 2))
        for name, way in ways.items():
            print(row(name, way, marked), flush=True)


if __name__ == "__main__":
    main()
