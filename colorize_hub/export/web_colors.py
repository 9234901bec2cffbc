"""The graphs of the page that needs no server: what the desk asks besides a picture in colour.

Likely colours of a place, where the model is unsure, other takes, the palette of a reference.
"""

import math

import torch
from torch import Tensor, nn

from colorize_hub.colour.lab import in_gamut, largest_scale, rgb_to_lab
from colorize_hub.colour.palette import certainty, palette
from colorize_hub.colour.transfer import matching_nodes, with_nodes, without_nodes
from colorize_hub.export.web_graphs import Paint, Resize
from colorize_hub.hints.suggestion import cluster_means
from colorize_hub.hints.variation import DIRECTIONS, DRAWS, draw_take, tilted


class Pick(nn.Module):
    """The logits of a place."""

    def forward(self, logits: Tensor, cell: Tensor) -> Tensor:
        """(1, Q, h, w) logits and (2,) int64 row and column to (Q,)."""
        return logits[0, :, cell[0], cell[1]]


class Suggest(nn.Module):
    """Likely colours of a place, see suggestion.suggest_colours."""

    palette: Tensor

    def __init__(self, step: int, count: int) -> None:
        super().__init__()
        self.register_buffer("palette", torch.from_numpy(palette(step)))
        self.paint, self.count = Paint(), count

    def forward(self, logits: Tensor, pixel: Tensor) -> tuple[Tensor, Tensor]:
        """Cluster what is likely in a cell.

        Args:
            logits: (Q,), of `Pick`.
            pixel: (1, 1, 4) uint8, the place in the photo, whose lightness the colours have.

        Returns:
            (1, k, 3) uint8 sRGB and (k,) share 0..1, in any order.
        """
        here = torch.softmax(logits, 0)
        means, mass = cluster_means(here, self.palette, self.count)
        lightness = self.paint.lightness(pixel).expand(1, self.count)
        return self.paint.rounded(lightness, means.T[:, None]), mass


class Certainty(nn.Module):
    """How sure the model is: `Canvas.confidence`."""

    def __init__(self) -> None:
        super().__init__()
        self.resize = Resize()

    def forward(self, logits: Tensor, size: Tensor) -> Tensor:
        """(1, Q, h, w) logits and (2,) int64 to (1, 1, H, W), 0..1."""
        return self.resize(certainty(logits[0])[None, None], size)


class Tilt(nn.Module):
    """Logits of a take, see variation.tilt_logits; it holds the draws of DRAWS times four takes."""

    draws: Tensor
    palette: Tensor

    def __init__(self, step: int) -> None:
        super().__init__()
        centres = palette(step)
        drawn = [draw_take(DIRECTIONS * draw, len(centres)) for draw in range(DRAWS)]
        rows = [torch.cat([torch.tensor(part).flatten() for part in one]) for one in drawn]
        self.register_buffer("draws", torch.stack(rows).float())
        self.register_buffer("palette", torch.from_numpy(centres))
        self.resize = Resize()

    def forward(self, logits: Tensor, take: Tensor) -> Tensor:
        """(1, Q, h, w) logits and (1,) int64 take, below 4 DRAWS, to (1, Q, h, w)."""
        bins = self.palette.shape[0]
        drawn = self.draws[torch.div(take[0], DIRECTIONS, rounding_mode="floor")]
        angle = drawn[0] + (take[0] % DIRECTIONS).float() * (math.tau / DIRECTIONS)
        of_object = drawn[1 : 1 + 2 * bins].reshape(2, bins)
        of_place = drawn[1 + 2 * bins :].reshape(1, 2, 3, 3)
        size = torch.stack((torch.as_tensor(logits.shape[2]), torch.as_tensor(logits.shape[3])))
        ahead = self.resize(of_place, size)[0]
        turn = torch.stack((angle.cos(), angle.sin()))
        return tilted(logits[0], self.palette, turn, of_object, ahead)[None]


class Match(nn.Module):
    """The palette of a reference, see transfer.matching_nodes."""

    def forward(self, here: Tensor, there: Tensor) -> Tensor:
        """(n, W, 4) and (m, V, 4) uint8, coloured and reference, to (8, 5) nodes."""
        return matching_nodes(*(_lab(pixels).flatten(1) for pixels in (here, there)))


class Transfer(nn.Module):
    """Rows of a picture in the palette of a reference: demo's apply_palette."""

    def __init__(self) -> None:
        super().__init__()
        self.paint = Paint()

    def forward(self, pixels: Tensor, nodes: Tensor) -> Tensor:
        """(n, W, 4) uint8 in colour and (K, 5) nodes to (n, W, 4) uint8; the opacity stays."""
        lab = _lab(pixels)
        ab = with_nodes(nodes, lab[0].flatten(), lab[1:].flatten(1)).view_as(lab[1:])
        return torch.cat((self.paint.rounded(lab[0], ab), pixels[..., 3:]), 2)


class BeforeTransfer(nn.Module):
    """Colours that `Transfer` turns into wanted ones: demo's before_palette."""

    def __init__(self) -> None:
        super().__init__()
        self.paint = Paint()

    def forward(self, wanted: Tensor, grey: Tensor, nodes: Tensor) -> Tensor:
        """(1, N, 4) uint8 colours, the photo at their places, (K, 5) nodes to (1, N, 3) uint8."""
        lightness = _lab(grey)[:1]
        ab = _lab(wanted)[1:]
        scale = largest_scale(lightness.flatten(), ab.flatten(1).T).view_as(lightness)
        shown = ab * torch.where(in_gamut(lightness, ab), 1.0, scale)
        before = without_nodes(nodes, lightness.flatten(), shown.flatten(1))
        return self.paint.rounded(lightness[0], before.view_as(ab))


def _lab(pixels: Tensor) -> Tensor:
    """(n, W, 4) uint8 sRGB to (3, n, W)."""
    return rgb_to_lab(pixels[..., :3].permute(2, 0, 1).float() / 255)
