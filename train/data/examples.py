"""Pictures dealt out to the steps of a run by position.

The position is the number of a picture in the run, over all epochs and processes. What is at a
position (which picture, crop, flip, hints) follows from the seed and the position alone, so a
resumed run and a run on more processes see exactly the same pictures.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import datasets
import numpy as np
import torch
from datasets.distributed import split_dataset_by_node
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Sampler
from torch.utils.data import Dataset as TorchDataset

from train.data.augment import crop, hint_mask, loss_cells
from train.data.source import Pictures, decode_picture, open_dataset
from train.data.wear import as_seen
from train.run.config import TrainConfig

_SHUFFLE_BUFFER = 1000


@dataclass(frozen=True)
class Share:
    """This process's share of the work: process `rank` of `count`."""

    rank: int = 0
    count: int = 1

    def batch(self, config: TrainConfig) -> int:
        """Pictures of one step that fall to this process."""
        if config.batch % self.count:
            raise ValueError(
                f"--batch {config.batch} cannot be dealt out evenly to {self.count} processes."
            )
        return config.batch // self.count

    def positions(self, step: int, config: TrainConfig) -> Iterator[int]:
        """Positions of this process's pictures from `step` on, to the end of the run."""
        each = self.batch(config)
        for first in range(step * config.batch, config.steps * config.batch, config.batch):
            yield from range(first + self.rank * each, first + (self.rank + 1) * each)


class Example(TypedDict):
    """One picture ready for the network, or a batch of them (B first)."""

    rgb: Tensor  # (3, S, S) uint8
    hint_mask: Tensor  # (1, S / 4, S / 4) bool
    cells: Tensor  # (n,) int64
    read: int | Tensor  # rows read from the source when this one was made
    worn: NotRequired[Tensor]  # (1, S, S) uint8 grey: what the network sees, with --wear


def make_example(rgb: np.ndarray, position: int, config: TrainConfig) -> Example:
    """Crop, flip and hint a decoded picture for its position."""
    random = np.random.default_rng((config.seed, position))
    size = config.size_at(position)
    square = crop(rgb, size, random)
    example: Example = {
        "rgb": torch.from_numpy(square.transpose(2, 0, 1).copy()),
        "hint_mask": torch.from_numpy(hint_mask(size, config.hints, random))[None],
        "cells": torch.from_numpy(loss_cells(size, config.cells, random)),
        "read": position + 1,
    }
    if config.wear:
        example["worn"] = torch.from_numpy(as_seen(square, config.wear, random).copy())[None]
    return example


class Examples(TorchDataset[Example]):
    """Training examples by position; position p shows picture p of an endless shuffle.

    Attributes:
        pictures: how many there are.
        indices: of these in the dataset.
    """

    def __init__(self, pictures: Pictures, indices: np.ndarray, config: TrainConfig) -> None:
        self._pictures, self._config = pictures, config
        self.indices, self.pictures = indices, len(indices)
        self._epoch, self._order = -1, indices

    def __getitem__(self, index: int) -> Example:
        return make_example(self.pixels(self.index_at(index)), index, self._config)

    def index_at(self, position: int) -> int:
        """Which of the dataset's pictures is at a position."""
        epoch, place = divmod(position, len(self.indices))
        if epoch != self._epoch:
            random = np.random.default_rng((self._config.seed, epoch))
            self._epoch, self._order = epoch, random.permutation(self.indices)
        return int(self._order[place])

    def pixels(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8 of one of the dataset's pictures."""
        return self._pictures[index]

    def first(self, count: int) -> Iterator[np.ndarray]:
        """Up to `count` decoded pictures in the fixed order of the split."""
        return (self._pictures[index] for index in self.indices[: max(0, count)])


class StreamedExamples(IterableDataset[Example]):
    """Training examples from this process's share of a stream.

    Resumes exactly by reading past the rows that were read; `read` counts them, epochs and
    dropped rows included.
    """

    def __init__(
        self,
        dataset: datasets.IterableDataset,
        share: Share,
        step: int,
        read: int,
        config: TrainConfig,
    ) -> None:
        self._dataset, self._share, self._config = dataset, share, config
        self._step, self._read = step, read

    def __iter__(self) -> Iterator[Example]:
        positions = self._share.positions(self._step, self._config)
        for position, (read, rgb) in zip(positions, self._unread(), strict=False):
            yield {**make_example(rgb, position, self._config), "read": read}

    def _unread(self) -> Iterator[tuple[int, np.ndarray]]:
        """Usable pictures, epoch after epoch, each with the count of rows read up to it."""
        read = epoch = 0
        while True:
            useful = False
            for row in self._dataset.shuffle(
                self._config.seed + epoch, buffer_size=_SHUFFLE_BUFFER
            ):
                read += 1
                if read <= self._read:
                    useful = True
                    continue
                rgb = decode_picture(row["image"], cached_side(self._config))
                if isinstance(rgb, np.ndarray):
                    useful = True
                    yield read, rgb
            if not useful:
                raise ValueError("The stream holds no usable picture: all are grey or broken.")
            epoch += 1


@dataclass(frozen=True)
class TrainingData:
    """What a run trains on and what it is judged by.

    Attributes:
        source: training examples by position or, when streaming, this process's share of the rows.
        validation: decoded pictures (H, W, 3) uint8 held out of the training.
        description: counts to print and log.
    """

    source: Examples | datasets.IterableDataset
    validation: list[np.ndarray]
    description: str

    def sample(self, count: int) -> Iterator[np.ndarray]:
        """Up to `count` decoded pictures, the same ones each time: validation, then training."""
        yield from self.validation[:count]
        if isinstance(self.source, Examples):
            yield from self.source.first(count - len(self.validation))


def open_training_data(config: TrainConfig, share: Share) -> TrainingData:
    """Open, clean and split the data a run names; see `open_dataset` for what is accepted."""
    opened = open_dataset(
        config.data, config.split, config.column, config.streaming, config.config_name
    )
    if isinstance(opened, datasets.IterableDataset):
        # Dealt out first: skip() after it would leave some of the held-out rows to the others.
        stream = split_dataset_by_node(opened, share.rank, share.count)
        validation = _usable(stream.take(config.validation), config)
        if not validation:
            raise ValueError(
                f"--streaming: the first {config.validation} rows of {config.data} hold no usable "
                "picture to measure colours on; raise --validation."
            )
        stream = stream.skip(config.validation)
        return TrainingData(
            stream, validation, f"streaming {config.data}, {len(validation)} held out"
        )
    pictures = Pictures(opened, cached_side(config))
    training, validation = pictures.split(config.validation, config.seed)
    return TrainingData(
        Examples(pictures, training, config),
        [pictures[index] for index in validation],
        f"{len(training)} pictures to train on, {len(validation)} held out, "
        f"dropped: {dict(pictures.dropped) or 'none'}",
    )


def training_batches(
    data: TrainingData, share: Share, step: int, read: int, config: TrainConfig, workers: int = 1
) -> Iterator[Example]:
    """Batches of this process's share from `step` on, made in worker processes.

    How many of them there are changes nothing but the pace. A stream is always read by one.
    """
    if isinstance(data.source, Examples):
        examples, sampler = data.source, _Positions(share, step, config)
    else:
        examples, sampler = StreamedExamples(data.source, share, step, read, config), None
        workers = 1
    loader = DataLoader(
        examples,
        batch_size=share.batch(config),
        sampler=sampler,
        num_workers=workers,
        prefetch_factor=4,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_outlive_interrupts,
    )
    return iter(loader)


def _outlive_interrupts(worker: int) -> None:
    """Ctrl-C reaches all processes of a terminal; the run stops by itself, then ends its worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Positions(Sampler[int]):
    def __init__(self, share: Share, step: int, config: TrainConfig) -> None:
        self._arguments = share, step, config

    def __iter__(self) -> Iterator[int]:
        share, step, config = self._arguments
        return share.positions(step, config)


def _usable(rows: datasets.IterableDataset, config: TrainConfig) -> list[np.ndarray]:
    decoded = [decode_picture(row["image"], cached_side(config)) for row in rows]
    return [rgb for rgb in decoded if isinstance(rgb, np.ndarray)]


def cached_side(config: TrainConfig) -> int:
    """Short side pictures are decoded to: a little over the largest crop, for room to move."""
    return round(max(config.sizes) * 1.2)
