"""Shards coloured by many workers: Ray Data actors, on this machine or on a cluster.

Each loads the model once and takes shards. A worker that dies is replaced and its shard begun anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from colorize_hub.batch.options import Options
from colorize_hub.batch.shards import Shard, color_shard
from colorize_hub.loading import load

if TYPE_CHECKING:
    import numpy as np

_GPU_BATCH = 16
_STORE_BYTES = 100 * 2**20  # only numbers of shards go through Ray


@dataclass(frozen=True)
class Cluster:
    """The workers: how many, what each has, at which address; None starts a Ray of their own."""

    count: int
    cpus: int
    gpus: float
    address: str | None


def color_shards(
    shards: Sequence[Shard], model: str | None, options: Options, cluster: Cluster
) -> Iterator[dict[str, float]]:
    """Have shards coloured; yields when each "began" and "ended", of time.time, as it is done.

    Raises:
        ValueError: Ray is missing.
    """
    if not shards:
        return
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ValueError("distributed needs Ray Data: pip install 'colorize-hub[ray]'") from error
    load(model)  # what is wrong with a model is said here, and downloads happen once
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    own: dict[str, Any] = {
        "num_cpus": cluster.count * cluster.cpus,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
    }
    own = {} if cluster.address else own
    ray.init(cluster.address or "local", logging_level=logging.WARNING, **own)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        numbers = [{"id": number} for number in range(len(shards))]
        spans = ray.data.from_items(numbers, override_num_blocks=len(shards)).map_batches(
            _ShardActor,
            fn_constructor_args=(shards, model, options, cluster.cpus),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=cluster.count),
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus or None,
        )
        yield from spans.iter_rows()
    finally:
        ray.shutdown()


class _ShardActor:
    """An actor: the model, loaded once, and what it does with shards."""

    def __init__(
        self, shards: Sequence[Shard], model: str | None, options: Options, cpus: int
    ) -> None:
        self._shards, self._options, self._cpus = shards, options, cpus
        self._colorizer = load(model)
        alone = self._colorizer.engine.side_by_side
        self._batch = 1 if alone else _GPU_BATCH
        self._workers = 1 if alone else max(2, cpus)  # files are read and written meanwhile

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[float]]:
        """Colour the shards of these numbers."""
        self._colorizer.engine.use_threads(self._cpus)
        spans: dict[str, list[float]] = {"began": [], "ended": []}
        for number in batch["id"].tolist():
            spans["began"].append(time.time())
            color_shard(
                self._colorizer,
                self._shards[number],
                self._options,
                workers=self._workers,
                batch=self._batch,
            )
            spans["ended"].append(time.time())
        return spans
