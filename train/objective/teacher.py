"""The teacher: a finished model whose answer is learned beside the truth.

A photograph shows one of the colours that a thing may have, and the rest is noise to who learns
from it; a model's answer says how likely each is (Hinton, Vinyals and Dean 2015, "Distilling the
Knowledge in a Neural Network"). The mean of its answers to one picture seen in several ways is
better than each of them, so a model can learn even from itself (Radosavovic et al. 2018, "Data
Distillation"). A model that takes the layout of a large picture from a small one, see
network/look.py, is asked so here too, and the small one is what is seen in several ways: so
one look at the large picture can learn what two looks knew.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.hints.hint import HINT_STRIDE
from colorize_hub.loading import read_model
from colorize_hub.network.colornet import broad_shift, for_inference
from colorize_hub.network.working import overview_shape
from train.judging.pictures import resized

_WAYS = ((1.0, False), (0.75, True), (1.5, True))  # factor on the side, and whether mirrored


class Teacher(nn.Module):
    """A finished model that is only asked.

    Attributes:
        bin_step: grid spacing of its palette.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        """Load it.

        Args:
            folder: of the model.
            device: where it runs.
            dtype: of its arithmetic.

        Raises:
            ModelError: the folder holds no usable model.
        """
        super().__init__()
        network = read_model(folder).to(device)
        self.bin_step = network.config.bin_step
        self._asked = for_inference(network, dtype)

    @torch.no_grad()
    def logits(self, lightness: Tensor) -> Tensor:
        """(B, Q, S / 4, S / 4) mean logits of pictures (B, 1, S, S), L* 0..100, without hints."""
        side, overview = lightness.shape[-1], self._asked.config.overview
        if overview_shape(side, side, overview) is None:
            return self._asked.logits(self._in_ways(lightness))
        maps = self._maps(lightness, flip=False)
        whole = self._in_ways(resized(lightness, overview / side))
        return self._asked.logits(maps + broad_shift(maps, whole))

    def _in_ways(self, lightness: Tensor) -> Tensor:
        """(B, C, S / 4, S / 4) mean of the decoder's last maps, in which the logits are linear."""
        grid = lightness.shape[-1] // HINT_STRIDE
        answers = [self._maps(resized(lightness, factor), flip) for factor, flip in _WAYS]
        maps = [F.interpolate(answer, size=(grid, grid), mode="bilinear") for answer in answers]
        return torch.stack(maps).mean(0)

    def _maps(self, lightness: Tensor, flip: bool) -> Tensor:
        """Return the decoder's last maps of pictures, perhaps seen mirrored."""
        features = self._asked.encode(lightness.flip(-1) if flip else lightness)
        maps = self._asked.decode_features(features)
        return (maps.flip(-1) if flip else maps).float()
