"""The README.md of a model repo, made from facts: a missing fact is an error, never a blank.

The parts made from facts stand between HTML comments that name them; `renew_model_card` replaces
those parts, and the metadata made from facts, in a card that a person has edited.
"""

import re

from colorize_hub.network.config import ColorizerConfig
from colorize_hub.publish.provenance import Provenance
from colorize_hub.publish.results import (
    Metrics,
    counted_by,
    hint_counts,
    hint_table,
    markdown_table,
    read_results,
    result_label,
    result_table,
)

__all__ = ["Provenance", "render_model_card", "renew_model_card"]

SAMPLES, HINT_PLOT = "samples.jpg", "hint_curve.png"

_RENEWED = ("library_name", "license", "pipeline_tag", "datasets", "model-index")
_BEGIN = "<!-- generated: {} (edits here are lost when the card is renewed) -->"
_END = "<!-- end of generated: {} -->"
_MARKER = re.compile(r"<!-- (end of )?generated: (\w+)[^>]*-->")


def render_model_card(
    config: ColorizerConfig,
    metrics: Metrics,
    provenance: Provenance,
    *,
    samples_credit: str | None = None,
    hint_plot: bool = False,
) -> str:
    """Write the model card.

    Args:
        config: of the model.
        metrics: content of metrics.json, as train.evaluate writes it (see results).
        provenance: where the model comes from.
        samples_credit: who made the pictures of samples.jpg and under which licence they are
            shown; None where there is no samples.jpg beside the card.
        hint_plot: whether there is a hint_curve.png beside the card.

    Returns:
        Text of README.md: YAML front matter with all results as model-index, then Markdown.

    Raises:
        ValueError: a metric is missing, unknown or not a finite number, or no data is named.
    """
    results = read_results(metrics)
    if not provenance.data:
        raise ValueError("A model card names the training data, but provenance.data is empty.")
    sections = [
        f"---\n{_front_matter(metrics, results, provenance)}\n---",
        f"# {provenance.model_name}",
        _PURPOSE,
        _generated("use", _usage(provenance.repo_id)),
        _generated("samples", _samples(samples_credit)),
        _generated("evaluation", _evaluation(metrics)),
        _generated("hints", _hints(metrics, hint_plot)),
        _generated("cost", _cost(metrics, results)),
        _generated("training", _training(config, provenance)),
        _LIMITS,
        _generated("licence", f"## Licence\n\nThe weights: {provenance.license}."),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def renew_model_card(old: str, new: str) -> str:
    """Bring the facts of a card up to date and keep what a person wrote into it.

    Of the old card stays all text outside the generated parts, and all metadata that is not made
    from facts, tags included. A generated part of `new` that the old card does not have is put at
    its end; one that `new` does not have is taken out.

    Args:
        old: README.md as it is, from any version or by hand.
        new: as `render_model_card` writes it.

    Returns:
        Text of README.md.

    Raises:
        ValueError: a generated part of the old card has no end or stands there twice, its front
            matter is no YAML mapping, or the new card has no metrics.
    """
    from huggingface_hub import RepoCard

    try:
        before, after = RepoCard(old), RepoCard(new)
    except Exception as error:  # PyYAML's errors share no public base with huggingface_hub's
        raise ValueError(f"The card's front matter cannot be read: {error}") from error
    if "model-index" not in after.data:
        raise ValueError("The new card has no metrics; make it with render_model_card.")
    for name in _RENEWED:
        before.data.pop(name)
        if name in after.data:
            before.data[name] = after.data[name]
    tags = before.data.get("tags") or []
    tags = [tags] if isinstance(tags, str) else tags
    before.data["tags"] = list(dict.fromkeys([*tags, *after.data["tags"]]))
    order = [name for name in after.data.to_dict() if name in before.data]
    front = before.data.to_yaml(original_order=order)
    return f"---\n{front}\n---\n{_renew_text(before.text, after.text)}"


def _renew_text(old: str, new: str) -> str:
    parts, fresh = _parts(old), _parts(new)
    for name, part in parts.items():
        old = old.replace(part, fresh.get(name, ""))
    added = [part for name, part in fresh.items() if name not in parts]
    return "\n\n".join([old.rstrip(), *added]) + "\n"


def _parts(text: str) -> dict[str, str]:
    """Return the generated parts of a card's text, markers included, by name."""
    parts, open_part, start = {}, None, 0
    for marker in _MARKER.finditer(text):
        is_end, name = bool(marker[1]), marker[2]
        if open_part is None and not is_end and name not in parts:
            open_part, start = name, marker.start()
        elif is_end and name == open_part:
            parts[name] = text[start : marker.end()]
            open_part = None
        else:
            open_part = open_part or name
            break
    if open_part is not None:
        raise ValueError(
            f"The card's generated part {open_part!r} is not whole: expected "
            f"{_BEGIN.format(open_part)!r} and {_END.format(open_part)!r} around it, once. Put "
            "them back, or delete what is left of the part."
        )
    return parts


def _generated(name: str, text: str) -> str:
    return f"{_BEGIN.format(name)}\n{text}\n{_END.format(name)}" if text else ""


def _front_matter(metrics: Metrics, results: dict[str, float], provenance: Provenance) -> str:
    from huggingface_hub import EvalResult, ModelCardData

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
                dataset_name=str(metrics["data"]),
                dataset_config=_pictures(metrics, counted_by(name)),
                metric_type=name,
                metric_name=result_label(name),
                metric_value=value,
            )
            for name, value in results.items()
        ],
    )
    return card.to_yaml()


def _pictures(metrics: Metrics, count: str = "images") -> str:
    return f"{metrics.get(count, metrics['images'])} pictures at 256x256"


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


def _samples(credit: str | None) -> str:
    if credit is None:
        return ""
    return f"""## Samples

![Grey, coloured by this model, and the true colours]({SAMPLES})

Drawn at random, not chosen: grey, this model's colours, and the true ones. {credit}"""


def _evaluation(metrics: Metrics) -> str:
    return f"""## Evaluation

On {metrics["data"]}, {_pictures(metrics)}, made grey and coloured at a working size of
{metrics["size"]} pixels without hints unless named; means over the pictures.

{result_table(metrics)}

PSNR, of 8-bit RGB and capped at 50 dB, rewards grey: read it beside the grey picture's, and beside
colourfulness (Hasler and Suesstrunk), which shows whether colours are too dull or too vivid.
CIEDE2000 is the mean colour difference; 0 is perfect. KID, where given, compares the features of
a classifier that the model does not use; lower is better."""


def _hints(metrics: Metrics, plot: bool) -> str:
    if not hint_counts(metrics):
        return ""
    picture = f"![PSNR over the number of hints]({HINT_PLOT})\n\n" * plot
    return f"""## Hints

PSNR in dB on {metrics["hint_images"]} of the pictures when true colours are given as hints:

{hint_table(metrics)}

{picture}A hint is the mean a\\*b\\* of 6 x 6 pixels at a uniformly random place. The no-learning
floor spreads the same hints by nearness in place and lightness alone; without hints it is the grey
picture."""


def _cost(metrics: Metrics, results: dict[str, float]) -> str:
    if "weights_mb" not in results:
        return ""
    threads = f"{metrics['cpu_threads']} thread{'s' * (metrics['cpu_threads'] != 1)}"
    return f"""## Size and speed

`model.safetensors` is {results["weights_mb"]:.1f} MB. The network takes
{results["network_ms"]:.0f} ms for a picture of 256x256 pixels on a CPU (float32,
{threads}); with another hint it does not run again."""


def _training(config: ColorizerConfig, provenance: Provenance) -> str:
    rows = [(name, f"{count:,}", licence) for name, count, licence in provenance.data]
    total = ("All", f"{sum(count for _, count, _ in provenance.data):,}", "")
    table = markdown_table(("Data", "Pictures", "Licence"), "lrl", [*rows, total])
    where = f" on {provenance.hardware}" * bool(provenance.hardware)
    overview = f"""
A picture larger than {config.overview} pixels is seen once more at that size, and the broad layout
of its colours is taken mostly from there.""" * bool(config.overview)
    attention = f"""
What hints say about the rest of a picture is learned: its places attend to them, in
{config.hint_attention} numbers each.""" * bool(config.hint_attention)
    notes = f"\n\n{provenance.notes}" * bool(provenance.notes)
    return f"""## Training

{table}

{provenance.pictures_seen:,} pictures seen in {provenance.training_hours:.1f} hours{where}. The
encoder, {config.encoder}, started from {provenance.encoder_weights}. The decoder is
{", ".join(map(str, config.decoder_channels))} channels wide at strides 32, 16, 8 and 4; it answers
with a distribution over a grid of a\\*b\\* in steps of {config.bin_step}. Calibrated for use:
working size {config.size} pixels, vividness {config.vividness:g}, chroma scale
{config.chroma_scale:g}.{overview}{attention}{notes}"""


_PURPOSE = """\
Gives grey photographs plausible colours. Lightness is kept exactly: the model predicts only the
a\\* and b\\* of CIE Lab, as a distribution over colours for each place. Colours that a person gives
as hints steer it."""

_LIMITS = """## Limits and biases

- The colours are plausible, not historical fact: a grey picture does not hold the colour of a
  coat, a car or a flag. Do not present the result as evidence of how something looked.
- Skin: the model leans to the skin tones that are frequent in its data, and a face's lightness in
  a photograph says little about its tone. It can make people paler, redder or browner than they
  were. Look at every person in a result, and set a hint where it is wrong.
- Rare objects, and things with many possible colours, come out dull, or as what resembles them.
  Hints put that right.
- It repeats the bias of its data in places, dress, plants and buildings too.
- Only colour is added: scratches, blur and noise stay, and damage may be coloured as if real."""
