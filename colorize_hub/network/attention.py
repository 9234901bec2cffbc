"""HintAttention: what a cell of the picture can tell from all hints together.

Kriging knows how near, how equally light and how alike in the network's eyes two places
are. What follows from a red jacket, an orange sky or a grey pavement for the rest of a picture has
to be learned: here every cell looks at the hints by cross-attention (Vaswani et al. 2017), knows
what kriging made of them, and corrects it. Trained on a finished network, see train/attention.py.
"""

import torch
from torch import Tensor, nn

HEADS = 6
_LAYERS = 3
_RELATION = 5  # distance, contrast, covariance, its logarithm, weight in kriging
_MIDDLE, _CONTRAST = 50.0, 25.0  # L*
_AB_UNIT = 30.0
_REACH = 10.0  # ab units of a free correction for an answer of 1
_STRENGTH = 7.0  # logarithms of covariance are divided by this
_FAINT = 1e-3  # covariance below this counts as none


class HintAttention(nn.Module):
    """Untrained, it answers with what kriging says."""

    def __init__(self, maps: int, width: int) -> None:
        """Random weights, but for the answer.

        Args:
            maps: channels of the decoder's last map.
            width: of cells and hints in here, a multiple of 6.
        """
        super().__init__()
        seen = maps + 3
        self.maps = nn.LayerNorm(maps)
        self.cell = nn.Linear(seen + 5, width)
        self.hint = nn.Sequential(nn.Linear(seen + 4, width), nn.GELU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(Layer(width) for _ in range(_LAYERS))
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.answer = nn.Linear(width, 3)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(
        self, cells: Tensor, anchors: Tensor, hints: Tensor, spread: Tensor, relation: Tensor
    ) -> Tensor:
        """Colours of P cells that N hints speak of.

        Args:
            cells: (B, P, C + 3), `Cells.seen`: last map, L*, a*, b*.
            anchors: (B, N, C + 3), the same where the hints are.
            hints: (B, N, 5): a*b* wanted, what is missing to it, and independence 0..1.
            spread: (B, P, 5): a*b* by kriging, the network's share of it, influence 0..1.
            relation: (B, 3, N, P): distance in short sides, covariance, weight in kriging.

        Returns:
            (B, P, 2) a*b*.
        """
        x, h = self.first_cells(cells, spread), self.first_hints(anchors, hints)
        pairs, several = related(cells, anchors, relation), repeated(hints)
        for layer in self.layers:
            x = layer(x, h, pairs, several)
        return self.answered(x, h, hints, spread, pairs, several)

    def first_cells(self, cells: Tensor, spread: Tensor) -> Tensor:
        """(B, P, D) of cells, before they have read a hint; arguments as for `forward`."""
        known = (self._looked_at(cells), spread[..., :4] / _AB_UNIT, spread[..., 4:])
        return self.cell(torch.cat(known, -1))

    def first_hints(self, anchors: Tensor, hints: Tensor) -> Tensor:
        """(B, N, D) of hints; arguments as for `forward`."""
        return self.hint(torch.cat((self._looked_at(anchors), hints[..., :4] / _AB_UNIT), -1))

    def answered(
        self,
        x: Tensor,
        h: Tensor,
        hints: Tensor,
        spread: Tensor,
        pairs: Tensor,
        several: Tensor,
    ) -> Tensor:
        """(B, P, 2) a*b* of cells (B, P, D) that have read the hints (B, N, D).

        Args:
            x: cells.
            h: hints.
            hints: as for `forward`.
            spread: as for `forward`.
            pairs: see `related`.
            several: see `repeated`.
        """
        by_kriging = spread[..., :2]
        alike = self.key(h) @ self.query(x).transpose(1, 2) * (2 * x.shape[-1] ** -0.5)
        share = torch.softmax(alike + pairs[:, 3] * _STRENGTH + several, 1)  # (B, N, P)
        gate, free = self.answer(x).split((1, 2), -1)
        by_hints = share.transpose(1, 2) @ hints[..., :2]
        return by_kriging + gate.tanh() * (by_hints - by_kriging) + _REACH * free

    def _looked_at(self, seen: Tensor) -> Tensor:
        maps, lightness, ab = seen.split((seen.shape[-1] - 3, 1, 2), -1)
        grey = (lightness - _MIDDLE) / _CONTRAST
        return torch.cat((self.maps(maps), grey, ab / _AB_UNIT), -1)


def related(cells: Tensor, anchors: Tensor, relation: Tensor) -> Tensor:
    """(B, 5, N, P) what each hint is to each cell; arguments as for `HintAttention.forward`."""
    contrast = (anchors[..., :, None, -3] - cells[..., None, :, -3]).abs() / _CONTRAST
    distance, covariance, weight = relation.unbind(1)
    strength = (covariance + _FAINT).log()
    return torch.stack((distance, contrast, covariance, strength / _STRENGTH, weight), 1)


def repeated(hints: Tensor) -> Tensor:
    """(B, N, 1) to be added to what a hint is to every cell: several in one place count as one."""
    return hints[..., 4].log()[..., None]


class Layer(nn.Module):
    """Cells read the hints, then think.

    There are many cells and few hints, so the cells lie along the last axis where each hint counts:
    torch works along it at full width. What is computed for each cell may be rounded to bfloat16.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.read = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.relation = nn.Linear(_RELATION, HEADS)
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, h: Tensor, pairs: Tensor, several: Tensor) -> Tensor:
        """(B, P, D) cells, (B, N, D) hints, (B, 5, N, P), (B, N, 1) to (B, P, D)."""
        exact, rounded = x.dtype, self.query.weight.dtype
        query = self.query(self.before(x).to(rounded)).to(exact)
        query = _by_head(query)  # (B, heads, P, d)
        key, value = (_by_head(part) for part in self.key_value(h).chunk(2, -1))
        bias = self.relation.weight @ pairs.flatten(2) + self.relation.bias[:, None]
        bias = bias.unflatten(2, pairs.shape[2:]) + several[:, None]  # (B, heads, N, P)
        share = torch.softmax(key * key.shape[-1] ** -0.5 @ query.transpose(2, 3) + bias, 2)
        read = (value.transpose(2, 3) @ share).flatten(1, 2)  # (B, D, P)
        x = x + self.read(read.transpose(1, 2).to(rounded)).to(exact)
        return x + self.thought(x)

    def thought(self, x: Tensor) -> Tensor:
        """(B, P, D) what is added to cells that have read the hints."""
        return self.think(self.between(x).to(self.query.weight.dtype)).to(x.dtype)


def _by_head(x: Tensor) -> Tensor:
    return x.unflatten(-1, (HEADS, x.shape[-1] // HEADS)).transpose(1, 2)
