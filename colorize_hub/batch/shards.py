"""A Parquet dataset of pictures in colour, in shards that are written whole or not at all.

A shard is a run of rows of one file of the dataset. Where it begins and ends, and so the name of
its output, follows from the dataset alone: whoever colours it, and however often it is begun, there
is one output with its rows in their order.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_hub.atomic import atomic_path, write_atomically
from colorize_hub.batch.archive import Task, color_pictures
from colorize_hub.batch.files import target_name
from colorize_hub.batch.options import Options
from colorize_hub.pictures.formats import suffix_of
from colorize_hub.pictures.opening import open_header

if TYPE_CHECKING:
    import pyarrow.parquet

    from colorize_hub.inference.colorizer import Colorizer

PLAN = "_colouring.json"  # readers of Parquet folders pass over names with an underscore
_NOTE = b"colorize_hub"  # key in a shard's metadata


@dataclass(frozen=True)
class Shard:
    """Rows `first` to `first + rows` of a Parquet file, and the file to write for them.

    Attributes:
        column: that holds the pictures.
    """

    source: str
    first: int
    rows: int
    target: str
    column: str


@dataclass(frozen=True)
class Finished:
    """What became of a shard.

    Attributes:
        rows: in it.
        coloured: of these.
        errors: row of the source file and reason, of pictures that stay as they were.
        seconds: that it took.
    """

    rows: int
    coloured: int
    errors: list[tuple[int, str]]
    seconds: float


def plan_shards(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: Options,
    *,
    model: str | None = None,
    column: str | None = None,
    rows: int = 256,
) -> list[Shard]:
    """Divide a dataset into shards; what is planned is noted in the target, and holds from then on.

    Args:
        source: a Parquet file, or a folder of them, with folders in it.
        target: the folder of the outputs, made if missing, with the tree of the source.
        options: how the pictures are coloured.
        model: as for `load`; None is the built-in one.
        column: of the pictures; None takes "image", or the only one that can be it.
        rows: of a shard, at most.

    Raises:
        FileNotFoundError: there is no such source, or no Parquet file in it.
        ValueError: the target lies in the source or the other way round, rows is less than 1, no
            column can be the pictures, or the target was begun with other data or in another way.
        ModuleNotFoundError: pyarrow is missing.
    """
    source, target = Path(source).expanduser().resolve(), Path(target).expanduser().resolve()
    if rows < 1:
        raise ValueError(f"rows of a shard must be 1 or more, got {rows}.")
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise ValueError(f"{target} and {source} lie in one another; name another folder to write.")
    root = source if source.is_dir() else source.parent
    shards, files = [], {}
    for file in sorted(source.rglob("*.parquet")) if source.is_dir() else [source]:
        name = file.relative_to(root)
        if name.name.startswith(("_", ".")):
            continue
        with _opened(file) as parquet:
            found = _picture_column(parquet.schema_arrow, column)
            count = parquet.metadata.num_rows
        files[name.as_posix()] = count
        for first in range(0, count, rows):
            output = target / name.with_name(f"{name.stem}-{first:09d}.parquet")
            shards.append(Shard(str(file), first, min(rows, count - first), str(output), found))
    if not files:
        raise FileNotFoundError(f"There is no Parquet file in {source}.")
    plan = {"rows": rows, "files": files, "model": model, "column": column, **asdict(options)}
    _hold_to_plan(target, plan)
    return shards


def color_shard(
    colorizer: Colorizer, shard: Shard, options: Options, *, workers: int = 1, batch: int = 1
) -> Finished:
    """Colour the pictures of a shard, unless its output exists; all other columns are kept.

    A picture keeps its format (see files.target_name). One that cannot be coloured stays as it is,
    and is named in the result; the output holds that result, and gives it when asked again.

    Args:
        colorizer: of the model that was planned.
        shard: of `plan_shards`.
        options: as for `plan_shards`.
        workers: threads, see `color_pictures`.
        batch: pictures for the network at once.

    Raises:
        ValueError: a picture failed for another reason than what it is; nothing was written.
    """
    import pyarrow.parquet

    start = time.perf_counter()
    target = Path(shard.target)
    if target.exists():
        return read_finished(shard)
    table = _read_rows(shard)
    values = table.column(shard.column).to_pylist()
    contents = [_content(value) for value in values]
    coloured, errors = _color_contents(colorizer, contents, options, workers, batch)
    values = [
        value if new is None else {**value, "bytes": new} if isinstance(value, dict) else new
        for value, new in zip(values, coloured, strict=True)
    ]
    done = Finished(
        rows=shard.rows,
        coloured=sum(new is not None for new in coloured),
        errors=[(shard.first + row, reason) for row, reason in errors],
        seconds=time.perf_counter() - start,
    )
    position = table.schema.get_field_index(shard.column)
    table = table.set_column(
        position,
        table.schema.field(position),
        pyarrow.array(values, table.schema.field(position).type),
    )
    note = {_NOTE: json.dumps(asdict(done))}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **note})
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as partial, partial.open("xb") as file:
        pyarrow.parquet.write_table(table, file)
    return done


def read_finished(shard: Shard) -> Finished:
    """Return what became of a shard whose output exists."""
    with _opened(Path(shard.target)) as parquet:
        metadata = parquet.schema_arrow.metadata or {}
    if _NOTE not in metadata:
        raise ValueError(f"{shard.target} was not written by this program; move it away.")
    note = json.loads(metadata[_NOTE])
    return Finished(**note | {"errors": [(row, reason) for row, reason in note["errors"]]})


def _hold_to_plan(target: Path, plan: dict[str, Any]) -> None:
    """Note the plan in a new target; in one that was begun, it must be the same."""
    path = target / PLAN
    if path.exists():
        begun = json.loads(path.read_bytes())
        if changed := sorted(key for key in plan if plan[key] != begun.get(key)):
            raise ValueError(
                f"{target} was begun with other {', '.join(changed)}: go on with the same, or name "
                "another folder to write."
            )
        return
    target.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(plan, indent=2) + "\n")


def _picture_column(schema: pyarrow.Schema, wanted: str | None) -> str:
    import pyarrow.types as types

    def can_be(kind: pyarrow.DataType) -> bool:
        if types.is_struct(kind):
            return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
        return types.is_binary(kind) or types.is_large_binary(kind)

    found = [field.name for field in schema if can_be(field.type)]
    wanted = wanted or (found[0] if len(found) == 1 else "image")
    if wanted in found:
        return wanted
    raise ValueError(
        f"Expected a column of pictures {wanted!r}, as bytes or as a struct with bytes; columns of "
        f"this kind are: {', '.join(found) or 'none'}. Name one with --column."
    )


def _read_rows(shard: Shard) -> pyarrow.Table:
    """Return the rows of a shard, from the row groups that hold them."""
    with _opened(Path(shard.source)) as parquet:
        groups, before, start = [], 0, 0
        for index in range(parquet.metadata.num_row_groups):
            end = start + parquet.metadata.row_group(index).num_rows
            if end <= shard.first:
                before = end
            elif start < shard.first + shard.rows:
                groups.append(index)
            start = end
        return parquet.read_row_groups(groups).slice(shard.first - before, shard.rows)


@contextmanager
def _opened(path: Path) -> Iterator[pyarrow.parquet.ParquetFile]:
    """Open a Parquet file of any name; pyarrow itself takes only those that are UTF-8."""
    import pyarrow.parquet

    with path.open("rb") as file:
        yield pyarrow.parquet.ParquetFile(file)


def _content(value: dict[str, Any] | bytes | None) -> bytes | None:
    """Return the encoded picture of a row; b"", which fails, where there is only a path."""
    if isinstance(value, dict):
        return b"" if value["bytes"] is None and value.get("path") else value["bytes"]
    return value


def _color_contents(
    colorizer: Colorizer,
    contents: Sequence[bytes | None],
    options: Options,
    workers: int,
    batch: int,
) -> tuple[list[bytes | None], list[tuple[int, str]]]:
    """Return encoded pictures in colour, None for those left as they are; index and reason."""
    coloured: list[bytes | None] = [None] * len(contents)
    with tempfile.TemporaryDirectory(prefix="colorize-") as folder:
        tasks = {}
        for index, content in enumerate(contents):
            if content is not None:
                source = Path(folder) / f"{index}{_suffix(content)}"
                source.write_bytes(content)
                tasks[source] = Task(source, Path(folder) / "coloured" / target_name(source.name))
        work = color_pictures(colorizer, [*tasks.values()], options, workers=workers, batch=batch)
        outcomes = list(work)
        for outcome in outcomes:
            if outcome.state == "coloured":
                index = int(outcome.source.stem)
                coloured[index] = tasks[outcome.source].target.read_bytes()
    failed = [(int(one.source.stem), one) for one in outcomes if one.state == "failed"]
    if others := [one.error for _, one in failed if not one.unusable]:
        raise ValueError(f"{len(others)} pictures failed, not by their own fault: {others[0]}")
    return coloured, [
        (index, str(one.error).replace(str(one.source), "the picture"))
        for index, one in sorted(failed, key=lambda pair: pair[0])
    ]


def _suffix(content: bytes) -> str:
    """Return the name of a file of this content; .png where colours are not written."""
    try:
        return suffix_of(open_header(io.BytesIO(content), "the picture").format)
    except Exception:  # decoders raise anything; reading it will say what is wrong
        return ".png"
