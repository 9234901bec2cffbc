"""Arrays of numpy and of torch alike, as far as the array API standard says nothing of them.

A formula is written once and computes with what it is given: it asks `array_namespace` for the
functions of that kind. torch is never imported here.
"""

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array, to_device

Array = Any  # np.ndarray or torch.Tensor

_MOST_TABLES = 128
_TABLES: OrderedDict[tuple[object, ...], tuple[np.ndarray, Array]] = OrderedDict()
_KEEPING = threading.Lock()


def to_numpy(values: Array) -> np.ndarray:
    """Return the same values as an array of numpy, wherever they were computed."""
    return np.asarray(to_device(values, "cpu"))


def on_cpu(values: Array) -> Array:
    """Return the same values of the same kind, in the memory of the CPU."""
    return to_device(values, "cpu")


def like(values: Array, other: Array) -> Array:
    """Values as the kind of array that `other` is: its dtype, on its device."""
    return array_namespace(other).asarray(values, dtype=other.dtype, device=other.device)


def table(values: np.ndarray, other: Array) -> Array:
    """Values that never change, as `like` gives them; on a GPU they are copied there once.

    Args:
        values: kept by who made them: the same array is known again, not an equal one.
        other: as for `like`.
    """
    if not is_torch_array(other) or other.device.type == "cpu":
        return like(values, other)
    key = id(values), other.dtype, device(other)
    with _KEEPING:
        if key not in _TABLES:
            _TABLES[key] = values, _to_train_with(values, other)  # the array keeps its id
        _TABLES.move_to_end(key)
        while len(_TABLES) > _MOST_TABLES:
            _TABLES.popitem(last=False)
        return _TABLES[key][1]


def _to_train_with(values: np.ndarray, other: Array) -> Array:
    """As `like`; autograd takes no tensor that was made in inference mode."""
    from torch import inference_mode

    with inference_mode(False):
        return like(values, other)


def constant(values: Array) -> Array:
    """Return the same values, through which no gradient flows."""
    return values.detach() if is_torch_array(values) else values


def softmax(values: Array, axis: int) -> Array:
    """Shares that sum to 1 along an axis: exp(value) over the sum of all."""
    xp = array_namespace(values)
    if is_torch_array(values):
        return xp.softmax(values, axis)  # one pass over memory in place of four
    share = xp.exp(values - xp.max(values, axis=axis, keepdims=True))
    share /= xp.sum(share, axis=axis, keepdims=True)
    return share
