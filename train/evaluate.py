"""`python -m train.evaluate`: score a model on pictures whose true colours are known.

Every picture is brought to 256x256, made grey by its L*, coloured by the model as a user would
have it coloured, and compared with the truth and with plain grey.
"""

import io
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import tyro
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

from colorize_hub.color import lightness_to_grey, rgb_to_lightness
from colorize_hub.colorizer import Colorizer
from colorize_hub.compose import working_shape
from colorize_hub.hub import load
from colorize_hub.image import PictureError, read_picture
from colorize_hub.metrics import colorfulness, delta_e, kid, out_of_gamut, psnr
from train.classifier import Classifier
from train.contact_sheet import ACROSS, contact_sheet
from train.data import open_dataset

SIDE = 256
Metrics = dict[str, float | int | str]

_BATCH = 16
_SHOWN = 2 * ACROSS
_SEED = 0


@dataclass(frozen=True)
class EvaluateConfig:
    """Score a model on true colour pictures; write metrics.json and contact_sheet.jpg."""

    data: str
    """Hub dataset id, folder of pictures, folder of parquet files, or one parquet file."""
    output: Path
    """Folder for metrics.json and contact_sheet.jpg."""
    model: str | None = None
    """Hub model id or model folder; the bundled model when left out."""
    column: str | None = None
    """Image column; found by itself when the dataset has only one."""
    split: str = "test"
    """Split of a Hub dataset."""
    limit: int | None = None
    """At most this many pictures, drawn with a fixed seed; all of them when left out."""
    size: int | None = None
    """Working short side in pixels; the model's own when left out."""
    vividness: float | None = None
    """0 (safe, dull) to 1 (vivid); the model's calibrated value when left out."""
    kid_weights: str = "imagenet"
    """Weights of the classifier that KID looks through: imagenet (timm's, from the Hub), none (no
    KID), or a local .safetensors or .pth file."""
    kid_encoder: str = "tf_efficientnet_lite2"
    """timm name of that classifier; must not be the model's own encoder."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        metrics: the content of metrics.json, in its order.
        sheet: grey, ours and truth of some pictures, always the same ones.
    """

    metrics: Metrics
    sheet: Image.Image


def evaluate(
    colorizer: Colorizer,
    pictures: Iterable[np.ndarray],
    data: str,
    *,
    size: int | None = None,
    vividness: float | None = None,
    classifier: Classifier | None = None,
) -> Evaluation:
    """Score a colorizer by the pictures' own colours.

    Args:
        colorizer: as a user would load it.
        pictures: (H, W, 3) uint8 sRGB; those that are not 256x256 go through `square`.
        data: name of the data, for metrics.json.
        size: working short side in pixels; None takes the model's.
        vividness: None takes the model's.
        classifier: for KID; None leaves KID out.

    Raises:
        ValueError: there are no pictures.
    """
    scores: dict[str, list[float]] = {}
    features: dict[str, list[Tensor]] = {"ours": [], "grey": [], "truth": []}
    shown = _Sample(_SHOWN)
    waiting = map(square, pictures)
    while truths := list(islice(waiting, _BATCH)):
        greys = [to_grey(truth) for truth in truths]
        coloured = colorizer.colorize(greys, size=size, vividness=vividness)
        ours = [np.asarray(picture) for picture in coloured]
        share_outside = _out_of_gamut(colorizer, greys, size, vividness)
        for grey, our, truth, outside in zip(greys, ours, truths, share_outside, strict=True):
            shown.offer((grey, our, truth))
            for name, value in _score(grey, our, truth).items():
                scores.setdefault(name, []).append(value)
            scores.setdefault("out_of_gamut", []).append(outside)
        if classifier is not None:
            for name, batch in (("ours", ours), ("grey", greys), ("truth", truths)):
                features[name].append(classifier.features(_batch(batch)))
    if not scores:
        raise ValueError(f"{data} holds no picture to evaluate on.")
    metrics = _summary(scores, data, size or colorizer.config.size)
    if classifier is not None and len(scores["psnr"]) > 1:
        metrics |= _kid({name: torch.cat(parts) for name, parts in features.items()})
    greys, ours, truths = zip(*shown.kept(), strict=True)
    return Evaluation(metrics, contact_sheet({"grey": greys, "ours": ours, "truth": truths}))


def read_pictures(
    data: str, split: str, column: str | None = None, limit: int | None = None
) -> Iterator[np.ndarray]:
    """Pictures of any data source that training takes, upright and in sRGB, grey ones included.

    Args:
        data: Hub dataset id, folder of pictures or of parquet files, or a parquet file.
        split: for Hub datasets.
        column: image column; None finds it.
        limit: at most this many, drawn with a fixed seed; None takes all.

    Yields:
        (H, W, 3) uint8. Pictures that cannot be read are left out and counted on the terminal.
    """
    rows = open_dataset(data, split, column, streaming=False)
    if limit is not None and limit < len(rows):  # pyright: ignore[reportArgumentType]
        rows = rows.shuffle(seed=_SEED).take(limit)
    broken = 0
    for row in tqdm(rows, unit=" pictures"):
        source = row["image"]["bytes"] or row["image"]["path"]
        try:
            opened = Image.open(io.BytesIO(source)) if isinstance(source, bytes) else source
            pixels = read_picture(opened).pixels
        except (PictureError, OSError):
            broken += 1
            continue
        if pixels.dtype == np.uint16:
            pixels = (pixels // 257).astype(np.uint8)
        yield np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if broken:
        tqdm.write(f"{broken} pictures of {data} could not be read and are left out.")


def square(rgb: np.ndarray) -> np.ndarray:
    """Bring (H, W, 3) uint8 to 256x256: short side to 256 (Lanczos), then the middle."""
    if rgb.shape[:2] == (SIDE, SIDE):
        return rgb
    image = Image.fromarray(np.ascontiguousarray(rgb))
    return np.asarray(ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS))


def to_grey(rgb: np.ndarray) -> np.ndarray:
    """The 8-bit grey picture (H, W) with the L* of (H, W, 3) uint8."""
    grey = lightness_to_grey(rgb_to_lightness(_batch([rgb]).float() / 255))
    return (grey[0, 0] * 255).round().byte().numpy()


def data_name(data: str) -> str:
    """How data is called in public: a Hub id as it is, a path by its last part."""
    return Path(data).name if Path(data).exists() else data


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write metrics.json and contact_sheet.jpg into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(evaluation.metrics, indent=2) + "\n")
    evaluation.sheet.save(folder / "contact_sheet.jpg", quality=90)


def main() -> None:
    """Read the flags, evaluate, write and print the result."""
    config = tyro.cli(EvaluateConfig, prog="python -m train.evaluate")
    colorizer = load(config.model)
    evaluation = evaluate(
        colorizer,
        read_pictures(config.data, config.split, config.column, config.limit),
        data_name(config.data),
        size=config.size,
        vividness=config.vividness,
        classifier=_open_classifier(config, colorizer),
    )
    write_evaluation(evaluation, config.output)
    for name, value in evaluation.metrics.items():
        print(f"{name:20} {value}")
    print(f"Wrote metrics.json and contact_sheet.jpg to {config.output}")


def _open_classifier(config: EvaluateConfig, colorizer: Colorizer) -> Classifier | None:
    """The classifier for KID; None, with the reason printed, when its weights are not to be had."""
    if config.kid_weights == "none":
        print("KID is left out: --kid-weights none.")
        return None
    if config.kid_encoder == colorizer.config.encoder:
        raise ValueError(
            f"--kid-encoder {config.kid_encoder} is the encoder of the model itself, which would "
            "judge its own work; name another timm model."
        )
    try:
        return Classifier(config.kid_encoder, config.kid_weights, colorizer.device)
    except ConnectionError as error:
        print(f"KID is left out: {error}")
        return None


def _batch(pictures: Iterable[np.ndarray]) -> Tensor:
    """Pictures (H, W) or (H, W, 3) uint8 of one size to (B, 3, H, W)."""
    colour = [np.broadcast_to(p[..., None], (*p.shape, 3)) if p.ndim == 2 else p for p in pictures]
    return torch.from_numpy(np.stack(colour)).movedim(-1, 1)


def _score(grey: np.ndarray, our: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    grey_rgb, our_rgb, true_rgb = (_batch([picture]) for picture in (grey, our, truth))
    return {
        "psnr": psnr(our_rgb, true_rgb),
        "psnr_grey": psnr(grey_rgb, true_rgb),
        "colorfulness": float(colorfulness(our_rgb)),
        "colorfulness_truth": float(colorfulness(true_rgb)),
        "ciede2000": delta_e(our_rgb, true_rgb),
    }


def _out_of_gamut(
    colorizer: Colorizer, greys: list[np.ndarray], size: int | None, vividness: float | None
) -> list[float]:
    """Of each picture, at the working size: colours must be seen before they are fitted."""
    lightness = rgb_to_lightness(_batch(greys).float() / 255)
    shape = working_shape(SIDE, SIDE, size or colorizer.config.size)
    lightness = F.interpolate(lightness, size=shape, mode="bilinear", antialias=True)
    ab = colorizer.predict_ab(lightness, vividness=vividness).cpu()
    return [out_of_gamut(*one) for one in zip(lightness.split(1), ab.split(1), strict=True)]


def _summary(scores: dict[str, list[float]], data: str, size: int) -> Metrics:
    """Means over the pictures, in the order metrics.json keeps."""
    mean = {name: float(np.mean(values)) for name, values in scores.items()}
    found = {
        "psnr": mean["psnr"],
        "psnr_grey": mean["psnr_grey"],
        "psnr_minus_grey": mean["psnr"] - mean["psnr_grey"],
        "colorfulness": mean["colorfulness"],
        "colorfulness_truth": mean["colorfulness_truth"],
        "delta_colorfulness": mean["colorfulness"] - mean["colorfulness_truth"],
        "ciede2000": mean["ciede2000"],
        "out_of_gamut": mean["out_of_gamut"],
    }
    rounded = {name: round(value, 4) for name, value in found.items()}
    return {"images": len(scores["psnr"]), "data": data, "size": size, **rounded}


def _kid(features: dict[str, Tensor]) -> Metrics:
    ours = kid(features["ours"], features["truth"], paired=True)
    grey = kid(features["grey"], features["truth"], paired=True)
    found: Metrics = {"kid": round(ours, 6), "kid_grey": round(grey, 6)}
    return found | {"kid_ratio": round(ours / grey, 4)} if grey > 0 else found


class _Sample:
    """A few of a stream of unknown length, each equally likely, always the same (reservoir)."""

    def __init__(self, most: int) -> None:
        self._most, self._seen, self._random = most, 0, random.Random(_SEED)
        self._kept: list[tuple[int, tuple[np.ndarray, ...]]] = []

    def offer(self, one: tuple[np.ndarray, ...]) -> None:
        place = self._seen if self._seen < self._most else self._random.randrange(self._seen + 1)
        if place < self._most:
            self._kept[place : place + 1] = [(self._seen, one)]
        self._seen += 1

    def kept(self) -> list[tuple[np.ndarray, ...]]:
        return [one for _, one in sorted(self._kept, key=lambda entry: entry[0])]


if __name__ == "__main__":
    main()
