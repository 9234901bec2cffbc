"""Films to judge marks on: of their motion, and of what is a thing in them, everything is known."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from PIL import Image

from train.judging.films import Film

Place = tuple[float, float]

_MARGIN = 4.0  # pixels from the edge within which a place counts as hidden
_SIDE = 224  # of a moving still
_SHARES = (0.6, 0.95)  # of the picture that a window shows
_MOST_TURN = 10.0  # degrees
_THING = 88  # pixels: side of the thing that passes


@dataclass(frozen=True)
class MarkedFilm:
    """A film to mark.

    Attributes:
        film: it.
        marked: number of the frame that the marks are set on.
        whereabouts: of a place of that frame, in another: x and y, or None where it is hidden; None
            where the motion is not known.
        things: (T, H, W) bool, the thing that passes; None where there is none.
    """

    film: Film
    marked: int
    whereabouts: Callable[[Place, int], Place | None] | None = None
    things: np.ndarray | None = None


def turning_still(picture: np.ndarray, seed: int, frames: int) -> MarkedFilm:
    """Pan, zoom and turn over a picture at even speed, bicubic; marked in the middle.

    Args:
        picture: (H, W, 3) uint8, about square.
        seed: chooses where the window begins and ends, how large it is and how far it turns.
        frames: how many.
    """
    random, (height, width) = np.random.default_rng(seed), picture.shape[:2]
    scale = random.uniform(*_SHARES, 2) * min(height, width) / _SIDE
    turn = np.deg2rad(random.uniform(-_MOST_TURN, _MOST_TURN, 2))
    middle = random.uniform(0.4, 0.6, (2, 2)) * (width, height)
    poses = []
    for share in np.linspace(0, 1, frames):
        size, angle, at = (ends[0] + (ends[1] - ends[0]) * share for ends in (scale, turn, middle))
        cosine, sine = size * np.cos(angle), size * np.sin(angle)
        about = np.array([[cosine, -sine], [sine, cosine]])
        poses.append(np.column_stack((about, at - about @ [_SIDE / 2, _SIDE / 2])))
    image = Image.fromarray(np.ascontiguousarray(picture))
    shown = [_through(image, pose) for pose in poses]
    film = Film(f"still {seed}", shown, *_flows(poses))
    marked = frames // 2

    def whereabouts(place: Place, frame: int) -> Place | None:
        there = _moved(np.array(place), poses[marked], poses[frame])
        return _visible(there, (_SIDE, _SIDE))

    return MarkedFilm(film, marked, whereabouts)


def passing_thing(ground: np.ndarray, thing: np.ndarray, seed: int, frames: int) -> MarkedFilm:
    """Let a round piece of one picture go over another one, which pans; marked on frame 0.

    Args:
        ground: (H, W, 3) uint8, of 256 pixels a side or more.
        thing: likewise.
        seed: chooses the directions.
        frames: how many.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:_THING, :_THING] - (_THING - 1) / 2
    round_ = x**2 + y**2 < (_THING / 2) ** 2
    top, left = (np.array(thing.shape[:2]) - _THING) // 2
    piece = thing[top : top + _THING, left : left + _THING]
    room = _SIDE - _THING
    path = np.linspace(random.uniform(0, 0.3, 2), random.uniform(0.6, 1, 2), frames) * room
    path = path.round().astype(int)  # x and y of its corner
    pan = np.linspace((0, 0), np.array(ground.shape[1::-1]) - _SIDE, frames).round().astype(int)
    shown, masks = [], np.zeros((frames, _SIDE, _SIDE), bool)
    for (x0, y0), (across, down), mask in zip(path, pan, masks, strict=True):
        frame = ground[down : down + _SIDE, across : across + _SIDE].copy()
        mask[y0 : y0 + _THING, x0 : x0 + _THING] = round_
        frame[y0 : y0 + _THING, x0 : x0 + _THING][round_] = piece[round_]
        shown.append(frame)
    flow, seen = _scene_flows(path, pan, masks)
    film = Film(f"scene {seed}", shown, flow, seen)

    def whereabouts(place: Place, frame: int) -> Place | None:
        on_thing = masks[0, int(place[1]), int(place[0])]
        shift = path[frame] - path[0] if on_thing else pan[0] - pan[frame]
        there = _visible(np.array(place) + shift, (_SIDE, _SIDE))
        if there is not None and not on_thing and masks[frame, int(there[1]), int(there[0])]:
            return None
        return there

    return MarkedFilm(film, 0, whereabouts, masks)


def _through(image: Image.Image, pose: np.ndarray) -> np.ndarray:
    """Show what a window shows; `pose` leads from its pixels to those of the picture."""
    how = Image.Transform.AFFINE, tuple(pose.ravel()), Image.Resampling.BICUBIC
    return np.asarray(image.transform((_SIDE, _SIDE), *how))


def _moved(place: np.ndarray, pose: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(..., 2) places of one window in another one."""
    there = place @ pose[:, :2].T + pose[:, 2] - other[:, 2]
    return there @ np.linalg.inv(other[:, :2]).T


def _visible(place: np.ndarray, size: tuple[int, int]) -> Place | None:
    inside = (place >= _MARGIN).all() and (place <= np.array(size) - _MARGIN).all()
    return (float(place[0]), float(place[1])) if inside else None


def _flows(poses: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Flow and what is seen on, as Film has them."""
    x, y = np.meshgrid(np.arange(_SIDE) + 0.5, np.arange(_SIDE) + 0.5)
    place = np.stack((x, y), -1)
    there = np.stack([_moved(place, *pair) for pair in pairwise(poses)])
    inside = ((there >= 0.5) & (there <= _SIDE - 0.5)).all(-1)
    return torch.from_numpy(there - place).movedim(-1, 1).float(), torch.from_numpy(inside)


def _scene_flows(
    path: np.ndarray, pan: np.ndarray, masks: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    y, x = np.mgrid[:_SIDE, :_SIDE]
    flows, seen = [], []
    for t, mask in enumerate(masks[:-1]):
        of_thing, of_ground = path[t + 1] - path[t], pan[t] - pan[t + 1]
        flow = np.where(mask[..., None], of_thing, of_ground)
        to = np.stack((x, y), -1) + flow
        inside = ((to >= 0) & (to < _SIDE)).all(-1)
        there = to.clip(0, _SIDE - 1)
        flows.append(flow)
        seen.append(inside & (masks[t + 1][there[..., 1], there[..., 0]] == mask))
    stacked = torch.from_numpy(np.stack(flows)).movedim(-1, 1).float()
    return stacked, torch.from_numpy(np.stack(seen))
