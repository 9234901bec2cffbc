"""The objective: from a batch to the one number that is trained down."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from colorize_hub.bins import decode_bins
from colorize_hub.color import rgb_to_lab
from colorize_hub.hints import HINT_STRIDE
from colorize_hub.network import ColorNet
from train.config import TrainConfig
from train.examples import Example
from train.losses import balanced_scale, log_error, soft_cross_entropy
from train.perception import Classifier, Critic, perceptual_distance

_VIVIDNESS = 0.65  # decoding of the colours that the losses below see, near where it is calibrated


class Objective(nn.Module):
    """Cross-entropy on the distribution, and three losses on the colours decoded from it.

    Attributes:
        critic: trained beside the network, by the same number; None without --adversarial.
    """

    def __init__(self, config: TrainConfig, device: torch.device, dtype: torch.dtype) -> None:
        """Set up what the flags of the run ask for.

        Args:
            config: of the run.
            device: where the network is.
            dtype: of the network's arithmetic; colours and the losses are float32.

        Raises:
            ValueError: perception without pretrained encoder weights.
        """
        super().__init__()
        self.config, self.dtype = config, dtype
        self.classifier = None
        self.critic = None
        if config.perception or config.adversarial:
            self.classifier = Classifier(config.encoder, config.encoder_weights).to(device)
        if self.classifier is not None and config.adversarial:
            torch.manual_seed(config.seed)
            self.critic = Critic(self.classifier.channels).to(device)

    def forward(
        self, network: ColorNet, frozen: ColorNet | None, batch: Example, weights: Tensor
    ) -> Tensor:
        """Loss of one batch.

        Args:
            network: being trained.
            frozen: its encoder made for inference, or None when the encoder is trained too.
            batch: from `training_batches`.
            weights: (Q,) bin weights.
        """
        device = weights.device
        rgb = batch["rgb"].to(device).float() / 255
        lab = rgb_to_lab(rgb)
        lightness, ab = lab[:, :1], F.avg_pool2d(lab[:, 1:], HINT_STRIDE)
        mask = batch["hint_mask"].to(ab)
        maps = self._maps(network, frozen, lightness, torch.cat((ab * mask, mask), dim=1))
        cells = batch["cells"].to(device)[:, :, None]  # (B, n, 1)
        target = _at_cells(ab, cells).flatten(0, 1)
        step = network.config.bin_step
        if not (self.config.log_error or self.classifier):
            # Without losses on the colours, the head runs only on the cells that enter the loss.
            chosen = _at_cells(maps, cells).flatten(0, 1)
            with torch.autocast(device.type, self.dtype, enabled=self._low):
                logits = F.linear(chosen, network.head.weight.flatten(1), network.head.bias)
            return soft_cross_entropy(logits, target, step, weights)
        with torch.autocast(device.type, self.dtype, enabled=self._low):
            logits = network.head(maps).float()
        loss = soft_cross_entropy(_at_cells(logits, cells).flatten(0, 1), target, step, weights)
        adjusted = logits - self.config.logit_adjustment * weights.log()[:, None, None]
        ours = decode_bins(adjusted, step, _VIVIDNESS)
        return loss + self._of_colours(lightness, ours, ab, rgb)

    @property
    def _low(self) -> bool:
        return self.dtype != torch.float32

    def _maps(
        self, network: ColorNet, frozen: ColorNet | None, lightness: Tensor, hint_map: Tensor
    ) -> Tensor:
        """(B, C, h, w), the decoder's last map."""
        kind = lightness.device.type
        if frozen is None:
            # On a CPU the backward pass of depthwise convolutions takes twice as long in bfloat16.
            with torch.autocast(kind, self.dtype, enabled=self._low and kind != "cpu"):
                features = network.encode(lightness)
        else:
            with torch.no_grad():
                features = frozen.encode(lightness)
        with torch.autocast(kind, self.dtype, enabled=self._low):
            return network.decode_features(features, hint_map)

    def _of_colours(self, lightness: Tensor, ours: Tensor, ab: Tensor, rgb: Tensor) -> Tensor:
        """Losses on decoded colours, brought to the truth's colourfulness as calibration will."""
        scale = balanced_scale(ours, ab)
        loss = self.config.log_error * log_error(ours * scale, ab)
        if self.classifier is None:
            return loss
        half = -(-len(ours) // 2)  # the classifier costs as much as the encoder
        sight = self.classifier(lightness[:half], (ours * scale.detach())[:half], rgb[:half])
        loss = loss + self.config.perception * perceptual_distance(sight)
        if self.critic is not None:
            fixed = {name: p.detach() for name, p in self.critic.named_parameters()}
            verdicts = functional_call(self.critic, fixed, (sight.ours,))
            doubt = -torch.stack([verdict.mean() for verdict in verdicts]).mean()
            loss = loss + self.config.adversarial * doubt + self.critic.mistakes(sight)
        return loss


def _at_cells(maps: Tensor, cells: Tensor) -> Tensor:
    """(B, C, h, w) at (B, n, 1) flat cell indices -> (B, n, C)."""
    flat = maps.permute(0, 2, 3, 1).flatten(1, 2)
    return flat.gather(1, cells.expand(-1, -1, flat.shape[2]))
