"""Arrays of numpy and of torch alike, as far as the array API standard says nothing of them.

A formula is written once and computes with what it is given: it asks `array_namespace` for the
functions of that kind. torch is never imported here.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_torch_array, to_device

Array = Any  # np.ndarray or torch.Tensor


def to_numpy(values: Array) -> np.ndarray:
    """Return the same values as an array of numpy, wherever they were computed."""
    return np.asarray(to_device(values, "cpu"))


def on_cpu(values: Array) -> Array:
    """Return the same values of the same kind, in the memory of the CPU."""
    return to_device(values, "cpu")


def like(values: Array, other: Array) -> Array:
    """Values as the kind of array that `other` is: its dtype, on its device."""
    return array_namespace(other).asarray(values, dtype=other.dtype, device=other.device)


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
