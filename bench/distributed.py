"""`python -m bench.distributed`: what a second worker is worth, for a Parquet dataset."""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import tyro

from bench.measures import make_photograph


def scaling(*, pictures: int = 192, rows: int = 8, workers: int = 2) -> None:
    """Colour the same dataset of 640x480 JPEGs with one worker, then with several, a core each.

    The time is from the first shard that is begun to the last that is done: without the start of
    Ray and of the workers, which a large dataset pays once.

    Args:
        pictures: In the dataset.
        rows: Of a shard.
        workers: That are compared with one.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_dataset(folder / "in.parquet", pictures)
        paces = [_pace(folder, count, rows) for count in (1, workers)]
    for count, pace in zip((1, workers), paces, strict=True):
        print(f"{count} workers: {pace:.2f} pictures/s")
    print(f"scaling: {paces[1] / paces[0]:.2f} of {workers}")


def _write_dataset(path: Path, pictures: int) -> None:
    file = io.BytesIO()
    make_photograph(0.64 * 0.48).save(file, "JPEG", quality=90)
    image = {"bytes": file.getvalue(), "path": None}
    pyarrow.parquet.write_table(pyarrow.table({"image": [image] * pictures}), path)


def _pace(folder: Path, workers: int, rows: int) -> float:
    arguments = [str(folder / "in.parquet"), str(folder / f"out-{workers}")]
    options = {"--workers": workers, "--rows": rows, "--report": folder / "report.json"}
    flags = [str(part) for pair in options.items() for part in pair]
    subprocess.run(
        [sys.executable, "-m", "colorize_hub.distributed", *arguments, *flags], check=True
    )
    return json.loads((folder / "report.json").read_text())["pictures_per_second"]


if __name__ == "__main__":
    tyro.cli(scaling, prog="python -m bench.distributed")
