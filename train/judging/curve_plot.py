"""The hint curve as a picture: PSNR against the number of hints."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from colorize_hub.publish.results import Metrics, hint_counts, hint_rows

WIDTH, HEIGHT = 960, 540
_DPI = 100
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 210, 92, 74  # pixels around the axes
_INK, _FAINT, _RULE = "#1f2430", "#6b7280", "#e5e7eb"
_STYLES = {  # name of a row -> colour, dashed
    "This model": ("#d9480f", False),
    "No-learning floor": ("#3b6ea5", False),
    "Grey picture": ("#868e96", True),
}
_LABEL_GAP = 22  # pixels between the names at the right, so that they do not overlap


def plot_hint_curve(metrics: Metrics) -> Image.Image:
    """Draw this model, the no-learning floor and the grey picture over the number of hints.

    The counts stand at equal distances, so that the few hints a person gives have room.

    Args:
        metrics: of train.evaluate, with hints.

    Returns:
        An RGB picture of 960 x 540 pixels on white.
    """
    counts, rows = hint_counts(metrics), hint_rows(metrics)
    figure = Figure((WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    figure.subplots_adjust(_LEFT / WIDTH, _BOTTOM / HEIGHT, 1 - _RIGHT / WIDTH, 1 - _TOP / HEIGHT)
    axes = figure.add_subplot()
    _bare(axes)
    axes.set_xticks(range(len(counts)), map(str, counts))
    axes.set_xlabel("hints: true mean colour of 6 x 6 pixels at random places", color=_FAINT)
    for name, values in rows.items():
        colour, dashed = _STYLES[name]
        style, marker = ((0, (3, 3)), "") if dashed else ("-", "o")
        (line,) = axes.plot(values, color=colour, linestyle=style, marker=marker)
        line.set_markeredgecolor("white")
        line.set_zorder(3 - len(axes.lines) / 10)  # this model before the others
    _name_curves(axes, {name: values[-1] for name, values in rows.items()})
    subtitle = f"PSNR in dB, mean of {metrics['hint_images']} pictures of {metrics['data']}"
    for text, y, size, colour in (("What hints do", 30, 15, _INK), (subtitle, 56, 11, _FAINT)):
        figure.text(40 / WIDTH, 1 - y / HEIGHT, text, size=size, color=colour, va="center")
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _bare(axes: Axes) -> None:
    """Level lines and numbers, no frame and no marks."""
    axes.spines[:].set_visible(False)
    axes.grid(axis="y", color=_RULE)
    axes.tick_params(length=0, labelcolor=_FAINT, labelsize=11)
    axes.margins(x=0.02)


def _name_curves(axes: Axes, ends: dict[str, float]) -> None:
    """Name the curves where they end, kept apart from each other, with the last value."""
    low, high = axes.get_ylim()
    gap = _LABEL_GAP * (high - low) / (HEIGHT - _TOP - _BOTTOM)
    y = float("inf")
    for name, value in sorted(ends.items(), key=lambda end: -end[1]):
        y = min(value, y - gap)
        colour, dashed = _STYLES[name]
        text = name if dashed else f"{name}  {value:.1f}"
        axes.annotate(
            text, (1.02, y), xycoords=("axes fraction", "data"), color=colour, size=11, va="center"
        )
