"""What moved between two frames: optical flow on the small lightness, and where to trust it.

Dense inverse search (Kroeger et al. 2016) looks for the flow both ways. A cell of the new frame is
trusted to show what the flow says it showed before where its lightness is the same, but for what
the whole picture gained or lost, and where the flow there leads back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from colorize_hub.colour.arrays import Array, like, on_cpu, to_numpy
from colorize_hub.colour.resizing import cell_means, cubic

_FLOW_CELLS = 2  # flow is searched at twice the resolution of the ab
_DIFFERENT = 9.0  # L* between a cell and what moved there at which trust has fallen to exp(-1)
_ASTRAY = 1.0  # cells that a flow there and back may miss by, likewise
_FLASH = 15.0  # L* by which a whole picture may grow lighter or darker
_CUBIC = 2 / 3
_ONE_PASS = ("cpu", "cuda")  # where grid_sample is bicubic too
_STRICT = 4  # power of trust that counts for or against a new scene
_CUT_SHARE = 0.2  # of it, over all cells: less is a new scene


@dataclass(frozen=True)
class Motion:
    """How one frame turns into another, on the ab grid.

    Attributes:
        source: (1, h, w, 2) where each cell of the new frame was, as grid_sample takes it.
        trust: (h, w) 0..1, whether it is the same thing.
    """

    source: Array
    trust: Array

    def beside(self, values: Array) -> Motion:
        """Return it where other values are, to carry them."""
        return Motion(like(self.source, values), like(self.trust, values))

    def carry(self, values: Array, sharp: bool = False) -> Array:
        """(C, h, w) of the old frame, moved to where it is in the new one.

        Bilinear, which blurs when it is done again and again; `sharp` mixes in as much bicubic as
        amplifies no frequency.
        """
        moved = _sampled(values, self.source[0], _linear, 2)
        if sharp:
            moved = moved + _CUBIC * (_sampled(values, self.source[0], cubic, 4) - moved)
        return moved


def _sampled(values: Array, source: Array, kernel: Callable[[Array], Array], taps: int) -> Array:
    """F.grid_sample(values, source, padding_mode="border"), by a kernel that reads some taps."""
    if is_torch_array(values) and values.device.type in _ONE_PASS:  # a fifth of the time
        return _sampled_by_torch(values, source, "bilinear" if taps == 2 else "bicubic")
    xp, (_, rows, columns) = array_namespace(values), values.shape
    flat = values.reshape(len(values), -1)
    x, y = (_taps(source[..., i], side, kernel, taps) for i, side in enumerate((columns, rows)))
    total = 0.0
    for row, down in zip(*y, strict=True):
        line = 0.0
        for column, across in zip(*x, strict=True):
            place = (row * columns + column).reshape(-1)
            line = line + across * xp.take(flat, place, axis=1).reshape((len(values), *row.shape))
        total = total + down * line
    return total


def _sampled_by_torch(values: Array, source: Array, mode: str) -> Array:
    from torch.nn.functional import grid_sample

    return grid_sample(values[None], source[None], mode, "border", align_corners=False)[0]


def _taps(
    place: Array, side: int, kernel: Callable[[Array], Array], taps: int
) -> tuple[list[Array], list[Array]]:
    """Return the samples of a line around places -1..1 on it, and how much of each, by tap."""
    xp = array_namespace(place)
    position = (place + 1) * (side / 2) - 0.5
    if taps == 2:
        position = position.clip(0, side - 1)
    first = xp.floor(position) - (taps // 2 - 1)
    samples = [first + tap for tap in range(taps)]
    shares = [kernel(abs(position - sample)) for sample in samples]
    return [xp.astype(sample.clip(0, side - 1), xp.int64) for sample in samples], shares


def _linear(distance: Array) -> Array:
    return 1 - distance


def motions(before: Array, after: Array, shape: tuple[int, int]) -> tuple[Motion, Motion] | None:
    """Motion from one frame to the next, and back, in the memory of the CPU.

    Args:
        before: (1, 1, H, W) lightness, L* 0..100.
        after: of the next frame, same shape.
        shape: (h, w) of the ab grid.

    Returns:
        Motion to the next frame and motion from it to this one; None where a new scene begins.

    Raises:
        ModuleNotFoundError: OpenCV is missing.
    """
    return motions_between(for_flow(before, shape), for_flow(after, shape), shape)


def for_flow(lightness: Array, shape: tuple[int, int]) -> Array:
    """(B, 1, h', w') of (B, 1, H, W) L*: the little that motion is found by, where the CPU is."""
    return on_cpu(cell_means(lightness, (shape[0] * _FLOW_CELLS, shape[1] * _FLOW_CELLS)))


def motions_between(
    first: Array, second: Array, shape: tuple[int, int]
) -> tuple[Motion, Motion] | None:
    """Do what `motions` does, of what `for_flow` gives of both frames."""
    back, forth = optical_flow(second, first), optical_flow(first, second)
    flows = [cell_means(flow, shape) / _FLOW_CELLS for flow in (back, forth)]
    cells = [cell_means(one[0, 0], shape) for one in (first, second)]
    to_next = motion_by_flow(cells[0], cells[1], flows[0], flows[1])
    if not same_scene(to_next.trust):
        return None
    return to_next, motion_by_flow(cells[1], cells[0], flows[1], flows[0])


def optical_flow(first: Array, second: Array, thorough: bool = False) -> Array:
    """Where each pixel of a picture is in another one.

    Args:
        first: (1, 1, H, W) lightness, L* 0..100.
        second: same shape.
        thorough: search longer.

    Returns:
        (2, H, W) x and y, pixels.

    Raises:
        ModuleNotFoundError: OpenCV is missing.
    """
    cv2 = load_opencv()
    fast, medium = cv2.DISOPTICAL_FLOW_PRESET_FAST, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    search = cv2.DISOpticalFlow_create(medium if thorough else fast)
    flow = search.calc(_bytes(first), _bytes(second), None)
    return like(np.moveaxis(flow, -1, 0), first)


def load_opencv() -> ModuleType:
    """OpenCV, which takes a moment.

    Raises:
        ModuleNotFoundError: it is missing.
    """
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Steady colour needs OpenCV: pip install 'colorize-hub[video]', or use smoothing=0."
        ) from error
    return cv2


def motion_by_flow(source: Array, target: Array, flow: Array, opposite: Array) -> Motion:
    """Motion from one frame to another that is known already.

    Args:
        source: (h, w) L* of the frame that things come from.
        target: (h, w) L* of the frame they go to.
        flow: (2, h, w) where each cell of the target was, x and y, in cells from where it is.
        opposite: (2, h, w) likewise, of each cell of the source.
    """
    xp, (rows, columns) = array_namespace(target), target.shape
    numbers = {"dtype": target.dtype, "device": device(target)}
    x = xp.arange(columns, **numbers) + 0.5 + flow[0]
    y = xp.arange(rows, **numbers)[:, None] + 0.5 + flow[1]
    place = xp.stack((2 * x / columns - 1, 2 * y / rows - 1), -1)
    motion = Motion(place[None], xp.ones_like(target))
    moved = motion.carry(xp.concat((source[None], opposite)))
    astray = ((moved[1:] + flow) ** 2).sum(0) / _ASTRAY**2
    inside = (abs(place) <= 1).all(-1)
    return Motion(motion.source, still_trust(moved[0], target) * xp.exp(-astray) * inside)


def still_trust(source: Array, target: Array) -> Array:
    """(h, w) 0..1, whether cells of two (h, w) L* show the same, but for a flash over both."""
    xp, change = array_namespace(target), source - target
    middle = xp.sort(change.reshape(-1))[(target.shape[0] * target.shape[1] - 1) // 2]
    return xp.exp(-(((change - middle.clip(-_FLASH, _FLASH)) / _DIFFERENT) ** 2))


def same_scene(trust: Array) -> Array:
    """() whether so much is trusted that the scene is the same."""
    return (trust**_STRICT).mean() >= _CUT_SHARE


def _bytes(lightness: Array) -> np.ndarray:
    return (to_numpy(lightness)[0, 0] * np.float32(2.55)).clip(0, 255).astype(np.uint8)
