"""`python -m train.gather`: build a training set of many kinds of photographs from git clones.

A table names the sources: which repository, and where in it the photographs lie. Each source
becomes one parquet file that `python -m train --data FOLDER` reads. What cannot teach colours is
left out: broken, small, grey and cut-out pictures, pictures seen before in this or another source,
and pictures that look like those a model will be judged by.
"""

import io
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import datasets
import numpy as np
import torch
from PIL import Image, ImageOps

from colorize_hub.atomic import atomic_path
from train.data.near_copies import Seen, difference_hash
from train.data.repositories import Source, git_folder, picture_files, read_sources
from train.judging.metrics import colorfulness
from train.judging.pictures import read_pictures
from train.run.command import check_writable, run_command

_LEAST_COLORFULNESS = 10.0  # greyer pictures teach grey
_LONGEST = 3.0  # long side over short side
_BORDER_STEP = 6  # levels between a pixel of the border and the border's median
_BORDER_SHARE = 0.7  # of the border that a cut-out leaves plain
_FEWEST = 20  # a source with fewer pictures is not worth a row
_FEATURES = datasets.Features(
    image=datasets.Image(), source=datasets.Value("string"), hash=datasets.Value("string")
)


@dataclass(frozen=True)
class GatherConfig:
    """Build one parquet file for each source of a table, from the git repositories it names."""

    sources: Path
    """Table (.tsv) with the columns name, repository (owner/name) and prefix (start of the paths
    of its pictures); optional columns: exclude (parts of paths to leave out, split by commas),
    channels (bgr where red and blue are swapped) and split."""
    repositories: Path
    """Folder with one git clone for each repository, bare or not, at OWNER/NAME; those that are
    missing are cloned there from github.com, their last commit only."""
    output: Path
    """Folder of the parquet files. A file that is there already is kept as it is."""
    split: str = "train"
    """Sources of this split are built; those without one count as train."""
    size: int = 256
    """Pictures are made smaller to this short side, never larger."""
    least: int = 128
    """Pictures with a smaller short side are left out."""
    per_source: int = 1000
    """At most this many pictures of each source, always the same ones."""
    quality: int = 60
    """Of the AVIF pictures that are kept."""
    avoid: tuple[str, ...] = ()
    """Pictures that nothing may look like, such as those a model will be judged by: Hub dataset
    ids, folders of pictures, folders of parquet files, or parquet files."""
    avoid_split: str = "test"
    """Split of the Hub datasets of --avoid."""


@dataclass(frozen=True)
class Rules:
    """Which pictures are kept, and how.

    Attributes:
        size: largest short side of a kept picture.
        least: smallest short side of a picture.
        most: pictures of a source.
        quality: of the AVIF.
    """

    size: int = 256
    least: int = 128
    most: int = 1000
    quality: int = 60


class Encoded(TypedDict):
    """A picture as `datasets` keeps it."""

    bytes: bytes
    path: None


class Row(TypedDict):
    """One row of a parquet file."""

    image: Encoded
    source: str
    hash: str  # 16 hexadecimal digits


@dataclass
class Gathered:
    """What one source gave.

    Attributes:
        rows: of its parquet file.
        dropped: how many pictures were left out, by reason.
    """

    rows: list[Row] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def gather(source: Source, git: Path, seen: Seen, rules: Rules) -> Gathered:
    """Take the pictures of one source that can teach colours; their hashes join those seen.

    Args:
        source: what to take.
        git: git directory of its repository.
        seen: hashes of all pictures that must not come again.
        rules: which pictures are kept.
    """
    found = Gathered()
    with closing(picture_files(git, source)) as files:
        for encoded in files:
            if len(found.rows) >= rules.most:
                break
            picture = _usable(encoded, source.swapped, rules)
            if isinstance(picture, str):
                found.dropped[picture] += 1
                continue
            hashed = difference_hash(picture)
            if seen.near(hashed):
                found.dropped["seen before"] += 1
                continue
            seen.add(hashed)
            image: Encoded = {"bytes": _to_avif(picture, rules.quality), "path": None}
            found.rows.append({"image": image, "source": source.name, "hash": f"{hashed:016x}"})
    return found


def write_source(found: Gathered, path: Path) -> None:
    """Write the pictures as a parquet file that `datasets` shows as pictures."""
    rows = [dict(row) for row in found.rows]
    with atomic_path(path) as unfinished:
        datasets.Dataset.from_list(rows, features=_FEATURES).to_parquet(unfinished)


def _usable(encoded: bytes, swapped: bool, rules: Rules) -> Image.Image | str:
    """Return the picture, upright and no larger than asked for, or why it is left out."""
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            opened.draft("RGB", (rules.size, rules.size))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except Exception:  # decoders raise anything on broken files
        return "broken"
    short = min(picture.size)
    if short < rules.least:
        return "small"
    if max(picture.size) > _LONGEST * short:
        return "long"
    if short > rules.size:
        width, height = (round(side * rules.size / short) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    if swapped:
        picture = Image.merge("RGB", picture.split()[::-1])
    rgb = np.asarray(picture)
    if colorfulness(torch.from_numpy(rgb.copy()).movedim(-1, 0)[None]) < _LEAST_COLORFULNESS:
        return "grey"
    return "cut out" if _on_plain_ground(rgb) else picture


def _on_plain_ground(rgb: np.ndarray) -> bool:
    """Whether nearly all of the border has one colour, as cut-out goods and drawings have."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]]).astype(np.float32)
    distance = np.abs(border - np.median(border, axis=0)).max(axis=1)
    return float(np.mean(distance < _BORDER_STEP)) > _BORDER_SHARE


def _to_avif(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "AVIF", quality=quality, speed=9, max_threads=1)
    return file.getvalue()


def main() -> None:
    """Read the flags and build what is missing."""
    run_command("train.gather", GatherConfig, _gather_all)


def _gather_all(config: GatherConfig) -> str:
    rules = Rules(config.size, config.least, config.per_source, config.quality)
    sources = read_sources(config.sources, config.split)
    check_writable(config.output, "--output")
    seen = _hashes_to_avoid(config)
    total = 0
    for source in sources:
        path = config.output / f"{source.name}.parquet"
        if path.exists():
            hashes = datasets.Dataset.from_parquet(str(path), columns=["hash"])["hash"]
            seen.extend(np.array([int(hashed, 16) for hashed in hashes], np.uint64))
            total += len(hashes)
            continue
        try:
            git = git_folder(config.repositories, source.repository)
            found = gather(source, git, seen, rules)
        except subprocess.CalledProcessError as error:
            print(f"{source.name}: left out, {error}", file=sys.stderr, flush=True)
            continue
        left_out = ", ".join(f"{count} {reason}" for reason, count in found.dropped.most_common())
        print(f"{source.name}: {len(found.rows)} kept ({left_out or 'none left out'})", flush=True)
        if len(found.rows) >= _FEWEST:
            write_source(found, path)
            total += len(found.rows)
    return f"{total:,} pictures in {config.output}"


def _hashes_to_avoid(config: GatherConfig) -> Seen:
    """Hashes of the pictures that a model will be judged by."""
    seen = Seen()
    for data in config.avoid:
        for rgb in read_pictures(data, config.avoid_split):
            seen.add(difference_hash(Image.fromarray(np.ascontiguousarray(rgb))), judged=True)
    return seen


if __name__ == "__main__":
    main()
