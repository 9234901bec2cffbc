"""Two processes train as one does with the same batch in all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from tests.train.training_fixtures import (
    environment,
    flags,
    losses,
    weights,
    write_blobs,
)
from train.run.checkpoint import FILE_NAME

ONE_PROCESS = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1"]
ONE_PROCESS += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
ONE_PROCESS += ["-m", "train"]
# On a CPU `accelerate launch --num_processes 2` starts one process, torchrun starts two.
TWO_PROCESSES = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
TWO_PROCESSES += ["-m", "--", "train"]  # else it takes --log for one of its own


def launch(command: list[str], data: Path, output: Path, cache: Path, **changes: Any) -> str:
    """What a tiny run says on stdout."""
    done = subprocess.run(
        [sys.executable, *command, *flags(data, output, **changes)],
        env=environment(cache) | {"ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_equal_one_with_the_same_batch(tmp_path):
    data = write_blobs(tmp_path, 24)
    changes: dict[str, Any] = {"validation": 2, "unfreeze": 0.5, "pictures": 80}
    launch(ONE_PROCESS, data, tmp_path / "one", tmp_path / "hub", **changes)
    said = launch(TWO_PROCESSES, data, tmp_path / "two", tmp_path / "hub", **changes)
    with safe_open(tmp_path / "two" / FILE_NAME, "pt") as checkpoint:
        progress = json.loads(checkpoint.metadata()["progress"])
    assert progress["step"] == 20
    assert len(progress["read"]) == 2  # both took part
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 20
    assert max(abs(one[step] - two[step]) for step in one) < 1e-5
    trained = weights(tmp_path / "two")
    for key, tensor in weights(tmp_path / "one").items():
        assert torch.allclose(tensor.float(), trained[key].float(), atol=1e-4), key
    assert said.count("22 pictures to train on") == 1  # only one process reports
    assert (tmp_path / "two" / "model" / "metrics.json").exists()
