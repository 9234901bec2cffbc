"""What goes wrong on a device is said in one line, and smaller batches are tried once."""

import os
import warnings

import numpy as np
import pytest
import torch

from colorize_hub.engines import torch_engine, transfers
from colorize_hub.engines.failures import failures_in_words
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.errors import DeviceError, DeviceMemoryError
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import load, save
from tests.inference.moving import pan
from tests.scenes import scene

FULL = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.10 GiB"
MPS_FULL = "MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1.00 GB)"
MPS_LACKS = (
    "The operator 'aten::linalg_inv_ex' is not currently implemented for the MPS device. As a "
    "temporary fix, you can set the environment variable `PYTORCH_ENABLE_MPS_FALLBACK=1`"
)
OLD = (
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). "
    "Please update your GPU driver by downloading and installing a new version"
)
NO_KERNEL = (
    "CUDA error: no kernel image is available for execution on the device\n"
    "CUDA kernel errors might be asynchronously reported at some other API call"
)


@pytest.mark.parametrize(
    ("raised", "kind", "line"),
    [
        (torch.OutOfMemoryError(FULL), DeviceMemoryError, "cuda:0 has not enough memory for this"),
        (RuntimeError(MPS_FULL), DeviceMemoryError, "has not enough memory for this"),
        (RuntimeError(OLD), DeviceError, "cuda:0 does not work here: the NVIDIA driver is too old"),
        (RuntimeError(NO_KERNEL), DeviceError, "was not built for such a GPU"),
        (torch.AcceleratorError(NO_KERNEL), DeviceError, "was not built for such a GPU"),
        (
            RuntimeError("CUDA error: device-side assert triggered\nlong advice"),
            DeviceError,
            "does not work here: CUDA error: device-side assert triggered$",
        ),
        (NotImplementedError(MPS_LACKS), DeviceError, "set PYTORCH_ENABLE_MPS_FALLBACK=1 before"),
    ],
)
def test_in_words(raised, kind, line):
    with pytest.raises(kind, match=line) as told, failures_in_words("cuda:0"):
        raise raised
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("raised", [RuntimeError("shapes differ"), NotImplementedError("later")])
def test_other_errors_stay(raised):
    with pytest.raises(type(raised), match=str(raised)), failures_in_words("cpu"):
        raise raised


class Small(TorchEngine):
    """A device that can hold so many pictures at once."""

    room = 3

    def see(self, lightness):
        self.asked = [*getattr(self, "asked", []), len(lightness)]
        if len(lightness) > self.room:
            with failures_in_words("cuda:0"):
                raise torch.OutOfMemoryError(FULL)
        return super().see(lightness)


@pytest.fixture
def small(tiny_network):
    return Colorizer(Small(tiny_network, "cpu", torch.float32, in_strips=False))


def test_a_list_that_does_not_fit_is_tried_in_smaller_batches_once(small, tiny_colorizer):
    pictures = [scene(40, 50, seed=i) for i in range(10)]
    for one, other in zip(small.colorize(pictures), tiny_colorizer.colorize(pictures), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    assert small.engine.asked == [10, 2, 2, 2, 2, 2]
    small.engine.room, small.engine.asked = 0, []
    with pytest.raises(DeviceMemoryError, match="has not enough memory"):
        small.colorize(pictures)
    assert small.engine.asked == [10, 2]
    with pytest.raises(DeviceMemoryError, match="has not enough memory"):
        small.colorize(pictures[0])


def test_frames_that_do_not_fit_together_come_one_by_one(small, tiny_colorizer):
    frames = pan(40, 50, 5, 2)
    ours = list(small.colorize_frames(iter(frames), workers=4))
    for one, other in zip(ours, tiny_colorizer.colorize_frames(frames), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    assert small.engine.asked == [4, 1, 1, 1, 1, 1]


def test_damaged_weights_are_said_when_the_colours_come(tiny_network):
    engine = TorchEngine(tiny_network, "cpu", torch.float32, in_strips=False)
    held = engine.hold([scene(40, 50, 3)])
    wait = engine.begin_painting(held, torch.full((1, 2, 8, 8), torch.nan))
    with pytest.raises(ValueError, match="predicted NaN"):
        wait()


@pytest.fixture
def old_driver(monkeypatch):
    def is_available():
        warnings.warn(OLD, stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    torch_engine._cuda.cache_clear()
    yield
    torch_engine._cuda.cache_clear()


@pytest.mark.usefixtures("old_driver")
def test_a_driver_that_is_too_old(tiny_network):
    for _ in range(2):
        with pytest.raises(ValueError, match=r"no device 'cuda' here; there is cpu\. No GPU works"):
            TorchEngine(tiny_network, "cuda")
    with pytest.warns(UserWarning, match="Computing on the CPU: no GPU works, the NVIDIA driver"):
        assert TorchEngine(tiny_network).device == "cpu"


class Tape:
    """Stands for torch.cuda: what is asked of it is noted, in order."""

    def __init__(self):
        self.said = []

    def noted(self, name):
        return lambda *_args, **_named: self.said.append(name) or self

    def __getattr__(self, name):
        return self.noted(name)

    def __enter__(self):
        self.said.append("on the side")

    def __exit__(self, *_):
        self.said.append("back")


def test_finished_pictures_come_on_a_stream_of_their_own(monkeypatch):
    """The copies wait for the colours, the memory for the copies, and who reads for both."""
    tape, asked = Tape(), []
    empty, copy = torch.empty, torch.Tensor.copy_

    def pinned(shape, dtype, pin_memory):
        asked.append(pin_memory)
        return empty(shape, dtype=dtype)

    def noted_copy(host, values, non_blocking):
        tape.said.append(f"copy, non_blocking={non_blocking}")
        return copy(host, values)

    monkeypatch.setattr(transfers.torch, "cuda", tape)
    monkeypatch.setattr(transfers.torch, "empty", pinned)
    monkeypatch.setattr(torch.Tensor, "copy_", noted_copy)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda *_: tape.said.append("kept"))
    there = transfers.Transfers(torch.device("cuda", 0))
    tape.said.clear()
    values = torch.arange(6).reshape(2, 3)
    wait = there.down([values])
    assert tape.said == [
        *("current_stream", "wait_stream", "stream", "on the side"),
        *("copy, non_blocking=True", "kept", "Event", "record", "back"),
    ]
    tape.said.clear()
    (found,) = wait()
    assert tape.said == ["synchronize"]
    np.testing.assert_array_equal(found, values)
    assert asked == [True]


def test_on_a_mac_what_the_gpu_lacks_is_computed_beside_it(monkeypatch, tiny_network, tmp_path):
    monkeypatch.setattr("colorize_hub.loading.sys.platform", "darwin")
    monkeypatch.delenv("PYTORCH_ENABLE_MPS_FALLBACK", raising=False)
    folder = save(tiny_network, tmp_path / "model")
    load(folder, device="cpu")
    assert os.environ.pop("PYTORCH_ENABLE_MPS_FALLBACK") == "1"
