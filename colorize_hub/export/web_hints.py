"""The graphs of the page that needs no server: what hints say of the rest of a picture.

They trace hints/kriging.py and network/attention.py. JavaScript inverts the small matrix of
`Relate`, and joins what `Krige` and `Attend` say of the cells that it asks for.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.hints.cells import Cells
from colorize_hub.hints.kriging import Kriging, Reading, hint_system
from colorize_hub.network.attention import HintAttention


class ReadCells(nn.Module):
    """What `Cells.read` makes of a picture, as three tensors."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def forward(
        self, logits: Tensor, maps: Tensor, lightness: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Cells of a picture, row by row.

        Args:
            logits: (1, Q, h, w), of `Look`.
            maps: (1, C, h, w), of `Look`.
            lightness: (1, 1, H, W) L* at working size.

        Returns:
            (P, 2) place, (P, Q) roots and (P, C + 3) seen, see Cells.
        """
        rows, columns = logits.shape[2], logits.shape[3]
        small = F.adaptive_avg_pool2d(lightness, (rows, columns))[0, 0]
        y = torch.arange(rows)[:, None].expand(rows, columns)
        x = torch.arange(columns)[None].expand(rows, columns)
        short = torch.minimum(torch.as_tensor(rows), torch.as_tensor(columns))
        place = torch.stack((y, x), -1).reshape(-1, 2).float() / short
        read = Cells.read(logits[0], maps[0], small, self.step, place)
        return place, read.roots, read.seen


class Relate(nn.Module):
    """How N hinted cells relate to each other."""

    def forward(self, place: Tensor, roots: Tensor, seen: Tensor, anchors: Tensor) -> Tensor:
        """Cells as of `ReadCells` and (N,) int64 which are hinted to (N, N): `hint_system`."""
        return hint_system(_cells(place, roots, seen), anchors)


class Krige(nn.Module):
    """What kriging says of n cells."""

    def __init__(self, chroma_scale: float) -> None:
        super().__init__()
        self.chroma_scale = chroma_scale

    def forward(
        self,
        place: Tensor,
        roots: Tensor,
        seen: Tensor,
        own: Tensor,
        anchors: Tensor,
        wanted: Tensor,
        solver: Tensor,
        at: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Colours by N hints.

        Args:
            place: (P, 2), of `ReadCells`.
            roots: (P, Q), likewise.
            seen: (P, C + 3), likewise.
            own: (1, 2, h, w) a*b* without hints, chroma not scaled.
            anchors: (N,) int64 which cells are hinted.
            wanted: (2, N) their a*b*.
            solver: (N, N) inverse of what `Relate` says.
            at: (n,) int64 cells.

        Returns:
            (n, 2) a*b*, and (n,) how far a correction of them counts, 0..1.
        """
        kriging = self.kriging(place, roots, seen, own, anchors, wanted, solver)
        found = kriging.at(at)
        return found.ab, kriging.trust(found)[:, 0]

    def kriging(
        self,
        place: Tensor,
        roots: Tensor,
        seen: Tensor,
        own: Tensor,
        anchors: Tensor,
        wanted: Tensor,
        solver: Tensor,
    ) -> Kriging:
        """Solve, see above."""
        cells, flat = _cells(place, roots, seen), own[0].flatten(1)
        return Kriging(cells, anchors, wanted, flat, self.chroma_scale, solver)


class Attend(nn.Module):
    """What attention corrects of that."""

    def __init__(self, attention: HintAttention, chroma_scale: float) -> None:
        super().__init__()
        self.attention, self.krige = attention, Krige(chroma_scale)

    def forward(
        self,
        place: Tensor,
        roots: Tensor,
        seen: Tensor,
        own: Tensor,
        anchors: Tensor,
        wanted: Tensor,
        solver: Tensor,
        at: Tensor,
    ) -> Tensor:
        """(n, 2) a*b* to be added to those of `Krige`; arguments as there."""
        kriging = self.krige.kriging(place, roots, seen, own, anchors, wanted, solver)
        found: Reading = kriging.at(at)
        inputs = seen[at], seen[anchors], kriging.hints, found.spread, found.relation
        answer = self.attention(*(one[None] for one in inputs))[0]
        return kriging.trust(found) * (answer - found.ab)


def _cells(place: Tensor, roots: Tensor, seen: Tensor) -> Cells:
    return Cells(place, seen[:, -3], roots, seen[:, -2:], seen[:, :-3])
