"""HintAttention for a few hints on a CPU: what depends on the hints alone is multiplied out first.

A cell asks each hint by query and key, and reads its value through another matrix. With a few hints
it is less work to put key and query together, value and what reads it: two products a layer in
place of two projections and two small products for each head, and no map of cells is rounded,
turned or copied in between.
"""

import torch
from torch import Tensor, nn

from colorize_hub.network.attention import HEADS, HintAttention, Layer, related, repeated

MOST_HINTS = 16  # beyond, the products with every hint outweigh the projections


class FoldedAttention(HintAttention):
    """As the one that it is made of: it computes the same function with the same weights."""

    def __init__(self, plain: HintAttention) -> None:
        """Take over its parts."""
        nn.Module.__init__(self)
        for name, part in plain.named_children():
            self.add_module(name, part)

    def forward(
        self, cells: Tensor, anchors: Tensor, hints: Tensor, spread: Tensor, relation: Tensor
    ) -> Tensor:
        """See HintAttention."""
        if hints.shape[1] > MOST_HINTS:
            return super().forward(cells, anchors, hints, spread, relation)
        x, h = self.first_cells(cells, spread), self.first_hints(anchors, hints)
        pairs, several = related(cells, anchors, relation), repeated(hints)
        for layer in self.layers:
            x = _through(layer, x, h, pairs, several)  # pyright: ignore[reportArgumentType]
        return self.answered(x, h, hints, spread, pairs, several)


def _through(layer: Layer, x: Tensor, h: Tensor, pairs: Tensor, several: Tensor) -> Tensor:
    """(B, P, D) cells, (B, N, D) hints, (B, 5, N, P), (B, N, 1) to (B, P, D), as the layer does."""
    exact, batch, count, width = h.dtype, *h.shape
    query, read = layer.query, layer.read
    heads, size = HEADS, width // HEADS
    # (B, heads, N, size) each
    key, value = (
        part.unflatten(-1, (heads, size)).transpose(1, 2)
        for part in layer.key_value(h).chunk(2, -1)
    )
    key = key * size**-0.5
    asked = key @ query.weight.to(exact).view(heads, size, width)
    always = key @ query.bias.to(exact).view(heads, size, 1) + several[:, None]
    told = value @ read.weight.to(exact).T.reshape(heads, size, width)
    told = told + read.bias.to(exact) / heads  # a head's shares sum to 1
    # What is added for a whole head leaves its shares as they are.
    score = (layer.relation.weight @ pairs.flatten(2)).view(batch, heads * count, -1)
    score = score.baddbmm_(asked.flatten(1, 2), layer.before(x).transpose(1, 2))
    score = score.add_(always.reshape(batch, -1, 1)).unflatten(1, (heads, count))
    share = torch.softmax(score, 2).flatten(1, 2)
    x = torch.baddbmm(x, share.transpose(1, 2), told.flatten(1, 2))
    return x.add_(layer.thought(x))
