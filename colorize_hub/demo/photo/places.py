"""Where the model is unsure of the colour, made for looking at."""

import numpy as np

from colorize_hub.colour.resizing import cell_means

_BAND = (0.45, 0.98)  # quantiles of doubt that are clear and strong
_MOST = 0.55  # opacity where the model is least sure
_CELL = 24  # the map is looked through in so many cells on the long side


def unsure_places(
    confidence: np.ndarray, count: int = 5
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return a map to lay over the picture, and the places where a hint helps most.

    Confidence of one picture lies in a narrow band, so the map shows its order: the surer half
    is clear, the least sure is strong.

    Args:
        confidence: (H, W), 0..1, as `Canvas.confidence` gives it.
        count: most places.

    Returns:
        Strength (H, W) float32, 0..1, and (x, y) in pixels, the least sure first, each some
        distance from the others.
    """
    doubt = 1 - np.asarray(confidence, np.float32)
    low, high = np.quantile(doubt.ravel()[:: max(1, doubt.size // 50_000)], _BAND)
    spread = high - low
    strength = (doubt - low) / spread if spread > 1e-4 else np.zeros_like(doubt)
    return (strength.clip(0, 1) * _MOST).astype(np.float32), _peaks(doubt, count)


def _peaks(doubt: np.ndarray, count: int) -> list[tuple[float, float]]:
    height, width = doubt.shape
    cell = max(1.0, max(height, width) / _CELL)
    rows, columns = max(1, round(height / cell)), max(1, round(width / cell))
    coarse = cell_means(doubt, (rows, columns))
    y, x = np.indices(coarse.shape)
    places: list[tuple[float, float]] = []
    while len(places) < min(count, rows * columns) and coarse.max() >= 0:
        row, column = divmod(int(coarse.argmax()), columns)
        places.append(((column + 0.5) * width / columns, (row + 0.5) * height / rows))
        coarse[(y - row) ** 2 + (x - column) ** 2 <= (_CELL / 5) ** 2] = -1
    return places
