"""`python -m train.evaluate`: score a model on pictures whose true colours are known.

Every picture is brought to 256x256, made grey by its L*, coloured by the model as a user would
have it coloured, and compared with the truth and with plain grey. What metrics.json holds is
described in publish/results.py. With --video it scores films instead, see judging/steadiness.py.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub.atomic import write_atomically
from colorize_hub.colour.lab import rgb_to_lightness
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import load
from colorize_hub.network.working import working_shape
from colorize_hub.publish.results import Metrics
from train.judging.contact_sheet import ACROSS, contact_sheet
from train.judging.curve_plot import plot_hint_curve
from train.judging.marks import judge_marked_films, marks_table, open_marked
from train.judging.metrics import ciede2000, colorfulness, kid, out_of_gamut, psnr, to_lab
from train.judging.pictures import SIDE, Sample, data_name, read_pictures, square, to_batch, to_grey
from train.judging.skin import Skin, score_skin, summarize_skin
from train.judging.steadiness import (
    STILLS,
    Steadiness,
    judge_films,
    open_films,
    video_table,
    write_video,
)
from train.judging.steering import judge_hints, judge_sizes
from train.network.classifier import Classifier, open_classifier
from train.run.command import check_writable, run_command

_BATCH = 16
_SHOWN = 2 * ACROSS


@dataclass(frozen=True)
class EvaluateConfig:
    """Score a model on true colour pictures; write metrics.json and pictures of the result."""

    data: str
    """Hub dataset id, folder of pictures, folder of parquet files, or one parquet file."""
    output: Path
    """Folder for metrics.json, contact_sheet.jpg and hint_curve.png; with --video, for
    video.json."""
    video: Path | None = None
    """Folder of clips: judge how steady the colours of films are, instead of pictures. The films
    are the clips and windows that move over the pictures of --data (24 unless --limit says)."""
    video_frames: int = 150
    """At most this many frames of each clip, from its middle."""
    smoothing: float = 0.8
    """Of the films: 0 (frame by frame) to 1 (steadiest)."""
    look_ahead: int = 8
    """Of the films: frames read ahead, as files are coloured."""
    marks: int = 0
    """With --video: judge instead what so many true colours, set on one frame of each film, do to
    all of it, and what that frame does as a keyframe."""
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
    hints: int = 100
    """At most this many of the pictures, drawn with a fixed seed, are also coloured with hints and
    at several sizes, about a second each on one core; 0 leaves the hint curve and sizes out."""
    skin: bool = False
    """The pictures are aligned faces: their skin is scored too, see judging/skin.py."""
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
        shown: which pictures these are: their numbers among those given, from 0.
    """

    metrics: Metrics
    sheet: Image.Image
    shown: tuple[int, ...]


def evaluate(
    colorizer: Colorizer,
    pictures: Iterable[np.ndarray],
    data: str,
    *,
    size: int | None = None,
    vividness: float | None = None,
    classifier: Classifier | None = None,
    hints: int = 0,
    skin: bool = False,
) -> Evaluation:
    """Score a colorizer by the pictures' own colours.

    Args:
        colorizer: as a user would load it.
        pictures: (H, W, 3) uint8 sRGB; those that are not 256x256 go through `square`.
        data: name of the data, for metrics.json.
        size: working short side in pixels; None takes the model's.
        vividness: None takes the model's.
        classifier: for KID; None leaves KID out.
        hints: pictures to try hints and sizes on, drawn with a fixed seed; 0 leaves both out.
        skin: whether the pictures are aligned faces, whose skin is to be scored.

    Raises:
        ValueError: there are no pictures, or no faces.
    """
    scores: dict[str, list[float]] = {}
    features: dict[str, list[Tensor]] = {"ours": [], "grey": [], "truth": []}
    faces: list[Skin | None] = []
    shown, steered = Sample(_SHOWN), Sample(hints)
    waiting = map(square, pictures)
    while truths := list(islice(waiting, _BATCH)):
        greys = [to_grey(truth) for truth in truths]
        coloured = colorizer.colorize(greys, size=size, vividness=vividness)
        ours = [np.asarray(picture) for picture in coloured]
        share_outside = _out_of_gamut(colorizer, greys, size, vividness)
        for grey, our, truth, outside in zip(greys, ours, truths, share_outside, strict=True):
            shown.offer((grey, our, truth))
            steered.offer((grey, truth))
            for name, value in _score(grey, our, truth).items():
                scores.setdefault(name, []).append(value)
            scores.setdefault("out_of_gamut", []).append(outside)
        if skin:
            faces += map(score_skin, ours, truths)
        if classifier is not None:
            for name, batch in (("ours", ours), ("grey", greys), ("truth", truths)):
                features[name].append(classifier.features(to_batch(batch)))
    if not scores:
        raise ValueError(f"{data} holds no picture to evaluate on.")
    metrics = _summary(scores, data, size or colorizer.config.size)
    if classifier is not None and len(scores["psnr"]) > 1:
        metrics = {**metrics, **_kid({n: torch.cat(parts) for n, parts in features.items()})}
    if hints:
        drawn = [(number, grey, truth) for number, (grey, truth) in steered.kept()]
        hinted = judge_hints(colorizer, drawn, size=size, vividness=vividness)
        sizes = judge_sizes(colorizer, [grey for _, grey, _ in drawn], vividness=vividness)
        metrics = {**metrics, **hinted, **sizes}
    if skin:
        metrics = {**metrics, **summarize_skin([face for face in faces if face])}
    numbers, tiles = zip(*shown.kept(), strict=True)
    greys, ours, truths = zip(*tiles, strict=True)
    sheet = contact_sheet({"grey": greys, "ours": ours, "truth": truths})
    return Evaluation(metrics, sheet, numbers)


def write_evaluation(evaluation: Evaluation, folder: Path) -> list[str]:
    """Write the result into a folder, which is made if need be.

    Returns:
        The names of the files: metrics.json, contact_sheet.jpg, and hint_curve.png where hints
        were tried.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "metrics.json", json.dumps(evaluation.metrics, indent=2) + "\n")
    evaluation.sheet.save(folder / "contact_sheet.jpg", quality=90)
    written = ["metrics.json", "contact_sheet.jpg"]
    if "hint_images" in evaluation.metrics:
        plot_hint_curve(evaluation.metrics).save(folder / "hint_curve.png", optimize=True)
        written.append("hint_curve.png")
    return written


def main() -> None:
    """Read the flags, evaluate, print the result and write it."""
    run_command("train.evaluate", EvaluateConfig, _evaluate)


def _evaluate(config: EvaluateConfig) -> str:
    colorizer = load(config.model)
    check_writable(config.output, "--output")
    if config.video is not None:
        return _evaluate_video(colorizer, config, config.video)
    evaluation = evaluate(
        colorizer,
        read_pictures(config.data, config.split, config.column, config.limit),
        data_name(config.data),
        size=config.size,
        vividness=config.vividness,
        classifier=open_classifier(config.kid_encoder, config.kid_weights, colorizer),
        hints=config.hints,
        skin=config.skin,
    )
    print_metrics(evaluation.metrics)
    return f"Wrote {', '.join(write_evaluation(evaluation, config.output))} to {config.output}"


def _evaluate_video(colorizer: Colorizer, config: EvaluateConfig, clips: Path) -> str:
    stills = read_pictures(config.data, config.split, config.column, config.limit or STILLS)
    how = Steadiness(config.smoothing, config.look_ahead, config.size, config.vividness)
    if config.marks:
        films = open_marked(clips, stills, config.video_frames)
        found = judge_marked_films(colorizer, films, config.marks, how)
        print(marks_table(found))
        return f"Wrote {write_video(found, config.output)}"
    found = judge_films(colorizer, open_films(clips, stills, config.video_frames), how)
    print(video_table(found))
    return f"Wrote {write_video(found, config.output)}"


def print_metrics(metrics: Metrics) -> None:
    """One line each."""
    for name, value in metrics.items():
        print(f"{name:22} {value}")


def _score(grey: np.ndarray, our: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    grey_rgb, our_rgb, true_rgb = pictures = [to_batch([one]) for one in (grey, our, truth)]
    grey_lab, our_lab, true_lab = map(to_lab, pictures)
    return {
        "psnr": psnr(our_rgb, true_rgb),
        "psnr_grey": psnr(grey_rgb, true_rgb),
        "colorfulness": float(colorfulness(our_rgb)),
        "colorfulness_truth": float(colorfulness(true_rgb)),
        "ciede2000": float(ciede2000(our_lab, true_lab).double().mean()),
        "ciede2000_grey": float(ciede2000(grey_lab, true_lab).double().mean()),
    }


def _out_of_gamut(
    colorizer: Colorizer, greys: list[np.ndarray], size: int | None, vividness: float | None
) -> list[float]:
    """Of each picture, at the working size: colours must be seen before they are fitted."""
    lightness = rgb_to_lightness(to_batch(greys).float() / 255)
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
        "ciede2000_grey": mean["ciede2000_grey"],
        "out_of_gamut": mean["out_of_gamut"],
    }
    rounded = {name: round(value, 4) for name, value in found.items()}
    return {"images": len(scores["psnr"]), "data": data, "size": size, **rounded}


def _kid(features: dict[str, Tensor]) -> Metrics:
    ours = kid(features["ours"], features["truth"], paired=True)
    grey = kid(features["grey"], features["truth"], paired=True)
    found = {"kid": round(ours, 6), "kid_grey": round(grey, 6)}
    return found | {"kid_share": round(ours / grey, 4)} if grey > 0 else found


if __name__ == "__main__":
    main()
