"""`python -m colorize_hub.distributed` with real Ray workers, one of them killed at work."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from colorize_hub.distributed import main
from colorize_hub.loading import save
from tests.cli.test_cli import ENVIRONMENT
from tests.scenes import scene

ROWS, ROWS_A_SHARD = 240, 4


@pytest.fixture(scope="module")
def model(tiny_network, tmp_path_factory):
    return save(tiny_network, tmp_path_factory.mktemp("model"))


@pytest.fixture
def dataset(tmp_path):
    Image.fromarray(scene(300, 400)).save(tmp_path / "one.png")
    image = {"bytes": (tmp_path / "one.png").read_bytes(), "path": "one.png"}
    table = pyarrow.table({"image": [image] * ROWS, "id": range(ROWS)})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet", row_group_size=50)
    return tmp_path / "in.parquet"


def command(dataset, model, *arguments):
    run = [sys.executable, "-m", "colorize_hub.distributed", str(dataset), "out"]
    return [*run, "--model", str(model), *arguments]


def descendants(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in map(int, children):
        yield child
        try:
            yield from descendants(child)
        except OSError:  # gone by now
            continue


def at_work(pid):
    """The processes of the actors."""
    for child in descendants(pid):
        try:
            if b"ray::MapWorker" in Path(f"/proc/{child}/cmdline").read_bytes():
                yield child
        except OSError:
            continue


@pytest.mark.ray
def test_a_worker_is_killed_and_nothing_is_lost_and_nothing_twice(dataset, model):
    folder = dataset.parent
    arguments = ("--rows", str(ROWS_A_SHARD), "--workers", "2", "--report", "report.json")
    process = subprocess.Popen(
        command(dataset, model, *arguments),
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    for line in process.stderr:
        said.append(line)
        if (
            re.match(r"\d+ of 60 shards are done", line)
            and len(workers := [*at_work(process.pid)]) > 1
        ):
            break
    os.kill(workers[0], signal.SIGKILL)
    at_kill = len(list(folder.glob("out/*.parquet")))
    said += process.stderr
    assert process.wait() == 0, "".join(said)
    assert at_kill < ROWS // ROWS_A_SHARD

    paths = sorted(folder.glob("out/*.parquet"))
    assert len(paths) == ROWS // ROWS_A_SHARD
    rows = [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]
    assert [row["id"] for row in rows] == list(range(ROWS))
    assert len({row["image"]["bytes"] for row in rows}) == 1
    assert rows[0]["image"]["bytes"] != (folder / "one.png").read_bytes()
    assert not list(folder.glob("out/.*"))
    report = json.loads((folder / "report.json").read_text())
    assert Counter({"rows": ROWS, "coloured": ROWS}) == Counter(
        {name: report[name] for name in ("rows", "coloured")}
    )

    times = [path.stat().st_mtime_ns for path in paths]
    again = subprocess.run(
        command(dataset, model, *arguments),
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0
    assert f"{len(paths)} shards, {len(paths)} are done already" in again.stderr
    assert [path.stat().st_mtime_ns for path in paths] == times


def test_an_expected_problem_is_one_line(dataset, monkeypatch):
    monkeypatch.chdir(dataset.parent)
    monkeypatch.setattr(sys, "argv", ["distributed", str(dataset), "out", "--column", "id"])
    with pytest.raises(
        SystemExit, match=r"distributed: Expected a column of pictures 'id'.*: image"
    ):
        main()
