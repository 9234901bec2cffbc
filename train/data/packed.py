"""Pictures decoded once into the memory of a GPU, and made into batches there.

What is at a position (picture, crop, flip, hints, cells) is drawn as everywhere, see examples.py;
only pixels are computed here, from all pictures in one flat buffer: a crop is resized by gathering
the four neighbours of each of its pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from train.data.augment import Crop, draw_crop, hint_mask, loss_cells
from train.data.examples import Example, Examples, Share
from train.data.wear import Wear, draw_wear, worn_together
from train.run.config import TrainConfig


@dataclass(frozen=True)
class _Plan:
    """What a batch is to be, as far as the host decides it."""

    positions: list[int]
    size: int
    pictures: list[int]  # their numbers in the buffer
    crops: list[Crop]
    wear: list[Wear]
    hint_mask: Tensor
    cells: Tensor


class PackedPictures:
    """All pictures of a training in one uint8 buffer on a device."""

    def __init__(self, examples: Examples, device: torch.device) -> None:
        """Decode and pack them.

        Args:
            examples: names the pictures.
            device: that holds them: height times width times 3 bytes of each.
        """
        self._numbers = {int(index): number for number, index in enumerate(examples.indices)}
        pixels = [examples.pixels(int(index)) for index in examples.indices]
        self.shapes = [(one.shape[0], one.shape[1]) for one in pixels]
        ends = np.cumsum([one.size for one in pixels])
        self._flat = torch.empty(int(ends[-1]), dtype=torch.uint8, device=device)
        for one, end in zip(pixels, ends.tolist(), strict=True):
            there = self._flat[end - one.size : end]
            there.copy_(torch.from_numpy(one.reshape(-1).copy()))
        self._starts = torch.from_numpy(ends - [one.size for one in pixels]).to(device)

    def number(self, index: int) -> int:
        """Return the number in the buffer of one of the dataset's pictures."""
        return self._numbers[index]

    def cut(self, pictures: Sequence[int], crops: Sequence[Crop], size: int) -> Tensor:
        """(B, 3, size, size) uint8: a crop of each of these, resized.

        Where a crop is more than half as large again, so many pixels are averaged.
        """
        device = self._flat.device
        finer = max(1, max(round(crop.side / size) for crop in crops))
        facts = [(*crop, self.shapes[i][1], i) for i, crop in zip(pictures, crops, strict=True)]
        top, left, side, flipped, width, number = torch.tensor(facts, device=device).T
        rows = _places(top, side, size * finer)
        columns = _places(left, side, size * finer)
        columns = torch.where(flipped[:, None] > 0, columns.flip(1), columns)
        (y, below, down), (x, beside, across) = _neighbours(rows), _neighbours(columns)
        below = torch.minimum(below, (top + side - 1)[:, None])
        beside = torch.minimum(beside, (left + side - 1)[:, None])
        start = self._starts[number][:, None, None]

        def at(row: Tensor, column: Tensor) -> Tensor:
            pixel = row[:, :, None] * width[:, None, None] + column[:, None, :]
            place = (start + 3 * pixel)[:, None] + torch.arange(3, device=device)[:, None, None]
            return self._flat[place].float()

        across, down = across[:, None, None, :], down[:, None, :, None]
        upper = torch.lerp(at(y, x), at(y, beside), across)
        lower = torch.lerp(at(below, x), at(below, beside), across)
        whole = torch.lerp(upper, lower, down)
        return F.avg_pool2d(whole, finer).round().to(torch.uint8)


def packed_batches(
    examples: Examples, share: Share, step: int, config: TrainConfig, device: torch.device
) -> Iterator[Example]:
    """Batches of this process's share from `step` on, on the device; see `training_batches`."""
    packed = PackedPictures(examples, device)
    positions = share.positions(step, config)
    with ThreadPoolExecutor(1, "batches") as pool:

        def ahead() -> Future[_Plan | None]:
            following = list(islice(positions, share.batch(config)))
            return pool.submit(_plan, following, examples, packed, config)

        plan = ahead()
        while (ready := plan.result()) is not None:
            plan = ahead()
            yield _made(packed, ready, config)


def _plan(
    positions: list[int], examples: Examples, packed: PackedPictures, config: TrainConfig
) -> _Plan | None:
    """Draw what a batch is to be; None after the last."""
    if not positions:
        return None
    size = config.size_at(positions[0])
    pictures = [packed.number(examples.index_at(position)) for position in positions]
    crops, wear, masks, cells = [], [], [], []
    for position, picture in zip(positions, pictures, strict=True):
        random = np.random.default_rng((config.seed, position))
        crops.append(draw_crop(*packed.shapes[picture], random))
        masks.append(hint_mask(size, config.hints, random))
        cells.append(loss_cells(size, config.cells, random))
        wear.append(draw_wear(config.wear, size, random))
    mask = torch.from_numpy(np.stack(masks))[:, None]
    return _Plan(positions, size, pictures, crops, wear, mask, torch.from_numpy(np.stack(cells)))


def _made(packed: PackedPictures, plan: _Plan, config: TrainConfig) -> Example:
    rgb = packed.cut(plan.pictures, plan.crops, plan.size)
    example: Example = {
        "rgb": rgb,
        "hint_mask": plan.hint_mask,
        "cells": plan.cells,
        "read": plan.positions[-1] + 1,
    }
    if config.wear:
        seed = (config.seed << 40) + plan.positions[0]
        example["worn"] = worn_together(rgb, plan.wear, seed)
    return example


def _places(first: Tensor, side: Tensor, size: int) -> Tensor:
    """(B, size) where the pixels of a resized line lie on the line that it is cut from."""
    middle = (torch.arange(size, device=first.device) + 0.5) / size
    place = first[:, None] + middle * side[:, None] - 0.5
    return torch.maximum(place, first[:, None].float())


def _neighbours(places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, n) pixel before each place, the one after it, and how near the place is to that."""
    before = places.floor()
    return before.long(), before.long() + 1, places - before
