"""The graph of the page that needs no server: steady colour of a live picture.

As inference/steady.py; web/src/flow.js looks for the motion, and this carries the colours along.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.export.web_graphs import Resize
from colorize_hub.inference.motion import motion_by_flow, same_scene
from colorize_hub.inference.steady import NEARBY, State


class Steady(nn.Module):
    """Colours of a frame, averaged with those before."""

    def __init__(self) -> None:
        super().__init__()
        self.resize = Resize()

    def forward(
        self,
        lightness: Tensor,
        before: Tensor,
        ab: Tensor,
        colour: Tensor,
        frames: Tensor,
        keep: Tensor,
        shift: Tensor,
        back: Tensor,
        forth: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Average, as TemporalSmoother.smooth.

        Args:
            lightness: (1, 1, H, W) L* of the frame at working size.
            before: (1, 1, H, W) of the frame before.
            ab: (1, 2, h, w) predicted for the frame.
            colour: (3, h, w), State.colour of the frame before.
            frames: (h, w), State.frames likewise; zeros where there was none.
            keep: () see steady.memory.
            shift: (1, 2, h, w), what a person has just changed; zeros where nothing.
            back: (2, h, w) where each cell was in the frame before, x and y, in cells from here.
            forth: (2, h, w) where each cell of the frame before is now, likewise.

        Returns:
            (1, 2, h, w) a*b* to paint, and colour and frames for the next frame.
        """
        rows, columns = ab.shape[2], ab.shape[3]
        cells = [F.adaptive_avg_pool2d(one, (rows, columns))[0, 0] for one in (before, lightness)]
        motion = motion_by_flow(cells[0], cells[1], back, forth)
        kept = keep * same_scene(motion.trust).float()
        carried = State(colour, frames).carried(motion, kept).shifted(shift[0])
        state = State.fresh(ab[0]).calmed(carried, self.blurred).joined(carried)
        return state.ab[None], state.colour, state.frames

    def blurred(self, values: Tensor) -> Tensor:
        """See steady.State.calmed."""
        height, width = torch.as_tensor(values.shape[1]), torch.as_tensor(values.shape[2])
        few = torch.stack((height, width)) // NEARBY
        means = self.resize(values[None], few.clamp(min=1))
        return self.resize(means, torch.stack((height, width)))[0]
