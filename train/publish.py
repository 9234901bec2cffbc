"""`python -m train.publish`: judge a trained model and write all that its repo on the Hub shows.

The folder is loaded as a user would load it, evaluated, and given metrics.json, hint_curve.png,
README.md and, where the pictures may be shown, samples.jpg; `colorize_hub.push` sends it up.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from datasets import Dataset

from colorize_hub.atomic import write_atomically
from colorize_hub.engines.fused import fuse
from colorize_hub.loading import load, model_sha256, read_model
from colorize_hub.network.colornet import ColorNet, for_inference
from colorize_hub.network.look import Look
from colorize_hub.publish.model_card import HINT_PLOT, SAMPLES, render_model_card, renew_model_card
from colorize_hub.publish.provenance import PROVENANCE, Provenance, read_provenance
from colorize_hub.publish.results import Metrics
from train.evaluate import Evaluation, evaluate, print_metrics
from train.judging.curve_plot import plot_hint_curve
from train.judging.pictures import SEED, SIDE, data_name, read_pictures
from train.network.classifier import open_classifier
from train.run.command import check_writable, run_command

_CREDITS = ("author", "licence", "url")  # columns of a parquet file that may be shown
# As lists of photographs spell letters beyond ASCII: "Adri\303\241n" is Adrián.
_ESCAPED = re.compile(r"(?:\\[0-3][0-7]{2})+")
_TURNS = 30


@dataclass(frozen=True)
class PublishConfig:
    """Evaluate a trained model and write metrics.json, hint_curve.png, samples.jpg and its card."""

    model: Path
    """Model folder, with config.json and model.safetensors; all is written into it."""
    data: str
    """True colour pictures to judge by: Hub dataset id, folder of pictures, folder of parquet
    files, or one parquet file. None of them may have been trained or calibrated on."""
    provenance: Path | None = None
    """JSON file with the model's origin: name, data with counts and licences, pictures seen, hours,
    encoder weights (docs/publishing.md); MODEL/provenance.json when left out. A copy is kept in the
    model folder."""
    pictures_seen: int | None = None
    """Pictures seen in training, in place of the number in the provenance file."""
    training_hours: float | None = None
    """Hours of training, in place of the number in the provenance file."""
    repo_id: str | None = None
    """user/model that the card's example loads, in place of the one in the provenance file."""
    show: bool = False
    """The pictures may be shown: write samples.jpg and put it into the card. Without it an older
    samples.jpg is removed."""
    credit: str | None = None
    """Whom to name for the pictures shown. When left out, each is credited by the columns author,
    licence and url, which the data, one parquet file, must have then."""
    new_card: bool = False
    """Write README.md anew; without it what a person wrote into README.md is kept."""
    column: str | None = None
    """Image column; found by itself when the dataset has only one."""
    split: str = "test"
    """Split of a Hub dataset."""
    limit: int | None = None
    """At most this many pictures, drawn with a fixed seed; all of them when left out."""
    hints: int = 100
    """At most this many of the pictures are also coloured with hints and at several sizes."""
    kid_weights: str = "imagenet"
    """Weights of the classifier that KID looks through: imagenet (timm's, from the Hub), none (no
    KID), or a local .safetensors or .pth file."""
    kid_encoder: str = "tf_efficientnet_lite2"
    """timm name of that classifier; must not be the model's own encoder."""


def publish(config: PublishConfig) -> Metrics:
    """Evaluate the model of a folder and write its card and what belongs to it.

    Every file is written after the evaluation, so that one that fails changes nothing.

    Returns:
        The content of metrics.json.

    Raises:
        ModelNotFoundError: the folder holds no model.
        FileNotFoundError: there is no provenance file.
        OSError: the folder cannot be written to.
        ValueError: the provenance, the data or the old card cannot be used, or nobody is named for
            pictures to be shown.
    """
    folder = config.model
    provenance = _provenance(config)
    colorizer = load(folder)
    check_writable(folder, "--model")
    card_path = folder / "README.md"
    old = "" if config.new_card else _old_card(card_path)
    if config.show and config.credit is None:
        _credit_rows(config)  # before the work, not after it
    evaluation = evaluate(
        colorizer,
        read_pictures(config.data, config.split, config.column, config.limit),
        data_name(config.data),
        classifier=open_classifier(config.kid_encoder, config.kid_weights, colorizer),
        hints=config.hints,
    )
    cost, digest = measure_cost(folder), model_sha256(folder)
    metrics = {**evaluation.metrics, **cost, "model_sha256": digest}
    card = render_model_card(
        colorizer.config,
        metrics,
        provenance,
        samples_credit=_credit(config, evaluation) if config.show else None,
        hint_plot=config.hints > 0,
    )
    if old:
        card = renew_model_card(old, card)
    write_atomically(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_atomically(folder / PROVENANCE, json.dumps(provenance.to_dict(), indent=2) + "\n")
    (folder / SAMPLES).unlink(missing_ok=True)
    (folder / HINT_PLOT).unlink(missing_ok=True)
    if config.show:
        evaluation.sheet.save(folder / SAMPLES, quality=85)
    if config.hints:
        plot_hint_curve(metrics).save(folder / HINT_PLOT, optimize=True)
    write_atomically(card_path, card)
    return metrics


def measure_cost(folder: Path) -> Metrics:
    """Size of the weights on disk, and the time of the network for one picture on the CPU.

    The time is that of all that a Colorizer asks of the network, fused as there.

    Args:
        folder: of a model.

    Returns:
        weights_mb, network_ms and cpu_threads, as colorize_hub.publish.results describes them.
    """
    weights = folder / "model.safetensors"
    network = fuse(for_inference(read_model(folder), torch.float32))
    return {
        "weights_mb": round(weights.stat().st_size / 1e6, 3),
        "network_ms": round(min(_times(network)) * 1000, 2),
        "cpu_threads": torch.get_num_threads(),
    }


def main() -> None:
    """Read the flags, publish and print the result."""
    run_command("train.publish", PublishConfig, _publish)


def _publish(config: PublishConfig) -> str:
    print_metrics(publish(config))
    written = ("metrics.json", PROVENANCE, HINT_PLOT, SAMPLES, "README.md")
    names = [name for name in written if (config.model / name).is_file()]
    return f"Wrote {', '.join(names)} to {config.model}"


@torch.inference_mode()
def _times(network: ColorNet) -> Iterator[float]:
    grey = torch.full((1, 1, SIDE, SIDE), 50.0)
    for turn in range(-3, _TURNS):  # three to warm up
        started = time.perf_counter()
        Look(network, grey)
        if turn >= 0:
            yield time.perf_counter() - started


def _provenance(config: PublishConfig) -> Provenance:
    path = config.provenance or config.model / PROVENANCE
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no {path}, which says what the model was trained on; write one as "
            "docs/publishing.md describes, or name it with --provenance."
        )
    flags = ("pictures_seen", "training_hours", "repo_id")
    given = {name: getattr(config, name) for name in flags if getattr(config, name) is not None}
    return replace(read_provenance(path), **given)


def _old_card(path: Path) -> str:
    """Return the card to be renewed; empty if there is none."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    if "library_name: colorize-hub" in old and "<!-- generated: " not in old:
        raise ValueError(
            f"{path} was made before generated parts were marked, so its old figures would stay "
            "beside the new ones; write it anew with --new-card."
        )
    return old


def _credit(config: PublishConfig, evaluation: Evaluation) -> str:
    if config.credit is not None:
        return config.credit
    rows = _credit_rows(config)
    if len(rows) != evaluation.metrics["images"]:
        raise ValueError(
            f"{config.data} has {len(rows)} pictures, of which only "
            f"{evaluation.metrics['images']} could be read, so their authors cannot be told apart; "
            "remove the broken ones, or give --credit."
        )
    authors = dict.fromkeys(rows[number] for number in evaluation.shown)
    return "Photographs: " + "; ".join(authors) + "."


def _credit_rows(config: PublishConfig) -> list[str]:
    """Whom to name for each picture, in the order of `read_pictures`."""
    path = Path(config.data)
    rows = Dataset.from_parquet(str(path)) if path.suffix == ".parquet" else None
    if not isinstance(rows, Dataset) or not {"author", "licence"} <= set(rows.column_names):
        raise ValueError(
            f"--show needs to know whom to name for the pictures, but {config.data} is not one "
            "parquet file with the columns author and licence; give --credit TEXT."
        )
    rows = rows.select_columns([name for name in _CREDITS if name in rows.column_names])
    if config.limit is not None and config.limit < len(rows):
        rows = rows.shuffle(seed=SEED).take(config.limit)
    return [_spell(row) for row in rows.to_list()]


def _spell(row: dict[str, str | None]) -> str:
    author, licence, url = (_ESCAPED.sub(_letters, row.get(name) or "") for name in _CREDITS)
    return f"[{author}]({url}), {licence}" if url else f"{author}, {licence}"


def _letters(escaped: re.Match[str]) -> str:
    return bytes(int(octal, 8) for octal in escaped[0].split("\\")[1:]).decode(errors="replace")


if __name__ == "__main__":
    main()
