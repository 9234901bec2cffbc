"""Datasets of the Hub as training opens them: any column and configuration, streamed or not."""

import io
import json
import subprocess
import sys
from pathlib import Path

import datasets

from tests.hub.client import ROOT
from tests.hub.repos import Blob
from tests.hub.server import HubServer
from tests.train.training_fixtures import encoded, picture

CARD = b"""---
configs:
- config_name: small
  data_files: small/*.parquet
- config_name: large
  data_files: large/*.parquet
---
"""
OPEN = """
import json, sys
from train.data.source import decode_picture, open_dataset

for repo, name, split, streaming in json.load(sys.stdin):
    try:
        rows = open_dataset(repo, split, None, streaming, name)
        shapes = [getattr(decode_picture(row["image"], 72), "shape", None) for row in rows]
        print(shapes.count((72, 80, 3)))
    except (OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
"""


def parquet(count: int, column: str) -> Blob:
    features = datasets.Features({column: datasets.Image(), "number": datasets.Value("int64")})
    rows = {column: [encoded(picture(seed)) for seed in range(count)], "number": range(count)}
    file = io.BytesIO()
    datasets.Dataset.from_dict({k: list(v) for k, v in rows.items()}, features).to_parquet(file)
    return Blob(file.getvalue(), lfs=True)


def test_what_opens_and_what_to_do_where_it_does_not(hub: HubServer, tmp_path: Path) -> None:
    files = {"README.md": Blob(CARD)}
    files |= {"small/a.parquet": parquet(2, "photo"), "large/a.parquet": parquet(3, "photo")}
    hub.create("datasets", "tester/two").commit("main", "data", files)
    plain = {"data/train-0.parquet": parquet(4, "picture")}
    hub.create("datasets", "tester/plain").commit("main", "data", plain)
    hub.create("datasets", "tester/hidden", private=True).commit("main", "data", plain)
    hub.create("datasets", "tester/gated").commit("main", "data", plain)
    hub.repos["datasets", "tester/gated"].gated = True
    asked = [
        ("tester/plain", None, "train", False),
        ("tester/plain", None, "train", True),
        ("tester/two", "large", "train", False),
        ("tester/two", "small", "train", True),
        ("tester/two", None, "train", False),
        ("tester/two", "huge", "train", False),
        ("tester/plain", None, "test", False),
        ("tester/plain", None, "test", True),
        ("tester/gated", None, "train", False),
        ("tester/hidden", None, "train", True),
        ("tester/nowhere", None, "train", False),
    ]
    done = subprocess.run(
        [sys.executable, "-c", OPEN],
        env=hub.environment(tmp_path, token=None) | {"PYTHONPATH": str(ROOT)},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert answers[:4] == ["4", "4", "3", "2"]
    several = "ValueError: tester/two has configurations; name one by --config-name: small, large."
    assert answers[4:6] == [several, several]
    for answer in answers[6:8]:
        assert answer.startswith("ValueError: --split: ")
        assert "train" in answer
    sign_in = "run `hf auth login`, or set HF_TOKEN."
    assert answers[8] == (
        "PermissionError: --data: tester/gated is gated: accept its terms at "
        f"{hub.url}/datasets/tester/gated, then {sign_in}"
    )
    for answer in answers[9:]:
        assert answer.startswith("FileNotFoundError: --data: tester/")
        assert answer.endswith(f"if it is private, {sign_in}")
