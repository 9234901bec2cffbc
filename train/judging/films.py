"""Films to judge steadiness on: clips, and windows that pan and zoom over a still picture."""

from contextlib import closing
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize_hub.colour.lab import rgb_to_lightness
from colorize_hub.inference.motion import optical_flow
from colorize_hub.video.reader import probe, read_frames
from train.judging.flicker import visible
from train.judging.pictures import SIDE, to_batch

STILL_FRAMES = 16
_LEAST_FRAMES = 5  # CDC compares frames that lie 4 apart
_FRAMED = 7 / 8  # of the width and height of a still
_WINDOWS = (0.85, 0.97)  # of the width and height of a still: the smallest and the largest window


@dataclass(frozen=True)
class Film:
    """A film with its motion.

    Attributes:
        name: what it shows or where it is from.
        frames: (H, W, 3) uint8, five or more.
        flow: (T - 1, 2, H, W) x and y in pixels by which each pixel moves into the next frame.
        seen: (T - 1, H, W) bool, the pixels that the next frame shows too.
    """

    name: str
    frames: list[np.ndarray]
    flow: Tensor
    seen: Tensor


def read_clip(path: Path, most: int) -> Film:
    """Read the middle of a clip, short side 256 pixels, and find its optical flow.

    Args:
        path: a file that PyAV reads.
        most: frames, which follow each other.

    Raises:
        ModuleNotFoundError: PyAV or OpenCV is missing.
        VideoError: it is no clip.
        ValueError: it has fewer than 5 frames.
    """
    clip = probe(path)
    first = max(0, ((clip.frames or most) - most) // 2)
    with closing(read_frames(clip, skip=first)) as decoded:
        frames = [_small(frame.pixels) for frame in islice(decoded, most)]
    if len(frames) < _LEAST_FRAMES:
        raise ValueError(f"Steadiness needs {_LEAST_FRAMES} frames; got {len(frames)} of {path}.")
    lightness = [rgb_to_lightness(to_batch([frame]).float() / 255) for frame in frames]
    flow, seen = [], []
    for one, following in pairwise(lightness):
        forward = optical_flow(one, following, thorough=True)
        flow.append(forward)
        seen.append(visible(forward, optical_flow(following, one, thorough=True)))
    return Film(path.name, frames, torch.stack(flow), torch.stack(seen))


def moving_still(picture: np.ndarray, seed: int, frames: int = STILL_FRAMES) -> Film:
    """Pan and zoom over a picture at even speed, bicubic.

    Args:
        picture: (H, W, 3) uint8.
        seed: chooses where the window begins and ends, and how large it is there.
        frames: how many.

    Returns:
        The film, 7/8 of the picture's width and height.
    """
    height, width = picture.shape[:2]
    rows, columns = int(height * _FRAMED), int(width * _FRAMED)
    random = np.random.default_rng(seed)
    share = random.uniform(*_WINDOWS, 2)
    corner = random.random((2, 2)) * (1 - share[:, None]) * (width, height)
    ends = np.column_stack((share / _FRAMED, corner))  # scale, left, top
    path = [tuple(ends[0] + (ends[1] - ends[0]) * t / (frames - 1)) for t in range(frames)]
    image = Image.fromarray(np.ascontiguousarray(picture))
    shown = [_through(image, window, (columns, rows)) for window in path]
    y, x = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
    place, extent = torch.stack((x, y)), torch.tensor([columns, rows])[:, None, None]
    flow = torch.stack([_flow(place, *pair) for pair in pairwise(path)])
    target = place + flow
    inside = ((target >= 0.5) & (target <= extent - 0.5)).all(1)
    return Film(f"still {seed}", shown, flow, inside)


def _small(pixels: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 as (h, w, 3), the short side 256 pixels."""
    image = Image.fromarray(pixels).convert("RGB")
    scale = SIDE / min(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def _through(image: Image.Image, window: tuple[float, ...], size: tuple[int, int]) -> np.ndarray:
    """Show a window, given by its scale in picture pixels per film pixel, left and top."""
    scale, left, top = window
    affine = (scale, 0, left, 0, scale, top)
    moved = image.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    return np.asarray(moved)


def _flow(place: Tensor, window: tuple[float, ...], following: tuple[float, ...]) -> Tensor:
    """(2, H, W): by how much what lies at each place moves from one window to the next."""
    (scale, left, top), (next_scale, next_left, next_top) = window, following
    offset = torch.tensor([left - next_left, top - next_top], dtype=torch.float32)[:, None, None]
    return (place * scale + offset) / next_scale - place
