"""The README.md of a model repo, made from facts: a missing fact is an error, never a blank."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colorize_hub.config import ColorizerConfig

Metrics = Mapping[str, float | int | str]

_FACTS = ("images", "data", "size")  # what was measured on; the other keys are results

# Name in the Hub's model-index, and how a value is written in the table.
_RESULTS = {
    "psnr": ("PSNR (dB)", "{:.2f}"),
    "psnr_grey": ("PSNR of the grey picture (dB)", "{:.2f}"),
    "psnr_minus_grey": ("PSNR minus that of the grey picture (dB)", "{:+.2f}"),
    "colorfulness": ("Colourfulness", "{:.1f}"),
    "colorfulness_truth": ("Colourfulness of the true picture", "{:.1f}"),
    "delta_colorfulness": ("Colourfulness minus the truth's", "{:+.1f}"),
    "ciede2000": ("CIEDE2000", "{:.2f}"),
    "out_of_gamut": ("Predicted outside sRGB, before fitting", "{:.2%}"),
}
_OPTIONAL_RESULTS = {
    "kid": ("KID", "{:.5f}"),
    "kid_grey": ("KID of the grey picture", "{:.5f}"),
    "kid_ratio": ("KID as a share of the grey picture's", "{:.2f}"),
}

# Rows of the table: of which results "this model", "grey picture" and "true picture" consist.
_ROWS = (
    ("psnr", "psnr_grey", None),
    ("psnr_minus_grey", None, None),
    ("colorfulness", None, "colorfulness_truth"),
    ("delta_colorfulness", None, None),
    ("ciede2000", None, None),
    ("out_of_gamut", None, None),
    ("kid", "kid_grey", None),
    ("kid_ratio", None, None),
)


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from.

    Attributes:
        model_name: title of the card.
        repo_id: "user/model"; None for a model that is only a folder.
        data: training data as (name, number of pictures, licence).
        pictures_seen: pictures shown to the network in training, repeats counted.
        training_hours: wall-clock hours.
        encoder_weights: what the encoder started from, with its licence.
        license: of these weights, as the Hub spells it.
        hub_datasets: ids of the training data that is on the Hub.
    """

    model_name: str
    repo_id: str | None
    data: Sequence[tuple[str, int, str]]
    pictures_seen: int
    training_hours: float
    encoder_weights: str
    license: str = "apache-2.0"
    hub_datasets: Sequence[str] = ()


def render_model_card(config: ColorizerConfig, metrics: Metrics, provenance: Provenance) -> str:
    """Write the model card.

    Args:
        config: of the model.
        metrics: content of metrics.json, as train.evaluate writes it.
        provenance: where the model comes from.

    Returns:
        Text of README.md: YAML front matter with all results as model-index, then Markdown.

    Raises:
        ValueError: a metric is missing, unknown or not a finite number, or no data is named.
    """
    results = _results(metrics)
    if not provenance.data:
        raise ValueError("A model card names the training data, but provenance.data is empty.")
    sections = (
        f"---\n{_front_matter(metrics, results, provenance)}\n---",
        f"# {provenance.model_name}",
        _PURPOSE,
        _usage(provenance.repo_id),
        _evaluation(metrics, results),
        _training(config, provenance),
        _LIMITS,
        f"## Licence\n\nThe weights: {provenance.license}.",
    )
    return "\n\n".join(sections) + "\n"


def _results(metrics: Metrics) -> dict[str, float]:
    """The results among the metrics, in the card's order, checked."""
    missing = [name for name in (*_FACTS, *_RESULTS) if name not in metrics]
    if missing:
        raise ValueError(
            f"The model card needs metric {missing[0]!r}, which is not among "
            f"{', '.join(metrics) or 'the metrics, which are empty'}. Run train.evaluate."
        )
    known = _RESULTS | _OPTIONAL_RESULTS
    results = {name: metrics[name] for name in (*known, *metrics) if name in metrics}
    for name in _FACTS:
        del results[name]
    checked = {}
    for name, value in results.items():
        if name not in known:
            raise ValueError(f"The model card has no place for metric {name!r}.")
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise ValueError(f"Metric {name!r} must be a finite number, got {value!r}.")
        checked[name] = float(value)
    return checked


def _front_matter(metrics: Metrics, results: dict[str, float], provenance: Provenance) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    known = _RESULTS | _OPTIONAL_RESULTS
    card = ModelCardData(
        model_name=provenance.model_name,
        license=provenance.license,
        library_name="colorize-hub",
        pipeline_tag="image-to-image",
        tags=["image-colorization", "safetensors"],
        datasets=list(provenance.hub_datasets) or None,
        eval_results=[
            EvalResult(
                task_type="image-to-image",
                task_name="Image colorization",
                dataset_type=str(metrics["data"]),
                dataset_name=_measured_on(metrics),
                metric_type=name,
                metric_name=known[name][0],
                metric_value=value,
            )
            for name, value in results.items()
        ],
    )
    return card.to_yaml()


def _measured_on(metrics: Metrics) -> str:
    return f"{metrics['data']}, {metrics['images']} pictures at 256x256"


def _usage(repo_id: str | None) -> str:
    name, where = (repo_id, "") if repo_id else (".", "  # the folder of this file")
    return f"""## Use

```python
from colorize_hub import Hint, load

colorizer = load("{name}"){where}
colorizer.colorize("grey.jpg").save("colour.png")

red = Hint(x=20, y=30, rgb=(200, 30, 40))  # pixels of the picture, from its top left corner
colorizer.colorize("grey.jpg", hints=[red]).save("red.png")
```"""


def _evaluation(metrics: Metrics, results: dict[str, float]) -> str:
    known = _RESULTS | _OPTIONAL_RESULTS
    lines = [
        _line("", "This model", "Grey picture", "True picture"),
        "|---|--:|--:|--:|",
    ]
    for names in _ROWS:
        if names[0] in results:
            cells = (known[n][1].format(results[n]) if n in results else "" for n in names)
            lines.append(_line(known[names[0]][0], *cells))
    table = "\n".join(lines)
    return f"""## Evaluation

On {_measured_on(metrics)}, made grey and coloured at a working size of
{metrics["size"]} pixels without hints; means over the pictures.

{table}

PSNR, of 8-bit RGB and capped at 50 dB, rewards grey: read it beside the grey picture's, and beside
colourfulness (Hasler and Suesstrunk), which shows whether colours are too dull or too vivid.
CIEDE2000 is the mean colour difference; 0 is perfect. KID, where given, compares the features of
a classifier that the model does not use; lower is better."""


def _training(config: ColorizerConfig, provenance: Provenance) -> str:
    lines = [_line("Data", "Pictures", "Licence"), "|---|--:|---|"]
    lines += [_line(name, f"{count:,}", licence) for name, count, licence in provenance.data]
    table = "\n".join(lines)
    return f"""## Training

{table}

{provenance.pictures_seen:,} pictures seen in {provenance.training_hours:.1f} hours. The encoder,
{config.encoder}, started from {provenance.encoder_weights}. The decoder is
{", ".join(map(str, config.decoder_channels))} channels wide at strides 32, 16, 8 and 4; it answers
with a distribution over a grid of a\\*b\\* in steps of {config.bin_step}. Calibrated for use:
working size {config.size} pixels, vividness {config.vividness:g}, chroma scale
{config.chroma_scale:g}."""


_PURPOSE = """\
Gives grey photographs plausible colours. Lightness is kept exactly: the model predicts only the
a\\* and b\\* of CIE Lab, as a distribution over colours for each place. Colours that a person gives
as hints steer it."""

_LIMITS = """## Limits

- The colours are plausible, not historical fact: a grey picture does not hold the colour of a
  coat, a car or a flag. Do not present the result as evidence of how something looked.
- Things with many possible colours come out dull or wrong, and rare things as what resembles
  them. Hints put that right.
- It repeats the bias of its data, in skin tones and places too.
- Only colour is added: scratches, blur and noise stay, and damage may be coloured as if real."""


def _line(*cells: str) -> str:
    """A row of a Markdown table."""
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
