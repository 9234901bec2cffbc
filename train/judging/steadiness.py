"""How steady are the colours of films? Run by `python -m train.evaluate --video CLIPS`.

Clips, and still pictures that a window pans and zooms over, are made grey and coloured three ways:
frame by frame, steadily as a webcam is, and steadily with frames read ahead as a file is. Beside
them stand the true film, which has noise of its own, and the grey film, which nothing can be below.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from colorize_hub.atomic import write_atomically
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.inference.frames import Frame
from train.judging.films import Film, moving_still, read_clip
from train.judging.flicker import cdc, warping_error
from train.judging.metrics import colorfulness
from train.judging.pictures import square, to_batch, to_grey

Scores = dict[str, float]
STILLS = 24
_BEFORE_A_CUT = 3  # frames
_ENDINGS = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"}


@dataclass(frozen=True)
class Steadiness:
    """How films are coloured.

    Attributes:
        smoothing: as for `Colorizer.colorize_frames`.
        look_ahead: frames read ahead in the last of the three ways.
        size: working short side in pixels; None takes the model's.
        vividness: None takes the model's.
    """

    smoothing: float = 0.8
    look_ahead: int = 8
    size: int | None = None
    vividness: float | None = None


def judge_film(colorizer: Colorizer, film: Film, how: Steadiness) -> dict[str, Scores]:
    """Warping error, CDC and colourfulness of a film in every version.

    Raises:
        ValueError: it has fewer than 5 frames.
    """
    greys = [to_grey(frame) for frame in film.frames]
    versions = {
        "true": film.frames,
        "grey": greys,
        "frame_by_frame": _coloured(colorizer, greys, how, 0, 0),
        "steady": _coloured(colorizer, greys, how, how.smoothing, 0),
        "look_ahead": _coloured(colorizer, greys, how, how.smoothing, how.look_ahead),
    }
    return {name: _score(frames, film) for name, frames in versions.items()}


def judge_cuts(
    colorizer: Colorizer, ends: Sequence[tuple[np.ndarray, list[np.ndarray]]], how: Steadiness
) -> dict[str, int]:
    """Put films one after the other and look at the first frame after each cut.

    Args:
        colorizer: as a user would load it.
        ends: of each film, its first frame and its last frames.
        how: they are coloured.

    Returns:
        `cuts`, and `cuts_fresh`: of these, where that frame is exactly as on its own.
    """
    fresh = 0
    for (_, before), (after, _) in pairwise(ends):
        greys = [to_grey(frame) for frame in (*before, after)]
        last = _coloured(colorizer, greys, how, how.smoothing, 0)[-1]
        alone = colorizer.colorize(greys[-1], vividness=how.vividness, size=how.size)
        fresh += np.array_equal(last, alone)
    return {"cuts": max(0, len(ends) - 1), "cuts_fresh": fresh}


def judge_films(
    colorizer: Colorizer, films: Mapping[str, Iterable[Film]], how: Steadiness
) -> dict[str, object]:
    """Return the content of video.json.

    Args:
        colorizer: as a user would load it.
        films: by the kind they are shown under; drawn one by one.
        how: they are coloured.

    Returns:
        Settings, and for each kind the number of films and frames, the mean over the films of each
        version's scores, and the scores of each film.
    """
    found: dict[str, object] = {
        "size": how.size or colorizer.config.size,
        "smoothing": how.smoothing,
        "look_ahead": how.look_ahead,
    }
    for kind, drawn in films.items():
        each: dict[str, dict[str, Scores]] = {}
        frames, ends = 0, []
        for film in drawn:
            each[film.name] = judge_film(colorizer, film, how)
            frames += len(film.frames)
            ends.append((film.frames[0], film.frames[-_BEFORE_A_CUT:]))
        if each:
            cuts = judge_cuts(colorizer, ends, how)
            means = {version: _mean(each, version) for version in next(iter(each.values()))}
            found[kind] = {
                "films": len(each),
                "frames": frames,
                **cuts,
                "mean": means,
                "each": each,
            }
    return found


def open_films(clips: Path, pictures: Iterable[np.ndarray], most: int) -> dict[str, Iterator[Film]]:
    """Return the films to judge: the clips of a folder, and pictures as moving stills.

    Args:
        clips: folder; files that do not end like a film are passed over.
        pictures: (H, W, 3) uint8.
        most: frames of a clip.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no clip.
    """
    return {
        "clips": open_clips(clips, most),
        "stills": (moving_still(square(picture), seed) for seed, picture in enumerate(pictures)),
    }


def open_clips(clips: Path, most: int) -> Iterator[Film]:
    """Return the clips of a folder; see `open_films`."""
    if not clips.is_dir():
        raise FileNotFoundError(f"--video expects a folder of clips, and {clips} is none.")
    paths = sorted(path for path in clips.iterdir() if path.suffix.lower() in _ENDINGS)
    if not paths:
        raise ValueError(f"{clips} holds no clip; expected files in {', '.join(sorted(_ENDINGS))}.")
    return (read_clip(path, most) for path in paths)


def write_video(found: Mapping[str, object], folder: Path) -> Path:
    """Write video.json into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "video.json"
    write_atomically(path, json.dumps(found, indent=2) + "\n")
    return path


def video_table(found: Mapping[str, Any]) -> str:
    """Return the means as Markdown; errors in units of 10^-4."""
    lines = []
    for kind in ("clips", "stills"):
        if kind not in found:
            continue
        films = found[kind]
        lines += [
            f"{films['films']} {kind}, {films['frames']} frames; first frame after a cut as fresh:"
            f" {films['cuts_fresh']} of {films['cuts']}",
            "",
            "| version | warping error | CDC | colourfulness |",
            "| --- | --- | --- | --- |",
        ]
        for version, scores in films["mean"].items():
            error, consistency, colour = scores.values()
            name = version.replace("_", " ")
            lines.append(f"| {name} | {error * 1e4:.2f} | {consistency * 1e4:.1f} | {colour:.1f} |")
        lines.append("")
    return "\n".join(lines)


def _coloured(
    colorizer: Colorizer, greys: Iterable[np.ndarray], how: Steadiness, smoothing: float, ahead: int
) -> list[np.ndarray]:
    frames = (Frame(grey, vividness=how.vividness, size=how.size) for grey in greys)
    return [np.asarray(one) for one in colorizer.colorize_frames(frames, smoothing, ahead)]


def _score(frames: Sequence[np.ndarray], film: Film) -> Scores:
    rgb = to_batch(frames)
    found = {
        "warping_error": warping_error(rgb, film.flow, film.seen),
        "cdc": cdc(rgb),
        "colorfulness": float(colorfulness(rgb).mean()),
    }
    return {name: round(value, 8) for name, value in found.items()}


def _mean(each: Mapping[str, Mapping[str, Scores]], version: str) -> Scores:
    """Over the films."""
    scores = [judged[version] for judged in each.values()]
    return {name: round(float(np.mean([s[name] for s in scores])), 8) for name in scores[0]}
