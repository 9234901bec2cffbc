"""The teacher: a finished model whose answer is learned beside the truth.

A photograph shows one of the colours that a thing may have, and the rest is noise to who learns
from it; a model's answer says how likely each is (Hinton, Vinyals and Dean 2015, "Distilling the
Knowledge in a Neural Network"). The mean of its answers to one picture seen in several ways is
better than each of them, so a model can learn even from itself (Radosavovic et al. 2018, "Data
Distillation").
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_hub.hints import HINT_STRIDE
from colorize_hub.hub import read_model
from colorize_hub.network import for_inference
from train.pictures import resized

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
        answers = [self._asked_for(lightness, factor, flip) for factor, flip in _WAYS]
        grid = lightness.shape[-1] // HINT_STRIDE
        maps = [F.interpolate(answer, size=(grid, grid), mode="bilinear") for answer in answers]
        return self._asked.logits(torch.stack(maps).mean(0))  # linear in the maps

    def _asked_for(self, lightness: Tensor, factor: float, flip: bool) -> Tensor:
        """The decoder's last maps of pictures seen `factor` times as large, perhaps mirrored."""
        seen = resized(lightness, factor)
        maps = self._asked.decode_features(self._asked.encode(seen.flip(-1) if flip else seen))
        return (maps.flip(-1) if flip else maps).float()
