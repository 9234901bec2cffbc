"""What moved between two frames: optical flow on the small lightness, and where to trust it.

Dense inverse search (Kroeger et al. 2016) looks for the flow both ways. A cell of the new frame is
trusted to show what the flow says it showed before where its lightness is the same, but for what
the whole picture gained or lost, and where the flow there leads back.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_FLOW_CELLS = 2  # flow is searched at twice the resolution of the ab
_DIFFERENT = 9.0  # L* between a cell and what moved there at which trust has fallen to exp(-1)
_ASTRAY = 1.0  # cells that a flow there and back may miss by, likewise
_FLASH = 15.0  # L* by which a whole picture may grow lighter or darker
_CUBIC = 2 / 3
_STRICT = 4  # power of trust that counts for or against a new scene
_CUT_SHARE = 0.2  # of it, over all cells: less is a new scene


@dataclass(frozen=True)
class Motion:
    """How one frame turns into another, on the ab grid.

    Attributes:
        source: (1, h, w, 2) where each cell of the new frame was, as grid_sample takes it.
        trust: (h, w) 0..1, whether it is the same thing.
    """

    source: Tensor
    trust: Tensor

    def carry(self, values: Tensor, sharp: bool = False) -> Tensor:
        """(C, h, w) of the old frame, moved to where it is in the new one.

        Bilinear, which blurs when it is done again and again; `sharp` mixes in as much bicubic as
        amplifies no frequency.
        """
        values = values[None]
        moved = F.grid_sample(values, self.source, "bilinear", "border", align_corners=False)
        if sharp:
            cubic = F.grid_sample(values, self.source, "bicubic", "border", align_corners=False)
            moved = torch.lerp(moved, cubic, _CUBIC)
        return moved[0]


def motions(before: Tensor, after: Tensor, shape: tuple[int, int]) -> tuple[Motion, Motion] | None:
    """Motion from one frame to the next, and back.

    Args:
        before: (1, 1, H, W) lightness, L* 0..100.
        after: of the next frame, same shape.
        shape: (h, w) of the ab grid.

    Returns:
        Motion to the next frame and motion from it to this one; None where a new scene begins.

    Raises:
        ModuleNotFoundError: OpenCV is missing.
    """
    size = (shape[0] * _FLOW_CELLS, shape[1] * _FLOW_CELLS)
    first, second = (_shrunk(one, size) for one in (before, after))
    back, forth = optical_flow(second, first), optical_flow(first, second)
    flows = [_shrunk(flow[None], shape)[0] / _FLOW_CELLS for flow in (back, forth)]
    cells = [_shrunk(one, shape)[0, 0] for one in (first, second)]
    to_next = _motion(cells[0], cells[1], flows[0], flows[1])
    if float(to_next.trust.pow(_STRICT).mean()) < _CUT_SHARE:
        return None
    return to_next, _motion(cells[1], cells[0], flows[1], flows[0])


def optical_flow(first: Tensor, second: Tensor, thorough: bool = False) -> Tensor:
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
    return torch.from_numpy(flow).movedim(-1, 0)


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


def _motion(source: Tensor, target: Tensor, flow: Tensor, opposite: Tensor) -> Motion:
    """Motion from `source` to `target`, (h, w) L*, by the (2, h, w) flow from the target back."""
    rows, columns = target.shape
    y, x = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
    place = torch.stack((x, y), -1) + flow.movedim(0, -1)
    extent = torch.tensor([columns, rows])
    motion = Motion((2 * place / extent - 1)[None], torch.ones_like(target))
    moved = motion.carry(torch.cat((source[None], opposite)))
    change = moved[0] - target
    brighter = change.median().clamp(-_FLASH, _FLASH)
    different = ((change - brighter) / _DIFFERENT).square()
    astray = (moved[1:] + flow).square().sum(0) / _ASTRAY**2
    inside = ((place >= 0) & (place <= extent)).all(-1)
    return Motion(motion.source, torch.exp(-different - astray) * inside)


def _shrunk(values: Tensor, shape: tuple[int, int]) -> Tensor:
    return F.interpolate(values.float().cpu(), shape, mode="area")


def _bytes(lightness: Tensor) -> np.ndarray:
    return (lightness[0, 0] * 2.55).clamp(0, 255).byte().numpy()
