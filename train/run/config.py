"""TrainConfig: every flag of `python -m train`, with its help text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class TrainConfig:
    """Train a colorizer on any pictures and write a model folder that colorize_hub.load reads."""

    data: str
    """Hub dataset id, folder of pictures, folder of parquet files, or one parquet file."""
    output: Path
    """Run folder: checkpoint, logs, contact sheets, and the finished model in OUTPUT/model."""
    config_name: str | None = None
    """Configuration of a Hub dataset that has several."""
    column: str | None = None
    """Image column; found by itself when the dataset has only one."""
    split: str = "train"
    """Split of a Hub dataset."""
    streaming: bool = False
    """Read the data as a stream: nothing is prepared on disk, order is shuffled in a buffer."""
    packed: bool = False
    """Keep all pictures decoded in the memory of the GPU, and cut and wear them there."""
    resume: bool = False
    """Go on from OUTPUT/checkpoint.safetensors, with the same flags as before."""

    encoder: str = "tf_efficientnet_lite0"
    """timm backbone with features_only at strides 4, 8, 16 and 32."""
    encoder_weights: str = "imagenet"
    """imagenet (timm's, from the Hub), none, or a local .safetensors or .pth file."""
    start: Path | None = None
    """Model folder to go on from, with its encoder and decoder; the new run may have other data,
    sizes and losses."""
    decoder_channels: tuple[int, int, int, int] = (256, 192, 128, 64)
    """Decoder widths at strides 32, 16, 8 and 4."""

    pictures: int = 500_000
    """Pictures to see in all, repeats counted."""
    batch: int = 64
    """Pictures a step, over all processes."""
    sizes: tuple[int, ...] = (96, 128, 160)
    """Side of the square training crops, one phase each (progressive size)."""
    phases: tuple[float, ...] = (0.6, 0.25, 0.15)
    """Share of the pictures seen in each phase; adds up to 1."""
    unfreeze: float = 1.0
    """Share of the run after which the encoder is trained too; 1 keeps it frozen."""
    frozen_stages: int = 0
    """First stages of the encoder that are never trained; they cost the most."""
    lr: float = 2e-3
    """Peak learning rate of the decoder (AdamW, cosine with warm-up)."""
    encoder_lr: float = 1e-4
    """Peak learning rate of the encoder once it is trained."""
    warmup: int = 200
    """Steps of linear warm-up."""
    weight_decay: float = 0.02
    """AdamW weight decay."""
    ema: float = 0.999
    """Decay of the averaged weights, which are the ones that are kept."""
    rebalance: float = 0.5
    """A bin of frequency p among Q weighs 1 / ((1 - r) p + r / Q): at 1 all pixels count the same,
    towards 0 rare colours count more."""
    logit_adjustment: float = 0.5
    """Share of the rebalancing taken back from the finished model, 0 to 1."""
    log_error: float = 0.0
    """Weight of the log of the squared error of the decoded colours, brought to the truth's
    colourfulness: the figure a model is judged by."""
    perception: float = 0.0
    """Weight of the distance between our picture and the true one in the maps of the pretrained
    encoder, which looks at colour."""
    adversarial: float = 0.0
    """Weight of the doubt of a critic who learns to tell our pictures from true ones by those
    maps."""
    consistency: float = 0.0
    """Weight of the difference between the colours of a picture at two sizes."""
    overview: float = 0.0
    """Side of an overview, as a share of the crop's, that counts in the losses as it will in use: a
    picture without hints is seen once more at that size, for its broad layout; 0 sees it once."""
    wear: float = 0.0
    """Share of the pictures that the network sees worn: faded, soft, grainy or compressed, as old
    prints are; their colours stay what is learned."""
    hints: float = 0.4
    """Share of the pictures shown with simulated hints, so the model learns to follow them."""
    teacher: Path | None = None
    """Finished model whose answer is learned beside the truth: what a picture may be, not only what
    it is. It may be the model of --start."""
    taught: float = 0.6
    """Share of the teacher's answer in the cross-entropy, 0 to 1; the rest is the truth's."""
    cells: float = 0.25
    """Share of each picture's output cells that enter the loss."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """auto is bf16 where the machine is fast in it."""

    validation: int = 256
    """Pictures held out of the training for evaluation and calibration."""
    evaluate_every: int = 1000
    """Steps between evaluations with a contact sheet."""
    save_every: int = 200
    """Steps between checkpoints."""
    push: str | None = None
    """user/model on the Hub to publish the finished model in; made at the start if it does not
    exist. It gets a card and the metrics of the held-out pictures."""
    push_every: int = 0
    """Steps between checkpoints sent to the branch `checkpoints` of --push, in the background; 0
    sends none."""
    private: bool = False
    """Make the new repo of --push private."""
    revision: str | None = None
    """Branch of --push for the finished model; main when left out."""

    log: Literal["tensorboard", "none"] = "tensorboard"
    """Where metrics and contact sheets go, beside OUTPUT/samples."""
    seed: int = 0
    """Seed of everything random."""

    def __post_init__(self) -> None:
        if len(self.sizes) != len(self.phases) or abs(sum(self.phases) - 1) > 1e-6:
            raise ValueError(
                "sizes and phases must be equally many and phases must add up to 1, "
                f"got {self.sizes} and {self.phases}."
            )
        if any(size % 32 or size < 32 for size in self.sizes):
            raise ValueError(f"sizes must be multiples of 32, got {self.sizes}.")
        if not 0 <= self.overview < 1:
            raise ValueError(
                f"overview must be a share of the crop's side, 0 to below 1, got {self.overview}."
            )
        if not 0 <= self.wear <= 1:
            raise ValueError(f"wear must be a share of the pictures, 0 to 1, got {self.wear}.")
        if not 0 <= self.taught <= 1:
            raise ValueError(f"taught must be a share of the loss, 0 to 1, got {self.taught}.")
        if min(self.pictures, self.batch) < 1:
            raise ValueError("pictures and batch must be at least 1.")
        if self.packed and self.streaming:
            raise ValueError(
                "--packed holds all pictures, and --streaming does not: give one of them."
            )
        if self.push is None and (self.push_every or self.private or self.revision):
            raise ValueError("--push-every, --private and --revision need --push user/model.")

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return -(-self.pictures // self.batch)

    def size_at(self, position: int) -> int:
        """Crop side of the picture seen at this position (0-based, over the whole run)."""
        passed = 0.0
        for size, phase in zip(self.sizes, self.phases, strict=True):
            passed += phase
            # Whole batches only: all pictures of a step have one size.
            if position < round(passed * self.steps) * self.batch:
                return size
        return self.sizes[-1]
