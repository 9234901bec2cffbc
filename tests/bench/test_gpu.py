"""bench.gpu: every part runs on a CPU, and one that hangs is not waited for."""

import sys
from dataclasses import replace

import pytest
import torch

from bench.gpu import PARTS, gpu, measure_apart

CPU = torch.device("cpu")
ENDLESS = "import itertools; all(itertools.repeat(1))"


@pytest.mark.usefixtures("own_datasets_cache")
@pytest.mark.parametrize("name", PARTS)
def test_every_part_gives_a_figure(name, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert PARTS[name].measure(CPU, True) > 0


def test_all_parts_at_their_limits_take_less_than_four_minutes():
    assert sum(part.limit for part in PARTS.values()) < 240


def test_a_part_that_hangs_is_said_and_what_it_started_ends():
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ENDLESS!r}])"
    for code in (ENDLESS, child):
        said = measure_apart([sys.executable, "-c", code], 1)
        assert said == "nothing after 1 s: it hangs, or the machine is busy"


def test_a_part_that_fails_is_said():
    failing = [sys.executable, "-c", "raise ValueError('no such thing')"]
    assert measure_apart(failing, 60) == "fails: ValueError: no such thing"
    assert measure_apart([sys.executable, "-c", "print('warming up'); print(12.5)"], 60) == 12.5


def test_the_command_measures_a_part_in_a_process_of_its_own(capsys, monkeypatch):
    monkeypatch.setitem(PARTS, "one", replace(PARTS["one"], limit=600))  # a busy machine is slow
    with pytest.raises(SystemExit) as ended:
        gpu(device="cpu", quick=True, only=("one",))
    assert ended.value.code == 0
    assert PARTS["one"].what in capsys.readouterr().out


def test_what_is_not_there_is_said(monkeypatch):
    with pytest.raises(SystemExit, match="there is no part 'click'; there are network, list"):
        gpu(device="cpu", only=("click",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no CUDA device here; --device cpu"):
        gpu()
