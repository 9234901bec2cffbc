"""A device that is not the CPU, for a machine that has no other: its tensors lie on the CPU.

As on a GPU, tensors of the two do not mix, and nothing comes over unasked. What crosses is noted,
and so is each time the host has to wait for a value. As on MPS, there is no float64.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import torch
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "faraway"
_WAITING = ("item", "is_nonzero", "_local_scalar_dense", "nonzero")


@dataclass
class Traffic:
    """What happened: shapes of tensors that came to the device, and of those that left it."""

    up: list[tuple[int, ...]] = field(default_factory=list)
    down: list[tuple[int, ...]] = field(default_factory=list)
    waits: int = 0

    def pictures(self, least=1000):
        """(to the device, from it): numbers that came over in tensors of some size."""
        return [
            sum(size for shape in way if (size := torch.Size(shape).numel()) >= least)
            for way in (self.up, self.down)
        ]


_watching: list[Traffic] = []


class Faraway(torch.Tensor):
    """A tensor of the device."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, near):
        assert near.dtype != torch.float64, "there is no float64 on MPS"
        layout = {"strides": near.stride(), "storage_offset": near.storage_offset()}
        with torch.inference_mode(False):  # views of it may be made in either mode
            tensor = torch.Tensor._make_wrapper_subclass(
                cls, near.size(), dtype=near.dtype, device=torch.device(NAME, 0), **layout
            )
        tensor.near = near
        return tensor

    def __repr__(self):
        return f"Faraway({tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if operation._can_decompose():  # in inference mode torch leaves that to the device
            return operation.decompose(*args, **kwargs)
        return _run(operation, args, kwargs)


def _run(operation, args, kwargs):
    given = tree_leaves((args, kwargs))
    far = [one for one in given if isinstance(one, Faraway)]
    near = [one for one in given if type(one) is torch.Tensor and one.ndim]
    name, asked = operation.overloadpacket.__name__, kwargs.get("device")
    there = bool(far) if asked is None else torch.device(asked).type == NAME
    for watcher in _watching:
        watcher.waits += name in _WAITING and bool(far)
        watcher.waits += name.startswith("index") and any(
            isinstance(one, Faraway) and one.dtype == torch.bool for one in tree_leaves(args[1:2])
        )
        if name == "copy_" and near and far:
            (watcher.up if isinstance(args[0], Faraway) else watcher.down).append(args[1].shape)
        elif far and not there:
            watcher.down.append(far[0].shape)
    if name != "copy_":
        assert not (far and near), f"{name} of tensors on two devices"
    args, kwargs = tree_map(
        lambda one: one.near if isinstance(one, Faraway) else one, (args, kwargs)
    )
    if asked is not None:
        kwargs["device"] = "cpu"
    with torch._C._DisableTorchDispatch():
        result = operation(*args, **kwargs)
    there = there and not (name == "copy_" and not far)
    return tree_map(
        lambda one: Faraway(one) if isinstance(one, torch.Tensor) and there else one, result
    )


@cache
def device():
    """Have torch know the device, and return it."""
    _setup_privateuseone_for_python_backend(NAME)
    library = torch.library.Library("_", "IMPL")
    library.fallback(
        lambda operation, *args, **kwargs: _run(operation, args, kwargs), "PrivateUse1"
    )
    device.library = library  # as long as it lives
    return torch.device(NAME, 0)


@contextmanager
def traffic():
    """Note what crosses meanwhile."""
    seen = Traffic()
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)
