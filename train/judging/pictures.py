"""Pictures to judge a model on: read from any source, brought to 256x256, made grey, resized."""

import io
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

from colorize_hub.colour.lab import lightness_to_grey, rgb_to_lightness
from colorize_hub.network.working import GRID
from colorize_hub.pictures.picture import PictureError, read_picture
from train.data.source import open_dataset

SIDE = 256
SEED = 0  # which pictures a limit keeps, and which are shown


def read_pictures(
    data: str, split: str, column: str | None = None, limit: int | None = None
) -> Iterator[np.ndarray]:
    """Pictures of any data source that training takes, upright and in sRGB, grey ones included.

    Args:
        data: Hub dataset id, folder of pictures or of parquet files, or a parquet file.
        split: for Hub datasets.
        column: image column; None finds it.
        limit: at most this many, drawn with a fixed seed; None takes all.

    Yields:
        (H, W, 3) uint8. Pictures that cannot be read are left out and counted on the terminal.
    """
    rows = open_dataset(data, split, column, streaming=False)
    if limit is not None and limit < len(rows):  # pyright: ignore[reportArgumentType]
        rows = rows.shuffle(seed=SEED).take(limit)
    broken = 0
    for row in tqdm(rows, unit=" pictures"):
        source = row["image"]["bytes"] or row["image"]["path"]
        try:
            opened = Image.open(io.BytesIO(source)) if isinstance(source, bytes) else source
            pixels = read_picture(opened).pixels
        except (PictureError, OSError):
            broken += 1
            continue
        if pixels.dtype == np.uint16:
            pixels = (pixels // 257).astype(np.uint8)
        yield np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if broken:
        tqdm.write(f"{broken} pictures of {data} could not be read and are left out.")


def square(rgb: np.ndarray) -> np.ndarray:
    """Bring (H, W, 3) uint8 to 256x256: short side to 256 (Lanczos), then the middle."""
    if rgb.shape[:2] == (SIDE, SIDE):
        return rgb
    image = Image.fromarray(np.ascontiguousarray(rgb))
    return np.asarray(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS))


def to_grey(rgb: np.ndarray) -> np.ndarray:
    """Return the 8-bit grey picture (H, W) with the L* of (H, W, 3) uint8."""
    grey = lightness_to_grey(rgb_to_lightness(to_batch([rgb]).float() / 255))
    return (grey[0, 0] * 255).round().byte().numpy()


def to_batch(pictures: Iterable[np.ndarray]) -> Tensor:
    """Pictures (H, W) or (H, W, 3) uint8 of one size to (B, 3, H, W)."""
    colour = [np.broadcast_to(p[..., None], (*p.shape, 3)) if p.ndim == 2 else p for p in pictures]
    return torch.from_numpy(np.stack(colour)).movedim(-1, 1)


def eight_bit(rgb: Tensor) -> Tensor:
    """Whole numbers 0..255, as a viewer's file would hold them.

    Args:
        rgb: (B, 3, H, W) sRGB, uint8 or float 0..1, which is rounded.

    Returns:
        (B, 3, H, W) float64.

    Raises:
        ValueError: the shape or the value range is not as described.
    """
    if rgb.ndim != 4 or rgb.shape[1] != 3:
        raise ValueError(
            f"expected pictures of shape (B, 3, H, W), got {tuple(rgb.shape)}; "
            "move the channels to the second axis and add the batch axis."
        )
    if rgb.dtype == torch.uint8:
        return rgb.double()
    if not rgb.is_floating_point():
        raise ValueError(f"expected uint8 or float pictures, got {rgb.dtype}; convert to uint8.")
    low, high = float(rgb.min()), float(rgb.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"expected float pictures in 0..1, got values {low:.3g}..{high:.3g}; "
            "divide 8-bit values by 255 or pass them as uint8."
        )
    return (rgb.double().clamp(0, 1) * 255).round()


def data_name(data: str) -> str:
    """How data is called in public: a Hub id as it is, a path by its last part less .parquet."""
    return Path(data).name.removesuffix(".parquet") if Path(data).exists() else data


class Sample:
    """A few of a stream of unknown length, each equally likely, always the same (reservoir)."""

    def __init__(self, most: int) -> None:
        """Start with none.

        Args:
            most: how many to keep, 0 or more.
        """
        self._most, self._seen, self._random = most, 0, random.Random(SEED)
        self._kept: list[tuple[int, tuple[np.ndarray, ...]]] = []

    def offer(self, one: tuple[np.ndarray, ...]) -> None:
        """Keep it, or another, or neither."""
        place = self._seen if self._seen < self._most else self._random.randrange(self._seen + 1)
        if place < self._most:
            self._kept[place : place + 1] = [(self._seen, one)]
        self._seen += 1

    def kept(self) -> list[tuple[int, tuple[np.ndarray, ...]]]:
        """Return what is kept with its number in the stream, from 0, in the stream's order."""
        return sorted(self._kept, key=lambda entry: entry[0])


def resized(lightness: Tensor, factor: float) -> Tensor:
    """(B, 1, H, H) to squares of `factor` times the side, in multiples of 32, antialiased."""
    side = max(GRID, round(lightness.shape[-1] * factor / GRID) * GRID)
    return F.interpolate(lightness, size=(side, side), mode="bilinear", antialias=True)
