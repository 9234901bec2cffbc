"""A hint on a live picture: it stays on its object, and is silent while the object is not seen.

What lay around the hint when it was set, and what lay there lately, are looked for by normalised
cross-correlation (Lewis, "Fast Normalized Cross-Correlation", 1995) on a small grey picture. The
first template keeps the hint from drifting, the later one follows what turns or comes nearer. A
place without texture cannot be followed: there the hint stays for as long as the brightness does.
"""

import numpy as np
from PIL import Image

from colorize_hub.inference.motion import load_opencv

SMALL_SIDE = 192  # pixels of the long side of the pictures that are searched
SIDES = (19, 29, 41, 57)  # of the template; the first with enough texture is taken
TEXTURE = 7.0  # standard deviation, in levels, that can be followed
REACH = 26  # pixels between two frames
AGREES = 0.65  # correlation that is the object
FOUND_AGAIN = 0.8  # likewise, anywhere in the picture
ANCHORED = 0.75  # correlation from which the first template alone says where
FADED = 0.92  # the later template is taken anew below this
_FARNESS = 0.08  # correlation that a place at the end of the reach must make up for
SAME_LEVELS = 22.0  # change of brightness, less the picture's, of a place without texture
_UNCLEAR = 0.4  # correlation that is forgiven for _PATIENCE frames
_PATIENCE = 2


class Tracker:
    """Follows one place from frame to frame.

    Attributes:
        seen: whether the object was there in the last frame.
    """

    def __init__(self, grey: np.ndarray, x: float, y: float) -> None:
        """Begin on a frame.

        Args:
            grey: (h, w) uint8.
            x: share of the width, 0 to below 1.
            y: share of the height, likewise.
        """
        self.seen = True
        self._shape, self._missed = grey.shape, 0
        rows, columns = grey.shape
        at = np.array([int(y * rows), int(x * columns)])
        for side in SIDES:
            self._size = np.minimum(side, grey.shape)
            self._corner = np.clip(at - self._size // 2, 0, np.array(grey.shape) - self._size)
            self._first = self._cut(grey)
            if self._first.std() >= TEXTURE:
                break
        self._place = at - self._corner  # in the template
        self._later = self._first
        self._flat = self._first.std() < TEXTURE
        self._level = float(self._first.mean()) - float(grey.mean())

    @property
    def place(self) -> tuple[float, float]:
        """Where the place is: x and y, shares of the frame."""
        y, x = (self._corner + self._place + 0.5) / self._shape
        return float(x), float(y)

    def follow(self, grey: np.ndarray) -> None:
        """Move to where the object is in the next frame, (h, w) uint8; say if it is seen.

        Raises:
            ModuleNotFoundError: OpenCV is missing.
        """
        if grey.shape != self._shape:  # the camera was turned, or is another
            self.seen = False
        elif self._flat:
            change = float(self._cut(grey).mean()) - float(grey.mean()) - self._level
            self._judge(float(abs(change) < SAME_LEVELS))
        else:
            score, corner = self._find(grey, REACH) if self.seen else (0.0, self._corner)
            if score < AGREES:  # far away: it is not there, was away, or the frames come slowly
                elsewhere, other = self._find(grey, max(grey.shape))
                if elsewhere >= FOUND_AGAIN:
                    score, corner = elsewhere, other
            if self._judge(score):
                self._corner = corner
                if score < FADED:
                    self._later = self._cut(grey)

    def _find(self, grey: np.ndarray, reach: int) -> tuple[float, np.ndarray]:
        """Correlation and corner where the object seems to be, at most `reach` pixels away."""
        score, corner = best_fit(grey, self._first, self._corner, reach)
        if score >= ANCHORED:
            return score, corner
        other, elsewhere = best_fit(grey, self._later, self._corner, reach)
        return (other, elsewhere) if other > score else (score, corner)

    def _judge(self, score: float) -> bool:
        """Whether this frame shows the object; a few unclear frames are forgiven."""
        agrees = score >= AGREES
        self._missed = 0 if agrees else self._missed + 1
        forgiven = self.seen and score >= _UNCLEAR and self._missed <= _PATIENCE
        self.seen = agrees or forgiven
        return agrees

    def _cut(self, grey: np.ndarray) -> np.ndarray:
        (y, x), (rows, columns) = self._corner, self._size
        return grey[y : y + rows, x : x + columns].copy()


def small_grey(image: Image.Image) -> np.ndarray:
    """(h, w) uint8 of a picture: what is followed on, SMALL_SIDE pixels the longer way."""
    scale, grey = SMALL_SIDE / max(image.size), image.convert("L")
    size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
    return np.asarray(grey.resize(size, Image.Resampling.BILINEAR, reducing_gap=2))


def best_fit(
    grey: np.ndarray, template: np.ndarray, corner: np.ndarray, reach: int
) -> tuple[float, np.ndarray]:
    """Correlation and corner where the template fits best; near ones are preferred a little."""
    cv2 = load_opencv()
    low = np.maximum(corner - reach, 0)
    high = np.minimum(corner + template.shape + reach, grey.shape)
    window = np.ascontiguousarray(grey[low[0] : high[0], low[1] : high[1]])
    fit = cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED)
    y, x = np.ogrid[: fit.shape[0], : fit.shape[1]]
    far = np.hypot(y + low[0] - corner[0], x + low[1] - corner[1]) / max(1, reach)
    best = np.array(np.unravel_index(int((fit - _FARNESS * far).argmax()), fit.shape))
    return float(fit[tuple(best)]), best + low
