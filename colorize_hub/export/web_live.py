"""The graph of the page that needs no server: steady colour of a live picture.

As inference/steady.py, without motion: what stays where it is keeps its colour, and what moves is
coloured anew, calmed by its surroundings.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.export.web_graphs import Resize
from colorize_hub.inference.motion import same_scene, still_trust
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

        Returns:
            (1, 2, h, w) a*b* to paint, and colour and frames for the next frame.
        """
        rows, columns = ab.shape[2], ab.shape[3]
        cells = [F.adaptive_avg_pool2d(one, (rows, columns))[0, 0] for one in (before, lightness)]
        trust = still_trust(cells[0], cells[1])
        trust = trust * same_scene(trust).float()
        carried = State(colour, frames * trust * keep).shifted(shift[0])
        state = State.fresh(ab[0]).calmed(carried, self.blurred).joined(carried)
        return state.ab[None], state.colour, state.frames

    def blurred(self, values: Tensor) -> Tensor:
        """See steady.State.calmed."""
        height, width = torch.as_tensor(values.shape[1]), torch.as_tensor(values.shape[2])
        few = torch.stack((height, width)) // NEARBY
        means = self.resize(values[None], few.clamp(min=1))
        return self.resize(means, torch.stack((height, width)))[0]
