"""Runs that are killed or stopped, and go on as if nothing had happened."""

import multiprocessing
import os
import signal
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.train.training_fixtures import (
    TINY,
    encoded,
    equal,
    losses,
    picture,
    run,
    train_here,
    weights,
    write_parquet,
)
from train.run import checkpoint
from train.run.checkpoint import FILE_NAME, Progress, load_checkpoint, save_checkpoint

pytestmark = pytest.mark.usefixtures("own_datasets_cache")

STEPS = TINY["pictures"] // TINY["batch"]  # 40; the crops grow at 20, the encoder thaws at 30
SHORT: dict[str, Any] = {"pictures": 16, "warmup": 2, "validation": 0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A grey and a broken picture among two dozen, so rows and pictures are counted apart."""
    images = [encoded(picture(seed)) for seed in range(24)]
    images[7], images[13] = encoded(picture(7).convert("L").convert("RGB")), b"broken"
    return write_parquet(tmp_path_factory.mktemp("data") / "pictures.parquet", images)


@pytest.mark.slow
def test_a_killed_run_ends_in_the_same_bits(data, tmp_path):
    """Killed with the encoder frozen, in the middle of a checkpoint, and with it trained."""
    changes: dict[str, Any] = {"validation": 0}
    done = run(data, tmp_path / "whole", tmp_path / "cache", **changes)
    assert done.returncode == 0, done.stderr
    places = (("SIGKILL", 7, "noted"), ("SIGKILL", 22, "saving"), ("SIGKILL", 33, "noted"))
    for at in places:
        resume = at != places[0]
        done = run(data, tmp_path / "killed", tmp_path / "cache", at, resume=resume, **changes)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert max(losses(tmp_path / "killed")) == at[1]
    done = run(data, tmp_path / "killed", tmp_path / "cache", resume=True, **changes)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert list(losses(tmp_path / "whole")) == list(range(1, STEPS + 1))
    assert equal(weights(tmp_path / "killed"), weights(tmp_path / "whole"))


@pytest.mark.slow
def test_a_streaming_run_stopped_and_killed_ends_in_the_same_bits(data, tmp_path):
    changes: dict[str, Any] = {"streaming": True, "precision": "bf16", "validation": 1}
    done = run(data, tmp_path / "whole", tmp_path / "cache", **changes)
    assert done.returncode == 0, done.stderr
    places = tmp_path / "stopped", tmp_path / "cache"
    done = run(data, *places, ("SIGINT", 9, "noted"), **changes)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Stopped at step 10; go on with --resume." in done.stderr
    assert max(losses(tmp_path / "stopped")) == 10
    assert not (tmp_path / "stopped" / "model").exists()
    assert "pictures/s" in done.stderr  # the progress bar
    assert "pictures/s" not in done.stdout
    done = run(data, *places, ("SIGKILL", 27, "noted"), resume=True, **changes)
    assert done.returncode == -signal.SIGKILL, done.stderr
    done = run(data, *places, resume=True, **changes)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")
    assert equal(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))


def test_resume_refuses_other_settings_and_names_them(data, tmp_path):
    train_here(data, tmp_path, **SHORT)
    with pytest.raises(
        ValueError, match=r"other settings: --encoder-lr was 0\.0001, is 0\.5\. Give"
    ):
        train_here(data, tmp_path, **SHORT, resume=True, encoder_lr=0.5)
    with pytest.raises(
        ValueError, match=r"--sizes was \[32, 64\], is \[64, 64\]; --seed was 0, is 3"
    ):
        train_here(data, tmp_path, **SHORT, resume=True, sizes=(64, 64), seed=3)
    before = weights(tmp_path)
    train_here(data, tmp_path, **SHORT, resume=True, save_every=99, log="tensorboard")
    assert equal(weights(tmp_path), before)  # nothing was left to do


def test_resume_without_a_checkpoint_says_so(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--resume: there is no .*Start without --resume"):
        train_here(data, tmp_path, resume=True)


@pytest.mark.parametrize("content", ["page", "other tensors"])
def test_a_checkpoint_that_is_none_is_named(data, tmp_path, content):
    if content == "page":
        (tmp_path / FILE_NAME).write_text("<!doctype html>")
    else:
        save_file({"weight": torch.zeros(2)}, tmp_path / FILE_NAME)
    with pytest.raises(ValueError, match=rf"{FILE_NAME} is not a readable checkpoint"):
        train_here(data, tmp_path, resume=True)


def trainee(value):
    network = torch.nn.Conv2d(64, 64, 3).to(memory_format=torch.channels_last)
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, value)
    averaged = {name: p.detach().clone() for name, p in network.named_parameters()}
    return network, averaged, torch.optim.AdamW(network.parameters(), fused=True)


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def save_and_die(folder, place):
    """Write the checkpoint of step 1, and die on the way to that of step 2."""
    torch.set_num_threads(1)  # OpenMP's threads do not survive a fork
    save_checkpoint(folder, *trainee(1.0), torch.ones(3), Progress(1), {})

    def half(tensors, path, header):
        save_file(tensors, path, header)
        os.truncate(path, path.stat().st_size // 2)
        die()

    if place == "half written":
        checkpoint.save_file = half
    elif place == "not yet on the disk":
        os.fsync = die
    save_checkpoint(folder, *trainee(2.0), torch.ones(3), Progress(2), {})
    die()


@pytest.mark.parametrize(
    ("place", "step"), [("half written", 1), ("not yet on the disk", 1), ("in its place", 2)]
)
def test_a_checkpoint_is_whole_wherever_its_writer_dies(tmp_path, place, step):
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=save_and_die, args=(tmp_path, place))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    network, averaged, optimizer = trainee(0.0)
    _, progress = load_checkpoint(tmp_path, network, averaged, optimizer, {})
    assert progress.step == step
    for tensor in (*network.parameters(), *averaged.values()):
        assert bool((tensor == step).all())
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME], "the rest is cleared away"


def test_the_optimizer_goes_on_with_its_moments_in_place(tmp_path):
    """In a network in channels_last the fused AdamW takes moments in the order of their memory."""
    pictures = torch.randn(12, 2, 64, 8, 8)

    def steps(network, averaged, optimizer, pictures):
        for batch in pictures:
            network(batch).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
        return {name: p.detach().clone() for name, p in network.named_parameters()}

    whole = trainee(0.1)
    expected = steps(*whole, pictures)
    half = trainee(0.1)
    steps(*half, pictures[:6])
    save_checkpoint(tmp_path, *half, torch.ones(3), Progress(6, (7,), 1.5), {"lr": 1})
    rest = trainee(0.9)
    prior, progress = load_checkpoint(tmp_path, *rest, {"lr": 1})
    assert (prior.tolist(), progress) == ([1, 1, 1], Progress(6, (7,), 1.5))
    assert equal(steps(*rest, pictures[6:]), expected)
