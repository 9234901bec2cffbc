"""What happens to one picture on its way into a batch: crop, flip, simulated hints, loss cells.

Every function takes the random generator of its picture, which is a function of the seed and the
picture's position in the run alone: nothing depends on workers, processes or restarts.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image

from colorize_hub.hints.hint import HINT_STRIDE

_LEAST_CROP = 0.6  # of the short side: smaller crops lose the scene
_STOP = 1 / 8  # geometric law of the number of clicks (Zhang et al. 2017, "Real-Time User-Guided")
_MOST_HINTS = 128


class Crop(NamedTuple):
    """A square of a picture, in pixels, and whether it is turned left to right."""

    top: int
    left: int
    side: int
    flipped: bool


def draw_crop(height: int, width: int, random: Generator) -> Crop:
    """Draw a square of a picture."""
    side = max(1, round(min(height, width) * random.uniform(_LEAST_CROP, 1.0)))
    top = int(random.integers(height - side + 1))
    left = int(random.integers(width - side + 1))
    return Crop(top, left, side, bool(random.random() < 0.5))


def crop(rgb: np.ndarray, size: int, random: Generator) -> np.ndarray:
    """Cut a random square of (H, W, 3) uint8 as (size, size, 3), flipped or not."""
    top, left, side, flipped = draw_crop(rgb.shape[0], rgb.shape[1], random)
    square = rgb[top : top + side, left : left + side]
    if flipped:
        square = square[:, ::-1]
    if side == size:
        return np.ascontiguousarray(square)
    resized = Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def hint_mask(size: int, share: float, random: Generator) -> np.ndarray:
    """Return simulated hints: bool (size / 4, size / 4), true where a hint reveals the true colour.

    A picture has hints with probability `share`; then their number follows, half of the time, the
    geometric law of Zhang et al. 2017, and otherwise a log-uniform law up to 128. Half of the
    hints lie anywhere, half near the middle; each covers 1 or 2 cells a side.
    """
    cells = size // HINT_STRIDE
    mask = np.zeros((cells, cells), bool)
    if random.random() >= share:
        return mask
    if random.random() < 0.5:
        count = int(random.geometric(_STOP))
    else:
        count = round(_MOST_HINTS ** random.random())
    anywhere = random.random((count, 2))
    central = np.clip(random.normal(0.5, 0.25, (count, 2)), 0, 0.999)
    place = np.where(random.random((count, 1)) < 0.5, anywhere, central) * cells
    reach = random.integers(1, 3, count)
    for (row, column), side in zip(place.astype(int), reach, strict=True):
        mask[row : row + side, column : column + side] = True
    return mask


def loss_cells(size: int, share: float, random: Generator) -> np.ndarray:
    """Return the output cells that enter the loss: int64 (n,), indices into the flattened grid.

    Neighbouring cells say nearly the same, so a quarter of them trains as well as all.
    """
    cells = (size // HINT_STRIDE) ** 2
    return random.permutation(cells)[: max(1, round(cells * share))]
