"""`python -m colorize_hub.distributed IN OUT`: a Parquet dataset in colour, by many workers.

Workers are Ray Data actors, on this machine or on a Ray cluster whose machines all see IN and OUT.
Each loads the model once and takes shards (see shards.py). A worker that dies is replaced and its
shard begun anew; what is written is not done again, by this run or the next.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import arg

from colorize_hub.atomic import remove_leftovers, write_atomically
from colorize_hub.batch.shards import Manner, Shard, colour_shard, plan_shards, read_finished
from colorize_hub.cli.flags import Flag, ModelName, Vividness, WorkingSize
from colorize_hub.loading import load

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger("colorize_hub.distributed")

_GPU_BATCH = 16
_STORE_BYTES = 100 * 2**20  # only names of files go through Ray


def distributed(
    source: Annotated[Path, arg(metavar="IN")],
    target: Annotated[Path, arg(metavar="OUT")],
    /,
    *,
    workers: Annotated[int, arg(metavar="N")] = 2,
    cpus: Annotated[int, arg(metavar="N")] = 1,
    gpus: Annotated[float, arg(metavar="N")] = 0,
    address: Annotated[
        str | None, arg(metavar="A", help_behavior_hint="(default: a Ray of its own)")
    ] = None,
    column: Annotated[
        str | None, arg(metavar="C", help_behavior_hint="(default: image, or the only one)")
    ] = None,
    model: ModelName = None,
    vividness: Vividness = None,
    size: WorkingSize = None,
    recolour: Flag = False,
    rows: Annotated[int, arg(metavar="N")] = 256,
    report: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
) -> None:
    """Colour a Parquet dataset with several workers; all other columns are kept.

    Example: python -m colorize_hub.distributed photographs photographs-color --workers 8

    Run it again after it was stopped or killed: finished shards are not done again. Ends with 1 if
    a picture could not be coloured; it is in OUT as it was.

    Args:
        source: Parquet file, or folder of them. It is never changed.
        target: Folder to write to: each file in shards, with all its rows in their order.
        workers: Workers, each with a model of its own.
        cpus: Cores of a worker.
        gpus: GPUs of a worker; 0.5 lets two share one.
        address: Ray cluster to work on, such as "auto".
        column: Column of the pictures: bytes, or a struct with bytes as the Hub has it.
        recolour: Colour also pictures that have colours; without this flag they stay as they are.
        rows: Rows of a shard, at most: what is done again at worst when a worker dies.
        report: File to write figures and errors to, as JSON.
    """
    if report is not None and not report.parent.is_dir():
        raise FileNotFoundError(f"Cannot write {report}: create the folder {report.parent} first.")
    manner = Manner(model, column, vividness, size, recolour)
    shards = plan_shards(source, target, manner, rows)
    waiting = [shard for shard in shards if not Path(shard.target).exists()]
    logger.info("%d shards, %d are done already", len(shards), len(shards) - len(waiting))
    spans = []
    for span in _work(waiting, manner, Workers(workers, cpus, gpus, address)):
        spans.append(span)
        logger.info("%d of %d shards are done", len(spans), len(waiting))
    for folder in {Path(shard.target).parent for shard in waiting}:
        remove_leftovers(folder, time.time())
    facts = {"model": model or "built-in", "workers": workers, **_facts(shards, waiting, spans)}
    if report is not None:
        write_atomically(report, json.dumps(facts, indent=2) + "\n")
    for error in facts["errors"]:
        logger.warning("Failed: %(file)s, row %(row)d: %(error)s", error)
    logger.info("Coloured %(coloured)d pictures, %(pictures_per_second).1f a second", facts)
    if facts["errors"]:
        sys.exit(1)


@dataclass(frozen=True)
class Workers:
    """How many, what each has, and on which Ray cluster; None is one of their own."""

    count: int
    cpus: int
    gpus: float
    address: str | None


class Painter:
    """An actor: the model, loaded once, and what it does with a shard."""

    def __init__(self, manner: Manner, cpus: int) -> None:
        self._manner, self._colorizer = manner, load(manner.model)
        self._cpus = cpus
        self._batch = 1 if self._colorizer.device == "cpu" else _GPU_BATCH

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[float]]:
        """Colour the shards of a batch; returns when each began and ended, as of time.time."""
        self._colorizer.engine.use_threads(self._cpus)
        spans: dict[str, list[float]] = {"began": [], "ended": []}
        for values in zip(*(batch[field.name].tolist() for field in fields(Shard)), strict=True):
            spans["began"].append(time.time())
            colour_shard(self._colorizer, Shard(*values), self._manner, batch=self._batch)
            spans["ended"].append(time.time())
        return spans


def _work(shards: list[Shard], manner: Manner, workers: Workers) -> Iterator[dict[str, float]]:
    """Have the shards coloured; yields when each began and ended, as it is done."""
    if not shards:
        return
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ValueError("distributed needs Ray Data: pip install 'colorize-hub[ray]'") from error
    load(manner.model)  # what is wrong with a model is said here, and downloads happen once
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    own: dict[str, Any] = {
        "num_cpus": workers.count * workers.cpus,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
    }
    own = {} if workers.address else own
    ray.init(workers.address or "local", logging_level=logging.WARNING, **own)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        spans = ray.data.from_items(
            [asdict(shard) for shard in shards], override_num_blocks=len(shards)
        ).map_batches(
            Painter,
            fn_constructor_args=(manner, workers.cpus),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers.count),
            num_cpus=workers.cpus,
            num_gpus=workers.gpus or None,
        )
        yield from spans.iter_rows()
    finally:
        ray.shutdown()


def _facts(
    shards: list[Shard], waiting: list[Shard], spans: list[dict[str, float]]
) -> dict[str, Any]:
    finished = {shard: read_finished(shard) for shard in shards}
    coloured = sum(finished[shard].coloured for shard in waiting)
    began = min((span["began"] for span in spans), default=0.0)
    seconds = max((span["ended"] for span in spans), default=0.0) - began
    return {
        "rows": sum(one.rows for one in finished.values()),
        "shards": len(shards),
        "shards_done_before": len(shards) - len(waiting),
        "coloured": coloured,
        "seconds": round(seconds, 2),
        "pictures_per_second": round(coloured / seconds, 3) if seconds else 0.0,
        "errors": [
            {"file": shard.source, "row": row, "error": reason}
            for shard, one in finished.items()
            for row, reason in one.errors
        ],
    }


def main() -> None:
    """Run the command that sys.argv asks for; exit 1 on an error, 2 on wrong usage, 130 stopped."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        tyro.cli(
            distributed,
            prog="python -m colorize_hub.distributed",
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except (OSError, ValueError) as error:
        sys.exit(f"colorize_hub.distributed: {error}")
    except KeyboardInterrupt:
        logger.info("Stopped; the same command goes on")
        sys.exit(130)


if __name__ == "__main__":
    main()
