"""The hint curve as a picture: PSNR against the number of hints."""

import math

from PIL import Image, ImageDraw, ImageFont

from colorize_hub.publish.results import Metrics, hint_counts, hint_rows

WIDTH, HEIGHT = 960, 540
_SCALE = 2  # drawn larger and shrunk, which smooths the lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 210, 92, 74
_PAPER, _INK, _FAINT, _RULE = "#ffffff", "#1f2430", "#6b7280", "#e5e7eb"
_STYLES = {  # name of a row -> colour, dashed
    "This model": ("#d9480f", False),
    "No-learning floor": ("#3b6ea5", False),
    "Grey picture": ("#868e96", True),
}
_LABEL_GAP = 22  # pixels between the names at the right, so that they do not overlap
_Point = tuple[float, float]


def plot_hint_curve(metrics: Metrics) -> Image.Image:
    """Draw this model, the no-learning floor and the grey picture over the number of hints.

    The counts stand at equal distances, so that the few hints a person gives have room.

    Args:
        metrics: of train.evaluate, with hints.

    Returns:
        An RGB picture of 960 x 540 pixels on white.
    """
    counts, rows = hint_counts(metrics), hint_rows(metrics)
    low, high, step = _range([value for row in rows.values() for value in row])
    chart = _Chart(len(counts), low, high)
    for level in range(round(low / step), round(high / step) + 1):
        chart.rule(level * step)
    chart.counts(counts)
    for name, values in reversed(rows.items()):
        chart.curve(values, *_STYLES[name])
    chart.names({name: values[-1] for name, values in rows.items()})
    chart.heading(
        "What hints do",
        f"PSNR in dB, mean of {metrics['hint_images']} pictures of {metrics['data']}",
        "hints: true mean colour of 6 x 6 pixels at random places",
    )
    return chart.picture()


def _range(values: list[float]) -> tuple[float, float, float]:
    """Lowest and highest level of the axis, and the step between its lines."""
    spread = max(max(values) - min(values), 0.5)
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10) if spread / step <= 8)
    return math.floor(min(values) / step) * step, math.ceil(max(values) / step) * step, step


class _Chart:
    """A line chart with equally spaced places along x."""

    def __init__(self, places: int, low: float, high: float) -> None:
        self._places, self._low, self._high = places, low, max(high, low + 0.1)
        self._image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def picture(self) -> Image.Image:
        return self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def rule(self, value: float) -> None:
        y = self._y(value)
        self._line([(_LEFT, y), (WIDTH - _RIGHT, y)], _RULE, 1)
        self._text((_LEFT - 12, y), f"{value:g}", _FAINT, "rm")

    def counts(self, counts: list[int]) -> None:
        for place, count in enumerate(counts):
            self._text((self._x(place), HEIGHT - _BOTTOM + 12), str(count), _FAINT, "mt")

    def curve(self, values: list[float], colour: str, dashed: bool) -> None:
        points = [(self._x(place), self._y(value)) for place, value in enumerate(values)]
        if dashed:
            self._dashes(points[0], points[-1], colour)
            return
        self._line(points, colour, 3)
        for x, y in points:
            self._dot(x, y, 6, _PAPER)
            self._dot(x, y, 4.5, colour)

    def names(self, ends: dict[str, float]) -> None:
        """Name the curves where they end, kept apart from each other, with the last value."""
        y = float("-inf")
        for name, value in sorted(ends.items(), key=lambda end: -end[1]):
            y = max(self._y(value), y + _LABEL_GAP)
            colour, dashed = _STYLES[name]
            last = "" if dashed else f"  {value:.1f}"
            self._text((WIDTH - _RIGHT + 14, y), name + last, colour, "lm")

    def heading(self, title: str, subtitle: str, below: str) -> None:
        self._text((_LEFT - 44, 18), title, _INK, "lt", 21)
        self._text((_LEFT - 44, 46), subtitle, _FAINT, "lt")
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        self._text((middle, HEIGHT - 16), below, _FAINT, "mb")

    def _x(self, place: int) -> float:
        width = WIDTH - _LEFT - _RIGHT
        return _LEFT + 10 + place * (width - 20) / max(self._places - 1, 1)

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    def _line(self, points: list[_Point], colour: str, width: int) -> None:
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=width * _SCALE, joint="curve")

    def _dashes(self, start: _Point, end: _Point, colour: str) -> None:
        count = 2 * round((end[0] - start[0]) / 14) + 1
        along = [
            tuple(a + (b - a) * i / count for a, b in zip(start, end, strict=True))
            for i in range(count + 1)
        ]
        for i in range(0, count, 2):
            self._line([(along[i][0], along[i][1]), (along[i + 1][0], along[i + 1][1])], colour, 2)

    def _dot(self, x: float, y: float, radius: float, colour: str) -> None:
        box = [(place + side * radius) * _SCALE for side in (-1, 1) for place in (x, y)]
        self._draw.ellipse(box, fill=colour)

    def _text(self, at: _Point, text: str, colour: str, anchor: str, size: int = 15) -> None:
        font = ImageFont.load_default(size * _SCALE)
        self._draw.text((at[0] * _SCALE, at[1] * _SCALE), text, colour, font, anchor)
