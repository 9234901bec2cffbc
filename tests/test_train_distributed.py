"""Two processes train as one does with the same batch in all."""

import socket
import subprocess
import sys

import pytest
import torch

from tests.training_fixtures import (
    datasets_cache,
    encoded,
    environment,
    flags,
    losses,
    picture,
    train_here,
    weights,
    write_parquet,
)

pytest.importorskip("accelerate")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_processes_equal_one_with_the_same_batch(tmp_path):
    data = write_parquet(tmp_path / "data.parquet", [encoded(picture(seed)) for seed in range(24)])
    changes = {"validation": 2, "unfreeze": 0.5, "pictures": 80}
    with datasets_cache(tmp_path / "cache"):
        train_here(data, tmp_path / "one", **changes)
    launch = ["accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["--main_process_port", str(free_port()), "-m", "train"]
    done = subprocess.run(
        [sys.executable, "-m", *launch, *flags(data, tmp_path / "two", **changes)],
        env=environment(tmp_path / "hub"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 20
    assert max(abs(one[step] - two[step]) for step in one) < 1e-5
    trained = weights(tmp_path / "two")
    for key, tensor in weights(tmp_path / "one").items():
        assert torch.allclose(tensor.float(), trained[key].float(), atol=1e-4), key
    assert done.stdout.count("22 pictures to train on") == 1  # only one process reports
    assert (tmp_path / "two" / "model" / "metrics.json").exists()
