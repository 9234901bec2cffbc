"""The objective: from a batch to the one number that is trained down."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from colorize_hub.colour.lab import rgb_to_lab, rgb_to_lightness
from colorize_hub.colour.palette import decode_bins, palette
from colorize_hub.hints.cells import Cells
from colorize_hub.hints.hint import HINT_STRIDE
from colorize_hub.hints.kriging import spread_hints
from colorize_hub.network.colornet import ColorNet, broad_shift
from train.data.examples import Example
from train.judging.pictures import resized
from train.objective.losses import (
    at_one_size,
    balanced_scale,
    fading,
    inconsistency,
    log_error,
    soft_cross_entropy,
)
from train.objective.perception import Critic, PerceptualBackbone, perceptual_distance
from train.objective.teacher import Teacher
from train.run.config import TrainConfig

_VIVIDNESS = 0.75  # decoding of the colours that the losses below see, near where it is calibrated
_OTHER_SIZES = ((0.5, 16), (1.5, 4), (2.0, 4))  # factor on the side, and of how many pictures
_OTHER_ERROR = 0.3  # weight of the log error at the other size, beside the inconsistency


class Objective(nn.Module):
    """Cross-entropy on the distribution, and losses on the colours decoded from it.

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
            ModelError: --teacher is no usable model folder.
            ValueError: perception without pretrained encoder weights.
        """
        super().__init__()
        self.config, self.dtype = config, dtype
        self.teacher = None
        if config.teacher is not None and config.taught:
            self.teacher = Teacher(config.teacher, device, dtype)
        self.classifier = None
        self.critic = None
        if config.perception or config.adversarial:
            self.classifier = PerceptualBackbone(
                config.encoder, config.encoder_weights, device, dtype
            )
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
        hint_map = torch.cat((ab * mask, mask), dim=1)
        seen = lightness
        if "worn" in batch:
            seen = rgb_to_lightness(batch["worn"].to(device).float().expand(-1, 3, -1, -1) / 255)
        features = self._features(network, frozen, seen)
        maps = self._maps(network, features, hint_map)
        hinted = mask.flatten(1).any(1)
        if self.config.overview:
            shift = self._overview_shift(network, frozen, seen, maps)
            maps = maps + torch.where(hinted[:, None, None, None], 0, shift)
        cells = batch["cells"].to(device)[:, :, None]  # (B, n, 1)
        target = _at_cells(ab, cells).flatten(0, 1)
        step = network.config.bin_step
        if not (self.config.log_error or self.classifier or self.config.consistency):
            # Without losses on the colours, the head runs only on the cells that enter the loss.
            chosen = _at_cells(maps, cells).flatten(0, 1)
            with torch.autocast(device.type, self.dtype, enabled=self._low):
                logits = F.linear(chosen, network.head.weight.flatten(1), network.head.bias)
            loss = soft_cross_entropy(logits, target, step, weights)
            return self._with_lesson(loss, logits, lightness, cells, hinted, weights)
        logits = self._logits(network, maps)
        chosen = _at_cells(logits, cells).flatten(0, 1)
        loss = soft_cross_entropy(chosen, target, step, weights)
        loss = self._with_lesson(loss, chosen, lightness, cells, hinted, weights)
        bias = self.config.logit_adjustment * weights.log()[:, None, None]
        ours: Tensor = decode_bins(logits - bias, step, _VIVIDNESS)
        free = ~hinted if bool((~hinted).any()) else hinted
        scale = balanced_scale(ours[free], ab[free])
        plain = ours * scale
        spread = self._spread(network, features, hint_map, ours, seen, scale, bias)
        colours = torch.stack([spread.get(i, one) for i, one in enumerate(plain)])
        loss = loss + self._of_colors(lightness, colours, ab, rgb)
        loss = loss + fading(ours[free], ab[free])
        if self.config.consistency and not hinted.all():
            factor, count = _OTHER_SIZES[int(cells.sum()) % len(_OTHER_SIZES)]
            some = free.nonzero()[:count, 0]
            other = self._at_another_size(network, frozen, seen[some], factor, bias)
            apart = inconsistency(plain[some].detach(), other * scale)
            theirs, true = at_one_size(other, ab[some])
            wrong = log_error(theirs * balanced_scale(theirs, true), true)
            loss = loss + self.config.consistency * (apart + _OTHER_ERROR * wrong)
        return loss

    @property
    def _low(self) -> bool:
        return self.dtype != torch.float32

    def _with_lesson(
        self,
        loss: Tensor,
        logits: Tensor,
        lightness: Tensor,
        cells: Tensor,
        hinted: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """Return the cross-entropy with the teacher's share; (B * n, Q) logits at (B, n, 1) cells.

        The teacher sees pictures without hints, so it has no say where there are some.
        """
        if self.teacher is None:
            return loss
        if logits.shape[1] != len(palette(self.teacher.bin_step)):
            raise ValueError(
                f"--teacher: {self.config.teacher} has a palette in steps of "
                f"{self.teacher.bin_step}, another than the model that is trained; take one with "
                "the same bin_step."
            )
        # It is a finished model: see train.network.model.finished.
        lesson = _at_cells(self.teacher.logits(lightness), cells).flatten(0, 1)
        lesson = lesson + self.config.logit_adjustment * weights.log()
        apart = F.kl_div(logits.float().log_softmax(1), lesson.softmax(1), reduction="none").sum(1)
        free = (~hinted).repeat_interleave(cells.shape[1])
        share = self.config.taught
        return (1 - share) * loss + share * (apart * free).mean()

    def _features(
        self, network: ColorNet, frozen: ColorNet | None, lightness: Tensor
    ) -> list[Tensor]:
        """Return the encoder's maps."""
        kind = lightness.device.type
        if frozen is not None:
            with torch.no_grad():
                return frozen.encode(lightness)
        # On a CPU the backward pass of depthwise convolutions takes twice as long in bfloat16.
        with torch.autocast(kind, self.dtype, enabled=self._low and kind != "cpu"):
            return network.encode(lightness)

    def _maps(self, network: ColorNet, features: list[Tensor], hint_map: Tensor | None) -> Tensor:
        """(B, C, h, w), the decoder's last map."""
        with torch.autocast(features[0].device.type, self.dtype, enabled=self._low):
            return network.decode_features(features, hint_map)

    def _logits(self, network: ColorNet, maps: Tensor) -> Tensor:
        with torch.autocast(maps.device.type, self.dtype, enabled=self._low):
            return network.head(maps).float()

    def _spread(
        self,
        network: ColorNet,
        features: list[Tensor],
        hint_map: Tensor,
        hinted_ab: Tensor,
        lightness: Tensor,
        scale: Tensor,
        bias: Tensor,
    ) -> dict[int, Tensor]:
        """Colours (2, h, w) of each picture with hints, by index, as `Canvas.render` spreads."""
        hinted = hint_map[:, 2].flatten(1).any(1).nonzero()[:, 0].tolist()
        if not (self.config.log_error and hinted):
            return {}
        maps = self._maps(network, [one[hinted] for one in features], None)
        logits = self._logits(network, maps) - bias
        small = F.avg_pool2d(lightness, HINT_STRIDE)[:, 0]
        step, spread = network.config.bin_step, {}
        for row, i in enumerate(hinted):
            cells = Cells.read(logits[row], maps[row].float(), small[i], step)
            spread[i] = spread_hints(hint_map[i], hinted_ab[i], cells, float(scale.detach()))
        return spread

    def _at_another_size(
        self,
        network: ColorNet,
        frozen: ColorNet | None,
        lightness: Tensor,
        factor: float,
        bias: Tensor,
    ) -> Tensor:
        """(B, 2, h', w') colours of pictures without hints, seen `factor` times as large."""
        other = resized(lightness, factor)
        maps = self._maps(network, self._features(network, frozen, other), None)
        return decode_bins(self._logits(network, maps) - bias, network.config.bin_step, _VIVIDNESS)

    def _overview_shift(
        self, network: ColorNet, frozen: ColorNet | None, lightness: Tensor, maps: Tensor
    ) -> Tensor:
        """(B, C, h, w) that is added to the maps, as by `Look`."""
        small = resized(lightness, self.config.overview)
        whole = self._maps(network, self._features(network, frozen, small), None)
        return broad_shift(maps.float(), whole.float())

    def _of_colors(self, lightness: Tensor, ours: Tensor, ab: Tensor, rgb: Tensor) -> Tensor:
        """Losses on decoded colours, brought to the truth's colourfulness as calibration will."""
        loss = self.config.log_error * log_error(ours, ab)
        if self.classifier is None:
            return loss
        half = -(-len(ours) // 2)  # the classifier costs as much as the encoder
        sight = self.classifier(lightness[:half], ours[:half], rgb[:half])
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
