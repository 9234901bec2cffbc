"""How steady is a film's colour? Warping error and colour distribution consistency.

Frames are (T, 3, H, W) sRGB: uint8, or float 0..1. A grey or a frozen film scores best: always read
these beside colourfulness, and beside the figures of the true film, which has noise of its own.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from train.judging.pictures import eight_bit

CDC_STEPS = (1, 2, 4)


def warping_error(frames: Tensor, flow: Tensor, visible: Tensor) -> float:
    """Mean squared difference of each frame to the next one, warped back onto it.

    Lai et al. 2018, "Learning Blind Video Temporal Consistency": with the next frame V' warped by
    the flow and the mask M of what both frames show, the mean over pairs of frames of
    sum(M |V - warp(V')|^2) / sum(M), the mean over the channels as in their code. The flow is that
    of the true film, so that what is measured does not choose it.

    Args:
        frames: (T, 3, H, W) sRGB, uint8 or float 0..1.
        flow: (T - 1, 2, H, W) x and y in pixels by which each pixel moves into the next frame.
        visible: (T - 1, H, W) bool, the pixels that the next frame shows too.

    Returns:
        The error on 0..1 values; 0 for a still picture.

    Raises:
        ValueError: The shapes or the value range are not as described, or T < 2.
    """
    values = eight_bit(frames) / 255
    pairs, size = len(frames) - 1, tuple(frames.shape[2:])
    if pairs < 1 or flow.shape != (pairs, 2, *size) or visible.shape != (pairs, *size):
        raise ValueError(
            f"warping_error expects two or more frames (T, 3, H, W), flow (T - 1, 2, H, W) and "
            f"visible (T - 1, H, W), got {tuple(frames.shape)}, {tuple(flow.shape)} and "
            f"{tuple(visible.shape)}."
        )
    errors = []
    for frame, following, motion, mask in zip(values, values[1:], flow, visible, strict=False):
        difference = (frame - warp(following, motion)).square().mean(0)
        errors.append((difference * mask).sum() / mask.sum().clamp_min(1))
    return float(torch.stack(errors).mean())


def cdc(frames: Tensor, steps: tuple[int, ...] = CDC_STEPS) -> float:
    """Colour distribution consistency: how much the histograms of near frames differ.

    Liu et al. 2021, "Temporally Consistent Video Colorization with Deep Feature Propagation and
    Self-Regularization Learning": the Jensen-Shannon divergence (natural logarithm) of the 256-bin
    histograms of each channel of frames t and t + s; the mean over t, over the channels, and over
    the steps s.

    Args:
        frames: (T, 3, H, W) sRGB, uint8 or float 0..1.
        steps: Distances in frames.

    Returns:
        0 for a still picture, at most log 2.

    Raises:
        ValueError: The shape or value range is not as described, or T is not more than each step.
    """
    if not steps or min(steps) < 1 or len(frames) <= max(steps):
        raise ValueError(
            f"cdc at steps {steps} expects more than {max(steps, default=0)} frames, "
            f"got {len(frames)}."
        )
    levels = eight_bit(frames).flatten(2).long()  # (T, 3, H * W)
    share = torch.zeros(*levels.shape[:2], 256, dtype=torch.float64)
    share.scatter_add_(2, levels, torch.ones_like(levels, dtype=torch.float64))
    share /= levels.shape[2]
    divergences = [_jensen_shannon(share[:-step], share[step:]).mean() for step in steps]
    return float(torch.stack(divergences).mean())


def visible(forward: Tensor, backward: Tensor) -> Tensor:
    """Which pixels of a frame the next frame shows too.

    Sundaram, Brox and Keutzer 2010, as Ruder et al. 2016 take it up: a pixel is lost where the flow
    there and back does not return, |w + w'|^2 > 0.01 (|w|^2 + |w'|^2) + 0.5, and left out at the
    borders of moving things, |grad u|^2 + |grad v|^2 > 0.01 |w|^2 + 0.002, or where it leaves the
    picture.

    Args:
        forward: (2, H, W) x and y, pixels, from the frame to the next.
        backward: (2, H, W) from the next frame back.

    Returns:
        (H, W) bool.
    """
    back = warp(backward, forward)
    power = forward.square().sum(0)
    astray = (forward + back).square().sum(0) > 0.01 * (power + back.square().sum(0)) + 0.5
    down = F.pad(forward.diff(dim=1), (0, 0, 0, 1))
    right = F.pad(forward.diff(dim=2), (0, 1))
    border = (down.square() + right.square()).sum(0) > 0.01 * power + 0.002
    rows, columns = forward.shape[1:]
    x = torch.arange(columns) + forward[0]
    y = torch.arange(rows)[:, None] + forward[1]
    inside = (x >= 0) & (x <= columns - 1) & (y >= 0) & (y <= rows - 1)
    return inside & ~astray & ~border


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """Return what (C, H, W) shows at each place moved by (2, H, W) x and y in pixels; bilinear."""
    rows, columns = flow.shape[1:]
    flow = flow.to(picture)
    x = (torch.arange(columns) + 0.5 + flow[0]) * (2 / columns) - 1
    y = (torch.arange(rows)[:, None] + 0.5 + flow[1]) * (2 / rows) - 1
    grid = torch.stack((x, y), -1)[None]
    return F.grid_sample(picture[None], grid, "bilinear", "border", align_corners=False)[0]


def _jensen_shannon(one: Tensor, other: Tensor) -> Tensor:
    """Divergence of distributions over the last axis, in nats."""
    middle = (one + other) / 2
    entropy = [torch.special.entr(share).sum(-1) for share in (middle, one, other)]
    return entropy[0] - (entropy[1] + entropy[2]) / 2
