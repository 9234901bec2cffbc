"""The network before its first step, and as it is when it leaves the run."""

from dataclasses import replace

import torch
from torch import Tensor

from colorize_hub.loading import read_model
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from train.network.encoder_weights import load_encoder_weights
from train.run.config import TrainConfig


def training_layout(device: torch.device) -> torch.memory_format:
    """Give the memory layout in which a step of training is fast on a device.

    On a CPU that is channels_last. On CUDA the backward pass of depthwise convolutions in bfloat16
    takes more than a hundred times as long in it as in contiguous memory.
    """
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


def build_network(config: TrainConfig, device: torch.device) -> ColorNet:
    """Return the network at step 0: of --start, or a seeded decoder on a pretrained encoder.

    Always in eval mode: the encoder's BatchNorm keeps its ImageNet statistics and nothing else
    differs in training.

    Raises:
        ModelError: --start is no usable model folder.
        ValueError: the model of --start has another shape than the flags say.
    """
    if config.start is not None:
        network = read_model(config.start)
        # They knew the old network's maps; train.attention and train.strength give the finished
        # one new ones.
        network.attention = None
        network.config = replace(network.config, hint_attention=0, strength=())
        for flag in ("encoder", "decoder_channels"):
            has, asked = getattr(network.config, flag), getattr(config, flag)
            if has != asked:
                raise ValueError(
                    f"--start: the model in {config.start} has {flag} {has}, not {asked}; give "
                    f"--{flag.replace('_', '-')} the same value."
                )
    else:
        torch.manual_seed(config.seed)
        network = ColorNet(
            ColorizerConfig(
                encoder=config.encoder,
                decoder_channels=config.decoder_channels,
            )
        )
        load_encoder_weights(network.encoder, config.encoder, config.encoder_weights)
    layout = training_layout(device)
    return network.eval().to(device, memory_format=layout)  # pyright: ignore[reportCallIssue]


def finished(
    network: ColorNet, averaged: dict[str, Tensor], weights: Tensor, config: TrainConfig
) -> ColorNet:
    """Return a copy of the network with the averaged weights and the adjusted logits.

    Rebalanced training learns log(w p) for a bin of probability p and weight w. Taking part of
    log w back ("logit adjustment", Menon et al. 2021) returns white and grey things to themselves.
    """
    copy = ColorNet(network.config)
    copy.load_state_dict({**network.state_dict(), **averaged})
    return adjust_logits(copy, -config.logit_adjustment * weights.log()).eval()


def adjust_logits(network: ColorNet, by: Tensor) -> ColorNet:
    """Return the network, in place, with (Q,) added to its logits."""
    with torch.no_grad():
        network.head.bias += by.to(network.head.bias)  # pyright: ignore
    return network
