"""A folder of pictures as a dataset on the Hub: Parquet files that its viewer shows as pictures."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.hub.commits import Content, commit_files, open_branch
from colorize_hub.hub.remote import check_repo_id, hub_client, hub_errors, patiently
from colorize_hub.pictures.formats import is_read, read_endings

if TYPE_CHECKING:
    from huggingface_hub import HfApi


_SPLIT = "train"
_ROWS = 100  # of a row group: what the viewer reads for one page
_ROW_BYTES = 64 * 2**20
_CARD = """---
{front}---

# {name}

{count:,} pictures, published with [colorize_hub](https://pypi.org/project/colorize-hub/).
Train a colorizer on them with `python -m train --data {repo_id} --output runs/mine`.
"""


@dataclass(frozen=True)
class PictureSet:
    """What was published.

    Attributes:
        url: of the commit.
        pictures: in the dataset.
        left_out: files that look like pictures and cannot be opened.
    """

    url: str
    pictures: int
    left_out: tuple[Path, ...]


def push_pictures(
    folder: str | PathLike[str],
    repo_id: str,
    *,
    private: bool = False,
    token: str | bool | None = None,
    license: str | None = None,
    shard_bytes: int = 400 * 2**20,
) -> PictureSet:
    """Publish a folder of pictures, in one commit; push again to replace them.

    Files go up byte for byte, with their metadata. The card of the dataset is made once; later only
    its counts are renewed.

    Args:
        folder: searched with all folders in it.
        repo_id: "user/dataset"; made if it does not exist.
        private: for a dataset that is made now.
        token: None uses the one of `hf auth login`.
        license: of the pictures, as the Hub spells it, such as cc-by-4.0.
        shard_bytes: about how large each Parquet file gets.

    Raises:
        ModelNotFoundError: there is no such folder, or no picture in it.
        ModelError: pyarrow is missing, the Hub refuses, or somebody else pushed meanwhile.
    """
    check_repo_id(repo_id, "dataset")
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise ModelNotFoundError(f"There is no folder {folder}.")
    client = hub_client(token)
    with tempfile.TemporaryDirectory() as scratch:
        written = _Shards(Path(scratch), shard_bytes)
        left_out = tuple(path for path in _pictures(folder) if not written.add(path, folder))
        shards = written.finish()
        if not written.pictures:
            raise ModelNotFoundError(
                f"{folder} holds no picture that can be opened ({', '.join(read_endings())})."
            )
        with hub_errors(repo_id, None, kind="dataset"):
            parent = open_branch(client, repo_id, kind="dataset", private=private)
            there = patiently(
                lambda: client.list_repo_files(repo_id, repo_type="dataset", revision=parent)
            )
            files: dict[str, Content] = {
                f"data/{_SPLIT}-{index:05d}-of-{len(shards):05d}.parquet": shard
                for index, shard in enumerate(shards)
            }
            files["README.md"] = _card(client, repo_id, there, parent, written, license).encode()
            done = commit_files(
                client,
                repo_id,
                files,
                parent=parent,
                message=f"Push {written.pictures} pictures with colorize_hub",
                kind="dataset",
                replacing=(f"data/{_SPLIT}-",),
            )
    return PictureSet(done.commit_url, written.pictures, left_out)


def _pictures(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if is_read(path) and path.is_file():
            yield path


class _Shards:
    """Parquet files with the one column "image", as the `datasets` library writes it."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ModuleNotFoundError as error:
            raise ModelError("dataset needs pyarrow: pip install 'colorize-hub[train]'") from error
        self._arrow, self._folder, self._most = pyarrow, folder, most_bytes
        features = {"info": {"features": {"image": {"_type": "Image"}}}}
        image = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
        self._schema = pyarrow.schema(
            {"image": image}, metadata={"huggingface": json.dumps(features)}
        )
        self._rows: list[dict[str, Any]] = []
        self._files: list[Path] = []
        self._writer: Any = None
        self._waiting = self._written = 0
        self.pictures = self.bytes = 0

    def add(self, path: Path, root: Path) -> bool:
        """Take a picture in; False if it cannot be opened."""
        from PIL import Image

        content = path.read_bytes()
        try:
            with Image.open(path) as picture:
                picture.verify()
        except Exception:  # decoders raise anything on broken files
            return False
        self._rows.append({"bytes": content, "path": path.relative_to(root).as_posix()})
        self._waiting += len(content)
        self.pictures += 1
        self.bytes += len(content)
        if len(self._rows) >= _ROWS or self._waiting >= min(_ROW_BYTES, self._most):
            self._flush()
        return True

    def finish(self) -> list[Path]:
        """Return the files, complete."""
        if self._rows:
            self._flush()
        self._close()
        return self._files

    def _flush(self) -> None:
        parquet = self._arrow.parquet
        if self._writer is None:
            self._files.append(self._folder / f"{len(self._files)}.parquet")
            self._writer = parquet.ParquetWriter(
                self._files[-1], self._schema, write_page_index=True
            )
        table = self._arrow.table({"image": self._rows}, schema=self._schema)
        self._writer.write_table(table)
        self._written += self._waiting
        self._rows, self._waiting = [], 0
        if self._written >= self._most:
            self._close()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._written = None, 0


def _card(
    client: HfApi,
    repo_id: str,
    there: list[str],
    parent: str,
    written: _Shards,
    license: str | None,
) -> str:
    """Return the card that is there, with the new counts, or a new one."""
    import yaml
    from huggingface_hub import DatasetCard

    counts = {
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": _SPLIT, "path": f"data/{_SPLIT}-*"}],
            }
        ],
        "dataset_info": {
            "features": [{"name": "image", "dtype": "image"}],
            "splits": [
                {"name": _SPLIT, "num_bytes": written.bytes, "num_examples": written.pictures}
            ],
        },
    }
    new = {"task_categories": ["image-to-image"], "tags": ["image-colorization"]}
    if license is not None:
        counts["license"] = license
    if "README.md" not in there:
        front = yaml.safe_dump(counts | new, sort_keys=False)
        name = repo_id.partition("/")[2]
        return _CARD.format(front=front, name=name, count=written.pictures, repo_id=repo_id)
    path = patiently(
        lambda: client.hf_hub_download(repo_id, "README.md", repo_type="dataset", revision=parent)
    )
    card = DatasetCard(Path(path).read_text(encoding="utf-8"), ignore_metadata_errors=True)
    for name, value in counts.items():
        card.data[name] = value
    return str(card)
