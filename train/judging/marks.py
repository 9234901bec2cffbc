"""What do marks and keyframes do to a film? Run by `train.evaluate --video CLIPS --marks N`.

A film is made grey and coloured without help, with a few marks on one frame, and with that frame
in its true colours as a keyframe. The marks are set one after the other where the frame, coloured
with those before, is most wrong over some way: as a person would, who knows the true colours.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.inference.frames import Frame
from colorize_hub.inference.tracking import small_grey
from colorize_hub.video.cuts import FilmIndex
from colorize_hub.video.keyframes import places_of
from colorize_hub.video.reader import ClipFacts
from colorize_hub.video.tracking import TrackedHint, track_hints
from train.judging.flicker import warping_error
from train.judging.hint_curve import PATCH, hint_delta_e, patch_hints
from train.judging.marked_films import MarkedFilm, passing_thing, turning_still
from train.judging.metrics import ciede2000, to_lab
from train.judging.pictures import square, to_batch, to_grey
from train.judging.steadiness import Steadiness, open_clips

Scores = dict[str, float]
WITHIN = 4.0  # CIEDE2000 to a mark's colour that counts as held
OUTSIDE = 6  # pixels beyond its thing that a colour may reach
_OVER = 12.0  # pixels over which it must be wrong to be marked: deviation of a Gaussian


def judge_marks(
    colorizer: Colorizer, marked: MarkedFilm, count: int, how: Steadiness
) -> dict[str, float]:
    """Return what marks, and a keyframe, do to one film.

    Args:
        colorizer: as a user would load it.
        marked: the film.
        count: of marks.
        how: it is coloured.

    Returns:
        ciede2000_ and warping_error_ of each version (none, marks, keyframe); ciede2000_ends_ of
        its first and last frame; where the motion is known, places (how many times a mark could be
        seen), held (share of these where its colour is within 4 CIEDE2000 of it) and silent; where
        there is a thing, strays (places of its marks more than 6 pixels outside it), and
        outside_none and outside_marks: CIEDE2000 more than 6 pixels outside it, in the last frame.
    """
    film, greys = marked.film, [to_grey(frame) for frame in marked.film.frames]
    truth, size = film.frames[marked.marked], (greys[0].shape[1], greys[0].shape[0])
    small = [small_grey(Image.fromarray(grey)) for grey in greys]
    thing = None if marked.things is None else marked.things[marked.marked]
    hints = worst_places(colorizer, greys[marked.marked], truth, count, how, thing)
    carried = track_hints(small, [(marked.marked, hint) for hint in hints], size)
    places = [(marked.marked, hint) for hint in places_of(truth, _index(size, len(greys)))]
    versions = {
        "none": _coloured(colorizer, greys, [], how),
        "marks": _coloured(colorizer, greys, carried, how),
        "keyframe": _coloured(colorizer, greys, track_hints(small, places, size, look=False), how),
    }
    found: Scores = {}
    for name, frames in versions.items():
        each = [_delta_e(one, true) for one, true in zip(frames, film.frames, strict=True)]
        found[f"ciede2000_{name}"] = float(np.mean([one.mean() for one in each]))
        found[f"ciede2000_ends_{name}"] = float((each[0].mean() + each[-1].mean()) / 2)
        error = warping_error(to_batch(frames), film.flow, film.seen)
        found[f"warping_error_{name}"] = error
        if marked.things is not None and name != "keyframe":
            beyond = ~_widened(marked.things[-1])
            found[f"outside_{name}"] = float(each[-1][beyond].mean())
    found |= _held(marked, carried, versions["marks"], greys)
    return {name: round(value, 6) for name, value in found.items()}


def judge_marked_films(
    colorizer: Colorizer, films: Mapping[str, Iterable[MarkedFilm]], count: int, how: Steadiness
) -> dict[str, Any]:
    """Return the content of marks.json: of each kind of film, the means and every film's scores."""
    found: dict[str, Any] = {"marks": count, "size": how.size or colorizer.config.size}
    for kind, drawn in films.items():
        each = {one.film.name: judge_marks(colorizer, one, count, how) for one in drawn}
        if each:
            names = next(iter(each.values()))
            means = {name: float(np.mean([one[name] for one in each.values()])) for name in names}
            found[kind] = {"films": len(each), "mean": means, "each": each}
    return found


def marks_table(found: Mapping[str, Any]) -> str:
    """Return the means as Markdown."""
    lines = [
        "| | CIEDE2000 | with marks | with a keyframe | first and last frame | with marks |"
        " warping error with marks | marks held | outside | with marks |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind in ("clips", "stills", "scenes"):
        if kind not in found:
            continue
        mean, films = found[kind]["mean"], found[kind]["films"]
        none, marks, frame = (mean[f"ciede2000_{one}"] for one in ("none", "marks", "keyframe"))
        ends, ends_marks = mean["ciede2000_ends_none"], mean["ciede2000_ends_marks"]
        steady = mean["warping_error_marks"] / mean["warping_error_none"]
        held = f"{mean['held']:.0%}" if "held" in mean else ""
        outside = [mean.get(f"outside_{one}") for one in ("none", "marks")]
        beyond = " | ".join("" if one is None else f"{one:.1f}" for one in outside)
        lines.append(
            f"| {films} {kind} | {none:.1f} | {marks:.1f} ({marks / none - 1:+.0%}) | {frame:.1f}"
            f" ({frame / none - 1:+.0%}) | {ends:.1f} | {ends_marks:.1f}"
            f" ({ends_marks / ends - 1:+.0%}) | x {steady:.2f} | {held} | {beyond} |"
        )
    return "\n".join(lines)


def worst_places(
    colorizer: Colorizer,
    grey: np.ndarray,
    truth: np.ndarray,
    count: int,
    how: Steadiness,
    within: np.ndarray | None = None,
) -> list[Hint]:
    """Return true colours at the places where a frame is most wrong, one after the other.

    Args:
        colorizer: colours it with the marks that there are already.
        grey: (H, W) uint8.
        truth: (H, W, 3) uint8.
        count: how many.
        how: it is coloured.
        within: (H, W) bool, where they may lie; None is all over.
    """
    canvas, hints = colorizer.canvas(grey, how.size), []
    allowed = np.zeros(grey.shape, bool)
    allowed[PATCH:-PATCH, PATCH:-PATCH] = True
    if within is not None:
        allowed &= within & ~_widened(~within)
    for _ in range(count):
        wrong = _delta_e(np.asarray(canvas.render(hints, how.vividness)), truth)
        wide = np.where(allowed, cv2.GaussianBlur(wrong, (0, 0), _OVER), -1)
        y, x = np.unravel_index(int(wide.argmax()), wide.shape)
        hints += patch_hints(truth, [int(y) - PATCH // 2], [int(x) - PATCH // 2])
    return hints


def open_marked(
    clips: Path, pictures: Iterable[np.ndarray], most: int
) -> dict[str, Iterator[MarkedFilm]]:
    """Return films by the kind they are shown under.

    Args:
        clips: folder, as for `open_films`; they are marked in the middle.
        pictures: (H, W, 3) uint8; each becomes a turning still, and each but the first the ground
            over which a piece of the one before passes.
        most: frames of a clip, and of a still.
    """
    squares = [square(picture) for picture in pictures]
    pairs = enumerate(pairwise(squares))
    return {
        "clips": (MarkedFilm(one, len(one.frames) // 2) for one in open_clips(clips, most)),
        "stills": (turning_still(one, seed, most) for seed, one in enumerate(squares)),
        "scenes": (passing_thing(ground, thing, seed, 61) for seed, (thing, ground) in pairs),
    }


def _held(
    marked: MarkedFilm,
    carried: Sequence[TrackedHint],
    shown: Sequence[np.ndarray],
    greys: Sequence[np.ndarray],
) -> Scores:
    if marked.whereabouts is None:
        return {}
    off, silent, strays = [], 0, 0
    for one in carried:
        place = one.hint.x, one.hint.y
        for frame, rgb in enumerate(shown):
            at = one.at(frame)
            if at is not None and marked.things is not None:
                strays += not _widened(marked.things[frame])[int(at.y), int(at.x)]
            true = marked.whereabouts(place, frame)
            if true is not None:
                there = Hint(*true, one.hint.rgb)
                off.append(hint_delta_e(rgb, greys[frame], [there]))
                silent += at is None
    share = float(np.mean(np.array(off) <= WITHIN))
    found: Scores = {"places": len(off), "held": share, "silent": silent / len(off)}
    return found | ({} if marked.things is None else {"strays": strays})


def _coloured(
    colorizer: Colorizer,
    greys: Sequence[np.ndarray],
    carried: Sequence[TrackedHint],
    how: Steadiness,
) -> list[np.ndarray]:
    frames = (
        Frame(
            grey,
            [hint for one in carried if (hint := one.at(number)) is not None],
            how.vividness,
            how.size,
            carried=True,
        )
        for number, grey in enumerate(greys)
    )
    return [
        np.asarray(one) for one in colorizer.colorize_frames(frames, how.smoothing, how.look_ahead)
    ]


def _delta_e(rgb: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(H, W) CIEDE2000."""
    one, other = (to_lab(to_batch([picture])) for picture in (rgb, truth))
    return ciede2000(one, other).numpy().reshape(truth.shape[:2]).astype(np.float32)


def _widened(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool, with all that lies up to OUTSIDE pixels outside of it."""
    side = 2 * OUTSIDE + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), disc).astype(bool)


def _index(size: tuple[int, int], frames: int) -> FilmIndex:
    """Index of a film that is in memory, of one shot."""
    rate, (width, height) = Fraction(25), size
    clip = ClipFacts(Path("film"), 1 / rate, rate, frames, None, height, width, Fraction(1))
    return FilmIndex(clip, range(frames), frames, ())
