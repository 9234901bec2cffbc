"""The training run, top to bottom."""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import cos, pi
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor
from tqdm import tqdm

from colorize_hub.bins import palette
from colorize_hub.color import rgb_to_lab
from colorize_hub.config import ColorizerConfig
from colorize_hub.hints import HINT_STRIDE
from colorize_hub.hub import save
from colorize_hub.network import ColorNet, fast_dtype, for_inference
from train.checkpoint import FILE_NAME, Progress, load_checkpoint, save_checkpoint
from train.config import TrainConfig
from train.encoder_weights import load_encoder_weights
from train.examples import Example, Share, TrainingData, open_training_data, training_batches
from train.losses import bin_prior, bin_weights, soft_cross_entropy
from train.report import Reporter

_PRIOR_PICTURES = 2000
_CLIP = 1.0

logger = logging.getLogger(__name__)


def train(config: TrainConfig) -> Path | None:
    """Run (or resume) a training to its end, or to SIGINT.

    Returns:
        The model folder OUTPUT/model, or None when interrupted.

    Raises:
        ValueError: the output holds another run and --resume is not given, or the flags do not fit.
    """
    accelerator = Accelerator()
    share = Share(accelerator.process_index, accelerator.num_processes)
    config.output.mkdir(parents=True, exist_ok=True)
    if not config.resume and (config.output / FILE_NAME).exists():
        raise ValueError(
            f"--output: {config.output} holds a run already; go on with it by --resume, or name "
            "another folder."
        )
    dtype = _precision(config, accelerator.device)

    network = build_network(config).to(accelerator.device)
    optimizer = _optimizer(network, config)
    averaged = {name: p.detach().clone() for name, p in network.named_parameters()}
    with accelerator.main_process_first():
        data = open_training_data(config, share)
    if config.resume:
        prior, progress = load_checkpoint(
            config.output, network, averaged, optimizer, _fingerprint(config)
        )
    else:
        prior = _measure_prior(data, config).to(accelerator.device)
        # Streams differ between processes; the loss must not.
        prior = torch.as_tensor(accelerator.reduce(prior, reduction="mean")).cpu()
        progress = Progress(read=(0,) * share.count)
    weights = bin_weights(prior, config.rebalance).to(accelerator.device)
    reporter = Reporter(config, data.validation, data.description, share.rank == 0)

    def checkpoint() -> None:
        own = torch.tensor([read], device=accelerator.device)
        progress.read = tuple(torch.as_tensor(accelerator.gather(own)).tolist())
        if share.rank == 0:
            save_checkpoint(
                config.output, network, averaged, optimizer, prior, progress, _fingerprint(config)
            )

    if config.streaming and len(progress.read) != share.count:
        raise ValueError(
            f"--resume: {len(progress.read)} processes shared this stream, now {share.count} do; "
            "go on with as many as before."
        )
    read = progress.read[share.rank] if config.streaming else 0
    batches = training_batches(data, share, progress.step, read, config)
    frozen = for_inference(network, dtype)
    bar = tqdm(
        total=config.steps * config.batch,
        initial=progress.step * config.batch,
        unit=" pictures",
        smoothing=0.02,
        disable=share.rank != 0,
    )
    started = time.monotonic() - progress.seconds
    with _interruptible() as interrupted:
        while progress.step < config.steps:
            batch = next(batches)
            tuned = progress.step >= config.unfreeze * config.steps
            network.encoder.requires_grad_(tuned)
            _set_rates(optimizer, progress.step, config)
            loss = batch_loss(network, None if tuned else frozen, batch, weights, dtype)
            loss.backward()
            loss, stop = _agree(network, loss.detach(), interrupted, accelerator)
            torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
            optimizer.step()
            optimizer.zero_grad()
            _average(averaged, network, progress.step, config.ema)

            progress.step += 1
            progress.seconds = time.monotonic() - started
            read = int(torch.as_tensor(batch["read"]).max())
            bar.update(config.batch)
            reporter.loss(progress.step, loss, bar)
            if stop or progress.step % config.save_every == 0 or progress.step == config.steps:
                checkpoint()
            if stop:
                logger.warning("Stopped at step %d; go on with --resume.", progress.step)
                return None
            if progress.step % config.evaluate_every == 0 and share.rank == 0:
                reporter.evaluate(progress.step, finished(network, averaged, weights, config))
    bar.close()
    if share.rank == 0:
        save(finished(network, averaged, weights, config), config.output / "model")
        reporter.finish(config.output / "model")
    accelerator.wait_for_everyone()
    return config.output / "model"


def build_network(config: TrainConfig) -> ColorNet:
    """The network at step 0: seeded decoder, pretrained encoder.

    Always in eval mode: the encoder's BatchNorm keeps its ImageNet statistics and nothing else
    differs in training.
    """
    torch.manual_seed(config.seed)
    network = ColorNet(
        ColorizerConfig(encoder=config.encoder, decoder_channels=config.decoder_channels)
    )
    load_encoder_weights(network.encoder, config.encoder, config.encoder_weights)
    return network.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def finished(
    network: ColorNet, averaged: dict[str, Tensor], weights: Tensor, config: TrainConfig
) -> ColorNet:
    """A copy of the network with the averaged weights and the adjusted logits.

    Rebalanced training learns log(w p) for a bin of probability p and weight w. Taking part of
    log w back ("logit adjustment", Menon et al. 2021) returns white and grey things to themselves.
    """
    copy = ColorNet(network.config)
    copy.load_state_dict({**network.state_dict(), **averaged})
    with torch.no_grad():
        copy.head.bias -= config.logit_adjustment * weights.log().to(copy.head.bias)  # pyright: ignore
    return copy.eval()


def batch_loss(
    network: ColorNet,
    frozen: ColorNet | None,
    batch: Example,
    weights: Tensor,
    dtype: torch.dtype,
) -> Tensor:
    """Loss of one batch; the head runs only on the cells that enter it.

    Args:
        network: being trained.
        frozen: its encoder made for inference, or None when the encoder is trained too.
        batch: from `training_batches`.
        weights: (Q,) bin weights.
        dtype: of the network's arithmetic; colours and the loss are float32.
    """
    device = weights.device
    lab = rgb_to_lab(batch["rgb"].to(device).float() / 255)
    lightness, ab = lab[:, :1], F.avg_pool2d(lab[:, 1:], HINT_STRIDE)
    mask = batch["hint_mask"].to(ab)
    hint_map = torch.cat((ab * mask, mask), dim=1)
    cells = batch["cells"].to(device)[:, :, None]  # (B, n, 1)
    low = dtype != torch.float32
    if frozen is None:
        # On a CPU the backward pass of depthwise convolutions takes twice as long in bfloat16.
        with torch.autocast(device.type, dtype, enabled=low and device.type != "cpu"):
            features = network.encode(lightness)
    else:
        with torch.no_grad():
            features = frozen.encode(lightness)
    with torch.autocast(device.type, dtype, enabled=low):
        maps = network.decode_features(features, hint_map)  # (B, C, h, w)
        picked = _at_cells(maps, cells).flatten(0, 1)  # (B * n, C)
        logits = F.linear(picked, network.head.weight.flatten(1), network.head.bias)
    return soft_cross_entropy(
        logits, _at_cells(ab, cells).flatten(0, 1), network.config.bin_step, weights
    )


def _at_cells(maps: Tensor, cells: Tensor) -> Tensor:
    """(B, C, h, w) at (B, n, 1) flat cell indices -> (B, n, C)."""
    flat = maps.permute(0, 2, 3, 1).flatten(1, 2)
    return flat.gather(1, cells.expand(-1, -1, flat.shape[2]))


def _precision(config: TrainConfig, device: torch.device) -> torch.dtype:
    if config.precision == "auto":
        return fast_dtype(device)
    return torch.bfloat16 if config.precision == "bf16" else torch.float32


def _optimizer(network: ColorNet, config: TrainConfig) -> torch.optim.Optimizer:
    encoder = list(network.encoder.parameters())
    inside = {id(parameter) for parameter in encoder}
    decoder = [parameter for parameter in network.parameters() if id(parameter) not in inside]
    groups = [
        {"params": decoder, "peak": config.lr},
        {"params": encoder, "peak": config.encoder_lr},
    ]
    return torch.optim.AdamW(groups, lr=0.0, weight_decay=config.weight_decay, fused=True)


def _set_rates(optimizer: torch.optim.Optimizer, step: int, config: TrainConfig) -> None:
    """Linear warm-up, then half a cosine down to zero."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    factor = warm * (1 + cos(pi * step / config.steps)) / 2
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def _agree(
    network: ColorNet, loss: Tensor, interrupted: list[int], accelerator: Accelerator
) -> tuple[float, bool]:
    """Average gradients and loss over the processes; stop when any was interrupted."""
    if accelerator.num_processes == 1:
        return float(loss), bool(interrupted)
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    stop = loss.new_tensor(float(bool(interrupted)))
    flat = torch.cat([g.flatten() for g in gradients] + [loss[None], stop[None]])
    flat = torch.as_tensor(accelerator.reduce(flat, reduction="mean"))
    for gradient, mean in zip(
        gradients, flat.split([g.numel() for g in gradients] + [2])[:-1], strict=True
    ):
        gradient.copy_(mean.view_as(gradient))
    return float(flat[-2]), bool(flat[-1] > 0)


def _average(averaged: dict[str, Tensor], network: ColorNet, step: int, decay: float) -> None:
    decay = min(decay, (1 + step) / (10 + step))
    current = [p.detach() for p in network.parameters()]
    torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
        [averaged[name] for name, _ in network.named_parameters()], current, 1 - decay
    )


def _measure_prior(data: TrainingData, config: TrainConfig) -> Tensor:
    """(Q,) how often each bin occurs, over some pictures of the training data."""
    step = ColorizerConfig().bin_step
    prior = torch.zeros(len(palette(step)))
    for rgb in data.sample(_PRIOR_PICTURES):
        ab = rgb_to_lab(torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255)[:, 1:]
        prior += bin_prior(F.avg_pool2d(ab, HINT_STRIDE).flatten(2)[0].T, step)
    return prior / prior.sum()


def _fingerprint(config: TrainConfig) -> dict[str, object]:
    """The settings that decide the weights: a resumed run must share them.

    The length may change: schedule and sizes then follow the new length from there on.
    """
    free = {
        "pictures",
        "output",
        "resume",
        "log",
        "evaluate_every",
        "save_every",
        "logit_adjustment",
    }
    return {key: value for key, value in vars(config).items() if key not in free}


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM in a list instead of dying of them."""
    caught: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda number, _: caught.append(number)) for kind in kinds]
    try:
        yield caught
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
