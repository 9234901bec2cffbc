"""The content of metrics.json: which names there are, and how a card shows them.

metrics.json is one flat object of numbers and text: facts on what was measured, and results.
docs/publishing.md says what each name means.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

Metrics = Mapping[str, float | int | str]

FACTS = ("images", "data", "size")
_OPTIONAL_FACTS = ("hint_images", "size_images", "skin_images", "cpu_threads", "model_sha256")

# Name -> what the card calls it, and how a value is written there.
_REQUIRED = {
    "psnr": ("PSNR (dB)", "{:.2f}"),
    "psnr_grey": ("PSNR of the grey picture (dB)", "{:.2f}"),
    "psnr_minus_grey": ("PSNR minus that of the grey picture (dB)", "{:+.2f}"),
    "colorfulness": ("Colourfulness", "{:.1f}"),
    "colorfulness_truth": ("Colourfulness of the true picture", "{:.1f}"),
    "delta_colorfulness": ("Colourfulness minus the truth's", "{:+.1f}"),
    "ciede2000": ("CIEDE2000", "{:.2f}"),
    "out_of_gamut": ("Predicted outside sRGB, before fitting", "{:.2%}"),
}
_OPTIONAL = {
    "ciede2000_grey": ("CIEDE2000 of the grey picture", "{:.2f}"),
    "kid": ("KID", "{:.5f}"),
    "kid_grey": ("KID of the grey picture", "{:.5f}"),
    "kid_share": ("KID as a share of the grey picture's", "{:.2f}"),
    "hints_10_minus_floor": ("10 hints: PSNR over the no-learning floor (dB)", "{:+.2f}"),
    "hints_10_minus_none": ("10 hints: PSNR over no hints (dB)", "{:+.2f}"),
    "hint_delta_e": ("CIEDE2000 to the hint at hinted pixels", "{:.2f}"),
    "hint_delta_e_grey": ("CIEDE2000 to the hint at hinted pixels, grey picture", "{:.2f}"),
    "size_delta_e": ("CIEDE2000 between working sizes 192 to 512", "{:.2f}"),
    "skin_ciede2000": ("CIEDE2000 on the skin of faces", "{:.2f}"),
    "skin_ciede2000_darkest": ("CIEDE2000 on skin, darkest quarter of the faces", "{:.2f}"),
    "skin_ciede2000_lightest": ("CIEDE2000 on skin, lightest quarter of the faces", "{:.2f}"),
    "weights_mb": ("Weights (MB)", "{:.1f}"),
    "network_ms": ("Network at 256x256, CPU, float32 (ms)", "{:.0f}"),
}
_HINTED = re.compile(r"hints_(\d+)(_floor)?_psnr")

# Rows of the table: of which results "this model", "grey" and "truth" consist, and the fact that
# counts the pictures. A number stands for itself.
_ROWS: tuple[tuple[str, str | float | None, str | None, str], ...] = (
    ("psnr", "psnr_grey", None, "images"),
    ("psnr_minus_grey", 0.0, None, "images"),
    ("colorfulness", 0.0, "colorfulness_truth", "images"),
    ("delta_colorfulness", None, None, "images"),
    ("ciede2000", "ciede2000_grey", None, "images"),
    ("out_of_gamut", 0.0, None, "images"),
    ("kid", "kid_grey", None, "images"),
    ("kid_share", 1.0, None, "images"),
    ("hints_10_minus_floor", None, None, "hint_images"),
    ("hints_10_minus_none", None, None, "hint_images"),
    ("hint_delta_e", "hint_delta_e_grey", None, "hint_images"),
    ("size_delta_e", 0.0, None, "size_images"),
    ("skin_ciede2000", None, None, "skin_images"),
    ("skin_ciede2000_darkest", None, None, "skin_images"),
    ("skin_ciede2000_lightest", None, None, "skin_images"),
)


def read_results(metrics: Metrics) -> dict[str, float]:
    """Return the results among the content of a metrics.json, in the order given above, checked.

    Raises:
        ValueError: a required name is missing, a name is unknown, or a result is not a finite
            number.
    """
    missing = [name for name in (*FACTS, *_REQUIRED) if name not in metrics]
    if missing:
        raise ValueError(
            f"A model card needs metric {missing[0]!r}, which is not among "
            f"{', '.join(metrics) or 'the metrics, which are empty'}. Run train.evaluate."
        )
    known = (*_REQUIRED, *_OPTIONAL, *metrics)
    results = {}
    for name in dict.fromkeys(name for name in known if name in metrics):
        value = metrics[name]
        if name in FACTS or name in _OPTIONAL_FACTS:
            continue
        if name not in _REQUIRED | _OPTIONAL and not _HINTED.fullmatch(name):
            raise ValueError(
                f"A model card has no place for metric {name!r}. Run train.evaluate, which writes "
                "the names that this version knows."
            )
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise ValueError(f"Metric {name!r} must be a finite number, got {value!r}.")
        results[name] = float(value)
    return results


def result_label(name: str) -> str:
    """Return what people call a result, with its unit."""
    hinted = _HINTED.fullmatch(name)
    if hinted is None:
        return (_REQUIRED | _OPTIONAL)[name][0]
    count = f"{hinted[1]} hint{'s' * (hinted[1] != '1')}"
    return f"PSNR with {count}{', no-learning floor' * bool(hinted[2])} (dB)"


def counted_by(name: str) -> str:
    """Return the fact that tells how many pictures a result is the mean of."""
    if name.startswith("hint"):
        return "hint_images"
    part = name.split("_")[0]
    return f"{part}_images" if part in ("size", "skin") else "images"


def result_table(metrics: Metrics) -> str:
    """Markdown: this model, the grey picture and the true one side by side, with N."""
    results = read_results(metrics)
    rows = []
    for name, grey, truth, count in _ROWS:
        if name in results:
            write = (_REQUIRED | _OPTIONAL)[name][1].format
            values = (results[name], *(_value(results, cell) for cell in (grey, truth)))
            cells = ("" if value is None else write(value) for value in values)
            rows.append((result_label(name), *cells, f"{metrics.get(count, '')}"))
    header = ("", "This model", "Grey picture", "True picture", "Pictures")
    return markdown_table(header, "lrrrr", rows)


def hint_counts(metrics: Metrics) -> list[int]:
    """Return the numbers of hints that were tried, rising; none where no hints were."""
    found = (_HINTED.fullmatch(name) for name in metrics)
    return sorted({int(name[1]) for name in found if name})


def hint_rows(metrics: Metrics) -> dict[str, list[float]]:
    """PSNR in dB by the number of hints: of this model, the no-learning floor and grey."""
    counts = hint_counts(metrics)
    ours, floor = (
        [float(metrics[f"hints_{count}{part}_psnr"]) for count in counts] for part in ("", "_floor")
    )
    return {"This model": ours, "No-learning floor": floor, "Grey picture": floor[:1] * len(counts)}


def hint_table(metrics: Metrics) -> str:
    """Markdown: the hint curve."""
    rows = [(name, *(f"{v:.2f}" for v in row)) for name, row in hint_rows(metrics).items()]
    counts = hint_counts(metrics)
    return markdown_table(("Hints", *map(str, counts)), "l" + "r" * len(counts), rows)


def markdown_table(header: Sequence[str], align: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; `align` has an l or r for each column."""
    rule = "|" + "".join({"l": "---|", "r": "--:|"}[side] for side in align)
    return "\n".join((_line(header), rule, *map(_line, rows)))


def _value(results: Mapping[str, float], cell: str | float | None) -> float | None:
    return results.get(cell) if isinstance(cell, str) else cell


def _line(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", r"\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"
