"""The training run, top to bottom."""

import logging
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.palette import palette
from colorize_hub.hints.hint import HINT_STRIDE
from colorize_hub.loading import save
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.config import ColorizerConfig
from train.data.examples import (
    Examples,
    Share,
    TrainingData,
    open_training_data,
    training_batches,
)
from train.data.packed import packed_batches
from train.data.source import cores
from train.network.model import adjust_logits, build_network, finished
from train.objective.losses import bin_prior, bin_weights
from train.objective.objective import Objective
from train.run.checkpoint import (
    FILE_NAME,
    Progress,
    fingerprint,
    load_checkpoint,
    save_checkpoint,
)
from train.run.command import check_writable
from train.run.config import TrainConfig
from train.run.course import rate_factor, update_average
from train.run.report import Reporter
from train.run.upload import Uploader, write_record

_PRIOR_PICTURES = 2000
_CLIP = 1.0
_CRITIC_LR = 5e-4
_STAGE = re.compile(r"(?:blocks|stages|layer)[._]?(\d+)")

logger = logging.getLogger(__name__)


def train(config: TrainConfig) -> Path | None:
    """Run (or resume) a training to its end, or to SIGINT.

    Returns:
        The model folder OUTPUT/model, or None when interrupted.

    Raises:
        OSError: the output cannot be written to.
        ValueError: the output holds another run and --resume is not given, or the flags do not fit.
    """
    accelerator = Accelerator()
    share = Share(accelerator.process_index, accelerator.num_processes)
    check_writable(config.output, "--output")
    if not config.resume and (config.output / FILE_NAME).exists():
        raise ValueError(
            f"--output: {config.output} holds a run already; go on with it by --resume, or name "
            "another folder."
        )
    dtype = _precision(config, accelerator.device)
    uploader = Uploader(config) if config.push and share.rank == 0 else None

    network = build_network(config, accelerator.device)
    objective = Objective(config, accelerator.device, dtype)
    optimizer = _optimizer(network, objective, config)
    averaged = _parameters(network)
    with accelerator.main_process_first():
        data = open_training_data(config, share)
    if config.resume:
        prior, progress = load_checkpoint(
            config.output, network, averaged, optimizer, fingerprint(config), objective.critic
        )
    else:
        prior = _measure_prior(data, config).to(accelerator.device)
        # Streams differ between processes; the loss must not.
        prior = torch.as_tensor(accelerator.reduce(prior, reduction="mean")).cpu()
        progress = Progress(read=(0,) * share.count)
    weights = bin_weights(prior, config.rebalance).to(accelerator.device)
    if config.start is not None and not config.resume:  # a finished model
        adjust_logits(network, config.logit_adjustment * weights.log())
        averaged = _parameters(network)
    reporter = Reporter(config, data.validation, data.description, share.rank == 0)

    def checkpoint() -> None:
        own = torch.tensor([read], device=accelerator.device)
        progress.read = tuple(torch.as_tensor(accelerator.gather(own)).tolist())
        if share.rank == 0:
            save_checkpoint(
                config.output,
                network,
                averaged,
                optimizer,
                prior,
                progress,
                fingerprint(config),
                objective.critic,
            )

    if config.streaming and len(progress.read) != share.count:
        raise ValueError(
            f"--resume: {len(progress.read)} processes shared this stream, now {share.count} do; "
            "go on with as many as before."
        )
    read = progress.read[share.rank] if config.streaming else 0
    if config.packed and isinstance(data.source, Examples):
        batches = packed_batches(data.source, share, progress.step, config, accelerator.device)
    else:
        workers = _feeders(accelerator.device, share)
        batches = training_batches(data, share, progress.step, read, config, workers)
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
            unfreeze(network.encoder, tuned, config.frozen_stages)
            factor = rate_factor(progress.step, config.steps, config.warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            loss = objective(network, None if tuned else frozen, batch, weights)
            loss.backward()
            trained = [*network.parameters(), *objective.parameters()]
            loss, stop = _agree(trained, loss.detach(), interrupted, accelerator)
            torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
            optimizer.step()
            optimizer.zero_grad()
            update_average(averaged.values(), network.parameters(), progress.step, config.ema)

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
            if uploader is not None and uploader.wants(progress.step):
                uploader.send(progress.step, finished(network, averaged, weights, config))
    bar.close()
    if share.rank == 0:
        save(finished(network, averaged, weights, config), config.output / "model")
        reporter.finish(config.output / "model")
        write_record(config, progress.seconds, data, config.output / "model")
        if uploader is not None:
            uploader.finish(config.output / "model")
    accelerator.wait_for_everyone()
    return config.output / "model"


def _precision(config: TrainConfig, device: torch.device) -> torch.dtype:
    if config.precision == "auto":
        return fast_dtype(device)
    return torch.bfloat16 if config.precision == "bf16" else torch.float32


def _feeders(device: torch.device, share: Share) -> int:
    """Count the processes that make batches: on a CPU one, since the network needs the cores."""
    return 1 if device.type == "cpu" else max(1, cores() // share.count - 1)


def _parameters(network: ColorNet) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in network.named_parameters()}


def _optimizer(
    network: ColorNet, objective: Objective, config: TrainConfig
) -> torch.optim.Optimizer:
    encoder = list(network.encoder.parameters())
    inside = {id(parameter) for parameter in encoder}
    decoder = [parameter for parameter in network.parameters() if id(parameter) not in inside]
    groups: list[dict[str, object]] = [
        {"params": decoder, "peak": config.lr},
        {"params": encoder, "peak": config.encoder_lr},
    ]
    if objective.critic is not None:
        critic = list(objective.critic.parameters())
        groups.append({"params": critic, "peak": _CRITIC_LR, "betas": (0.5, 0.99)})
    return torch.optim.AdamW(groups, lr=0.0, weight_decay=config.weight_decay, fused=True)


def unfreeze(encoder: nn.Module, tuned: bool, frozen_stages: int) -> None:
    """Let gradients into the encoder, but not into its stem and first stages if these are frozen.

    Stages are told by timm's names: blocks.0, stages_0, layer1 and the like.
    """
    encoder.requires_grad_(tuned)
    if not (tuned and frozen_stages):
        return
    stage_of = {name: _STAGE.match(name) for name, _ in encoder.named_parameters()}
    stages = sorted({int(stage[1]) for stage in stage_of.values() if stage})
    for name, parameter in encoder.named_parameters():
        stage = stage_of[name]
        if stage is None or int(stage[1]) in stages[:frozen_stages]:
            parameter.requires_grad_(False)


def _agree(
    trained: list[nn.Parameter], loss: Tensor, interrupted: list[int], accelerator: Accelerator
) -> tuple[float, bool]:
    """Average gradients and loss over the processes; stop when any was interrupted."""
    if accelerator.num_processes == 1:
        return float(loss), bool(interrupted)
    gradients = [p.grad for p in trained if p.grad is not None]
    stop = loss.new_tensor(float(bool(interrupted)))
    flat = torch.cat([g.flatten() for g in gradients] + [loss[None], stop[None]])
    flat = torch.as_tensor(accelerator.reduce(flat, reduction="mean"))
    for gradient, mean in zip(
        gradients, flat.split([g.numel() for g in gradients] + [2])[:-1], strict=True
    ):
        gradient.copy_(mean.view_as(gradient))
    return float(flat[-2]), bool(flat[-1] > 0)


def _measure_prior(data: TrainingData, config: TrainConfig) -> Tensor:
    """(Q,) how often each bin occurs, over some pictures of the training data."""
    step = ColorizerConfig().bin_step
    prior = torch.zeros(len(palette(step)))
    for rgb in data.sample(_PRIOR_PICTURES):
        ab = rgb_to_lab(torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255)[:, 1:]
        prior += bin_prior(F.avg_pool2d(ab, HINT_STRIDE).flatten(2)[0].T, step)
    return prior / prior.sum()


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list instead of dying of them."""
    caught: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda number, _: caught.append(number)) for kind in kinds]
    try:
        yield caught
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
