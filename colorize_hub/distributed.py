"""`python -m colorize_hub.distributed IN OUT`: a Parquet dataset in colour, by many workers.

The workers are on this machine, or on a Ray cluster whose machines all see IN and OUT. What is
written is not done again, by this run or the next.
"""

import logging
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import arg

from colorize_hub.atomic import remove_leftovers
from colorize_hub.batch.cluster import Cluster, color_shards
from colorize_hub.batch.options import Options
from colorize_hub.batch.shards import Shard, plan_shards, read_finished
from colorize_hub.cli.flags import Flag, ModelName, Recolor, Vividness, WorkingSize
from colorize_hub.cli.output import check_report, show_any_name, write_report

logger = logging.getLogger("colorize_hub.distributed")


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
    keep_toning: Flag = False,
    recolor: Recolor = False,
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
        keep_toning: Lay the colours over the tint of sepia and other toned prints.
        recolor: Colour also pictures that have colours; without this flag they stay as they are.
        rows: Rows of a shard, at most: what is done again at worst when a worker dies.
        report: File to write figures and errors to, as JSON.
    """
    check_report(report)
    options = Options(vividness, size, keep_toning, recolor)
    shards = plan_shards(source, target, options, model=model, column=column, rows=rows)
    waiting = [shard for shard in shards if not Path(shard.target).exists()]
    logger.info("%d shards, %d are done already", len(shards), len(shards) - len(waiting))
    spans = []
    for span in color_shards(waiting, model, options, Cluster(workers, cpus, gpus, address)):
        spans.append(span)
        logger.info("%d of %d shards are done", len(spans), len(waiting))
    for folder in {Path(shard.target).parent for shard in waiting}:
        remove_leftovers(folder, time.time())
    facts = {"model": model or "built-in", "workers": workers, **_facts(shards, waiting, spans)}
    if report is not None:
        write_report(report, facts)
    for error in facts["errors"]:
        logger.warning("Failed: %(file)s, row %(row)d: %(error)s", error)
    logger.info("Coloured %(coloured)d pictures, %(pictures_per_second).1f a second", facts)
    if facts["errors"]:
        sys.exit(1)


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
    show_any_name()
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
