"""`python -m train.attention`: teach a finished model what hints say about the rest of a picture.

The network stays as it is; only its HintAttention (colorize_hub/attention.py) is trained, on cells
of pictures that the network has seen once. Some of the cells play the hints, others are judged.
Things that are recoloured and pictures that are faded at random teach it to follow hints that no
photograph would have given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from colorize_hub.colour.lab import rgb_to_lab
from colorize_hub.colour.palette import decode_bins
from colorize_hub.engines.fused import fuse
from colorize_hub.hints.cells import Cells
from colorize_hub.hints.hint import HINT_STRIDE
from colorize_hub.hints.kriging import Kriging
from colorize_hub.loading import read_model, save
from colorize_hub.network.attention import HintAttention
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.look import Look
from train.data.augment import crop
from train.judging.pictures import SIDE, read_pictures, to_batch
from train.run.command import check_writable, run_command
from train.run.course import rate_factor, update_average

_KEPT = 224  # cells of a picture: more pictures teach more than more of each
_COUNTS = (1, 2, 3, 5, 8, 10, 12, 15, 20, 35, 50)  # hints, each as often
_JUDGED = 160  # cells a picture and step
_RECOLOUR = 30.0  # standard deviation, ab units
_ONE_THING = 15.0  # ab units: colours nearer than this belong to the same thing
_RIGHT = 0.5  # squared ab units: less than this is hardly seen, even where all is grey
_EMA = 0.998
_WARMUP = 100
_SAVED_EVERY = 500  # steps


@dataclass(frozen=True)
class AttentionConfig:
    """Train the attention from cells to hints of a finished model, which otherwise stays."""

    model: Path
    """Model folder. Its attention is what the training begins with, if it has the same width."""
    data: str
    """Hub dataset id, folder of pictures, folder of parquet files, or one parquet file: best with a
    short side of 256 pixels or more."""
    output: Path
    """Model folder to write, now and then and at the end."""
    column: str | None = None
    """Image column; found by itself when the dataset has only one."""
    split: str = "train"
    """Split of a Hub dataset."""
    pictures: int = 20_000
    """Pictures to learn from; one takes 0.2 MB of memory."""
    steps: int = 10_000
    """Steps."""
    batch: int = 24
    """Pictures a step."""
    width: int = 96
    """Of the attention, a multiple of 6."""
    lr: float = 1.5e-3
    """Peak learning rate (AdamW, half a cosine)."""
    recolour: float = 0.3
    """Share of the pictures in which one thing has another colour than it had."""
    fade: float = 0.15
    """Share of the pictures that lose some or, every other one, all of their colour."""
    seed: int = 0
    """Seed of everything random."""


@dataclass(frozen=True)
class Scene:
    """Some cells of a picture: what the network sees, says, and what is true.

    Attributes:
        cells: of them, in float16.
        own_ab: (2, P) a*b* that the network predicts, chroma not scaled.
        true_ab: (2, P).
    """

    cells: Cells
    own_ab: Tensor
    true_ab: Tensor

    def take(self, at: Tensor) -> Scene:
        """Return some of the cells, in float32."""
        *cells, own_ab, true_ab = self.parts()
        chosen = (part[at].float() for part in cells)
        return Scene(Cells(*chosen), own_ab[:, at].float(), true_ab[:, at].float())

    def parts(self) -> list[Tensor]:
        """All of its tensors."""
        cells = (getattr(self.cells, field.name) for field in fields(Cells))
        return [*cells, self.own_ab, self.true_ab]


def train_attention(config: AttentionConfig) -> Path:
    """Train, and write the model with its attention.

    Returns:
        The model folder.

    Raises:
        ModelError: there is no usable model.
        OSError: the output cannot be written.
        ValueError: no pictures.
    """
    network = read_model(config.model)
    check_writable(config.output, "--output")
    rng = np.random.default_rng(config.seed)
    pictures = read_pictures(config.data, config.split, config.column, config.pictures)
    seen = side_by_side(scenes(network, pictures, rng), config.pictures)
    if not seen:
        raise ValueError(f"{config.data} holds no picture to learn from.")
    network = with_attention(network, config)
    attention = network.attention
    assert attention is not None
    averaged = [p.detach().clone() for p in attention.parameters()]
    optimizer = torch.optim.AdamW(attention.parameters(), weight_decay=0.01)
    losses = []
    for step in (bar := tqdm(range(config.steps), unit=" steps")):
        factor = rate_factor(step, config.steps, _WARMUP)
        optimizer.param_groups[0]["lr"] = config.lr * factor
        chosen = rng.integers(len(seen), size=config.batch)
        truths = [changed(seen[i], config, rng) for i in chosen]
        loss = gain(truths, attention, network.config, rng)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(attention.parameters(), 1.0)
        optimizer.step()
        update_average(averaged, attention.parameters(), step, _EMA)
        losses = [*losses[-199:], loss.item()]
        bar.set_postfix(loss=f"{np.mean(losses):.4f}")
        if (step + 1) % _SAVED_EVERY == 0 or step + 1 == config.steps:
            _save(network, averaged, config.output)
    return config.output


def with_attention(network: ColorNet, config: AttentionConfig) -> ColorNet:
    """Return the network with an attention of this width: its own, or a new one."""
    if network.config.hint_attention == config.width:
        return network
    torch.manual_seed(config.seed)
    grown = ColorNet(replace(network.config, hint_attention=config.width))
    weights = {n: v for n, v in network.state_dict().items() if not n.startswith("attention.")}
    grown.load_state_dict(weights, strict=False)
    return grown.eval()


@torch.inference_mode()
def scenes(
    network: ColorNet, pictures: Iterable[np.ndarray], rng: np.random.Generator
) -> Iterator[Scene]:
    """See random squares of pictures (H, W, 3) uint8, and keep some cells of each."""
    config, device = network.config, torch.device("cpu")
    fast = fuse(for_inference(network, fast_dtype(device)))
    for picture in pictures:
        lab = rgb_to_lab(to_batch([crop(picture, SIDE, rng)]).float() / 255)
        look, small = Look(fast, lab[:, :1]), F.avg_pool2d(lab[0], HINT_STRIDE)
        logits = look.plain.float()
        cells = Cells.read(logits[0], look.maps[0], small[0], config.bin_step)
        own = decode_bins(logits, config.bin_step, config.vividness)[0]
        kept = torch.from_numpy(rng.permutation(len(cells.ab))[:_KEPT])
        values = {field.name: getattr(cells, field.name)[kept].half() for field in fields(Cells)}
        colours = (ab.flatten(1)[:, kept].half() for ab in (own, small[1:]))
        yield Scene(Cells(**values), *colours)


def side_by_side(seen: Iterable[Scene], most: int) -> list[Scene]:
    """Up to `most` scenes, in a few large blocks of memory.

    Each in memory of its own, they would lie between what comes and goes while the next is seen,
    and leave holes ten times their size.
    """
    kept: list[Scene] = []
    shelves: list[Tensor] = []
    for number, scene in enumerate(islice(seen, most)):
        parts = scene.parts()
        shelves = shelves or [part.new_empty((most, *part.shape)) for part in parts]
        places = [shelf[number] for shelf in shelves]
        for place, part in zip(places, parts, strict=True):
            place.copy_(part)
        *cells, own_ab, true_ab = places
        kept.append(Scene(Cells(*cells), own_ab, true_ab))
    return kept


def gain(
    seen: list[Scene],
    attention: HintAttention,
    config: ColorizerConfig,
    rng: np.random.Generator,
) -> Tensor:
    """Log of the squared error with attention, less that of kriging alone: mean over pictures.

    The attention counts for as much as it does in use, see Kriging.trust.
    """
    count = int(rng.choice(_COUNTS))
    inputs, trusts, truths = [], [], []
    for scene in seen:
        cells = torch.from_numpy(rng.permutation(scene.true_ab.shape[1])[: count + _JUDGED])
        some = scene.take(cells)
        truth = some.true_ab
        anchors, rest = torch.arange(count), torch.arange(count, len(cells))
        wanted = truth[:, anchors]
        kriging = Kriging(some.cells, anchors, wanted, some.own_ab, config.chroma_scale)
        found, looked = kriging.at(rest), some.cells.seen
        inputs.append((looked[rest], looked[anchors], kriging.hints, found.spread, found.relation))
        trusts.append(kriging.trust(found))
        truths.append(truth[:, rest])
    stacked = [torch.stack(one) for one in zip(*inputs, strict=True)]
    truth = torch.stack(truths).transpose(1, 2)  # (B, P, 2)
    kriged = stacked[3][..., :2]
    ours = torch.lerp(kriged, attention(*stacked), torch.stack(trusts))
    attentive, plain = (
        ((ab - truth).square().mean((1, 2)) + _RIGHT).log().mean() for ab in (ours, kriged)
    )
    return attentive - plain


def changed(scene: Scene, config: AttentionConfig, rng: np.random.Generator) -> Scene:
    """Return the same picture, perhaps with one thing in another colour, perhaps faded."""
    ab = scene.true_ab.float()
    if rng.random() < config.recolour:
        one = ab[:, int(rng.integers(ab.shape[1]))][:, None]
        alike = torch.exp(-((ab - one).square().sum(0) / _ONE_THING**2))
        ab = ab + alike * torch.from_numpy(rng.normal(0, _RECOLOUR, (2, 1))).float()
    if rng.random() < config.fade:
        ab = ab * (rng.random() * (rng.random() < 0.5))
    return replace(scene, true_ab=ab)


def _save(network: ColorNet, averaged: list[Tensor], folder: Path) -> None:
    attention = network.attention
    assert attention is not None
    current = [p.detach().clone() for p in attention.parameters()]
    with torch.no_grad():
        torch._foreach_copy_(list(attention.parameters()), averaged)  # pyright: ignore
        save(network, folder)
        torch._foreach_copy_(list(attention.parameters()), current)  # pyright: ignore


def main() -> None:
    """Read the flags and train."""
    run_command("train.attention", AttentionConfig, lambda c: f"Wrote {train_attention(c)}")


if __name__ == "__main__":
    main()
