"""What crosses between the host and a device: pictures once there, and their colours once back.

On CUDA both ways go through pinned memory, and the way back on a stream of its own: while finished
pictures come over, the device computes the next ones.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

_HALF, _WHOLE = 1 << 15, 1 << 16


class Transfers:
    """The only way over for anything as large as a picture. Threads may share it."""

    def __init__(self, device: torch.device) -> None:
        """Begin with nothing on its way.

        Args:
            device: of the network.
        """
        self._device = device
        self._pinned = device.type == "cuda"
        self._side = torch.cuda.Stream(device) if self._pinned else None

    def up(self, arrays: Sequence[np.ndarray]) -> Tensor:
        """(B, ...) of B arrays of one shape and type, on the device; uint16 becomes int32."""
        first = arrays[0]
        wide = first.dtype == np.uint16
        kind = torch.int16 if wide else torch.from_numpy(first[:0].copy()).dtype
        shape = (len(arrays), *first.shape)
        staged = torch.empty(shape, dtype=kind, pin_memory=self._pinned)
        place = staged.numpy()
        for index, one in enumerate(arrays):
            place[index] = one.view(np.int16) if wide else one
        there = self.send(staged)
        return there.to(torch.int32) & (_WHOLE - 1) if wide else there

    def send(self, staged: Tensor) -> Tensor:
        """Copy a tensor to the device."""
        return staged.to(self._device, non_blocking=self._pinned)

    def down(self, values: Sequence[Tensor]) -> Callable[[], list[np.ndarray]]:
        """Begin to copy tensors to the host.

        Returns:
            What waits for them and gives arrays in ordinary memory.
        """
        if self._side is None:
            arrays = [one.cpu().numpy() for one in values]
            return lambda: arrays
        staged = []
        self._side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._side):
            for one in values:
                host = torch.empty(one.shape, dtype=one.dtype, pin_memory=True)
                host.copy_(one, non_blocking=True)
                one.record_stream(self._side)
                staged.append(host)
            arrived = torch.cuda.Event(blocking=True)
            arrived.record(self._side)

        def wait() -> list[np.ndarray]:
            arrived.synchronize()
            return [host.numpy().copy() for host in staged]  # pinned memory is for the next ones

        return wait


def as_levels(values: Tensor, most: int) -> Tensor:
    """Whole numbers 0..most, as uint8, or as the int16 that has the bits of uint16.

    torch can do little with uint16, and some devices nothing.
    """
    if most == np.iinfo(np.uint8).max:
        return values.to(torch.uint8)
    whole = values.to(torch.int32)
    return torch.where(whole < _HALF, whole, whole - _WHOLE).to(torch.int16)


def levels_of(array: np.ndarray) -> np.ndarray:
    """Undo `as_levels` on the host."""
    return array.view(np.uint16) if array.dtype == np.int16 else array
