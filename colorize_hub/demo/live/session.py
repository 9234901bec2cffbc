"""One viewer of the live picture: frames in, frames in colour out, hints that follow their objects.

The page owns what the viewer wants and sends it with every frame; here is only what has to be
remembered from frame to frame. A session is used by one thread at a time.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from cachetools import FIFOCache
from PIL import Image

from colorize_hub.demo.arguments import RequestError, color, number, shown, text, whole
from colorize_hub.demo.live.pace import Pace
from colorize_hub.demo.models import MOST_NAME, ModelShelf
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.inference.frames import Frame
from colorize_hub.inference.tracking import Tracker, small_grey

MOST_HINTS = 24
MOST_PIXELS = 4_000_000
_LEAST_SIDE = 16
_REMEMBERED = 24  # frames that a click may come late
_JPEG = {"quality": 82}


@dataclass(frozen=True)
class LiveHint:
    """A colour fixed on the live picture.

    Attributes:
        key: the page's name for it.
        x: share of the width, 0 to below 1, in frame `frame`.
        y: share of the height, likewise.
        frame: number of the frame that the viewer clicked.
        rgb: sRGB 0..255; None is followed, but not chosen yet.
        seen: False where the page knows that its object is out of sight.
    """

    key: str
    x: float
    y: float
    frame: int
    rgb: tuple[int, int, int] | None
    seen: bool = True


@dataclass(frozen=True)
class Wish:
    """What the viewer wants of a frame.

    Attributes:
        frame: its number, rising.
        vividness: 0..1; None is the model's own.
        smoothing: 0 (off) to 1 (steadiest).
        hints: at most MOST_HINTS.
        model: as `ModelShelf.get` takes it.
        suggest: key of the hint for whose place likely colours are wanted, or "".
    """

    frame: int
    vividness: float | None = None
    smoothing: float = 0.8
    hints: tuple[LiveHint, ...] = ()
    model: str = ""
    suggest: str = ""


def read_wish(value: object) -> Wish:
    """Check what the page sent, read from JSON.

    Raises:
        RequestError: a field is missing, of the wrong kind or out of range.
    """
    if not isinstance(value, dict):
        raise RequestError(f"A frame's wish must be an object, got {shown(value)}.")
    hints = value.get("hints", [])
    if not isinstance(hints, list) or len(hints) > MOST_HINTS:
        raise RequestError(f"hints must be a list of at most {MOST_HINTS}, got {shown(hints)}.")
    vividness = value.get("vividness")
    return Wish(
        frame=whole(value.get("frame"), "frame", 0),
        vividness=None if vividness is None else number(vividness, "vividness", 0, 1),
        smoothing=number(value.get("smoothing", 0.8), "smoothing", 0, 1),
        hints=tuple(_hint(hint) for hint in hints),
        model=text(value.get("model"), "model", MOST_NAME),
        suggest=text(value.get("suggest"), "suggest", MOST_NAME),
    )


class Session:
    """What one viewer's stream remembers.

    Attributes:
        pace: how large to work.
        local: whether the viewer sits at this machine, see `ModelShelf.get`.
    """

    def __init__(self, models: ModelShelf, local: bool = True) -> None:
        self.pace = Pace()
        self.local = local
        self._models = models
        self._stream: _Stream | None = None
        self._trackers: dict[str, Tracker] = {}
        self._seen_lately: FIFOCache[int, np.ndarray] = FIFOCache(_REMEMBERED)

    def colour(self, picture: bytes, wish: Wish) -> tuple[dict[str, Any], bytes]:
        """Colour the next frame.

        Args:
            picture: the frame, a JPEG file; only its lightness is read.
            wish: for this frame.

        Returns:
            Facts for the page (the size worked at, where the hints are now, likely colours if they
            were asked for) and the frame in colour, a JPEG file of the same width and height.

        Raises:
            RequestError: the picture cannot be used.
            ModelError: there is no such model.
            ValueError: anything else that is out of range.
        """
        grey = _read_grey(picture)
        if self._follow(small_grey(grey), wish):
            self._stream = None  # what a hint coloured must not stay where its object is not
        colorizer, level = self._models.get(wish.model, self.local), self.pace.level
        chosen = {one.key: one.rgb for one in wish.hints if one.rgb is not None}
        hints = [
            Hint(*_pixels(self._trackers[key], grey), rgb)
            for key, rgb in chosen.items()
            if key in self._trackers and self._trackers[key].seen
        ]
        if self._stream is None or not self._stream.fits(colorizer, wish.smoothing):
            self._stream = _Stream(colorizer, wish.smoothing)
        try:
            coloured = self._stream.colour(Frame(grey, hints, wish.vividness, level.size))
        except Exception:
            self._stream = None  # a generator that raised has ended
            raise
        facts: dict[str, Any] = {
            "frame": wish.frame,
            "side": level.side,
            "size": level.size,
            "hints": [self._whereabouts(one.key) for one in wish.hints],
        }
        if wish.suggest in self._trackers:
            canvas = colorizer.canvas(grey, level.size)
            found = canvas.suggest(*_pixels(self._trackers[wish.suggest], grey))
            likely = [{"rgb": list(rgb), "share": share} for rgb, share in found]
            facts["likely"] = {"key": wish.suggest, "colours": likely}
        return facts, _jpeg(coloured)

    def _follow(self, small: np.ndarray, wish: Wish) -> bool:
        """Take the hints along to this frame; new ones begin on the frame that was clicked.

        Returns:
            Whether an object went out of sight or came back.
        """
        wanted = {one.key for one in wish.hints}
        self._trackers = {key: one for key, one in self._trackers.items() if key in wanted}
        seen = {key: tracker.seen for key, tracker in self._trackers.items()}
        for tracker in self._trackers.values():
            tracker.follow(small)
        turned = any(self._trackers[key].seen != before for key, before in seen.items())
        self._seen_lately[wish.frame] = small
        for hint in wish.hints:
            if hint.key in self._trackers or not hint.seen:
                continue
            tracker = Tracker(self._seen_lately.get(hint.frame, small), hint.x, hint.y)
            for shot, later in self._seen_lately.items():
                if hint.frame in self._seen_lately and shot > hint.frame:
                    tracker.follow(later)
            self._trackers[hint.key] = tracker
        return turned

    def _whereabouts(self, key: str) -> dict[str, Any]:
        tracker = self._trackers.get(key)
        if tracker is None:
            return {"key": key, "seen": False}
        x, y = tracker.place
        return {"key": key, "x": x, "y": y, "seen": tracker.seen}


class _Stream:
    """`Colorizer.colorize_frames`, fed by hand: one frame in, one out."""

    def __init__(self, colorizer: Colorizer, smoothing: float) -> None:
        self._made_of = (colorizer, smoothing)
        self._next: Frame | None = None
        self._coloured = colorizer.colorize_frames(self._given(), smoothing=smoothing)

    def fits(self, colorizer: Colorizer, smoothing: float) -> bool:
        return self._made_of == (colorizer, smoothing)

    def colour(self, frame: Frame) -> Image.Image:
        self._next = frame
        coloured = next(self._coloured)
        if not isinstance(coloured, Image.Image):
            raise TypeError(f"Expected an image for an image, got {type(coloured).__name__}.")
        return coloured

    def _given(self) -> Iterator[Frame]:
        while self._next is not None:
            frame, self._next = self._next, None
            yield frame


def _read_grey(picture: bytes) -> Image.Image:
    """Return the lightness of a JPEG file: it is stored apart, so colour is not decoded."""
    try:
        image = Image.open(io.BytesIO(picture), formats=("JPEG",))
        width, height = image.size
        if min(width, height) < _LEAST_SIDE or width * height > MOST_PIXELS:
            raise RequestError(
                f"A frame must have {_LEAST_SIDE} pixels a side or more and at most "
                f"{MOST_PIXELS / 1e6:g} megapixels, got {width} x {height}."
            )
        image.draft("L", image.size)
        grey = image.convert("L")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise RequestError("The frame is not a JPEG picture.") from error
    grey.info.clear()  # browsers enclose the profile of sRGB, which takes 8 ms to apply
    return grey


def _pixels(tracker: Tracker, image: Image.Image) -> tuple[float, float]:
    """Where a tracked place is in the frame."""
    x, y = tracker.place
    return (
        min(max(x, 0.0) * image.width, math.nextafter(image.width, 0)),
        min(max(y, 0.0) * image.height, math.nextafter(image.height, 0)),
    )


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **_JPEG)
    return buffer.getvalue()


def _hint(value: object) -> LiveHint:
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        raise RequestError(f"A hint must be an object with a key, got {shown(value)}.")
    rgb = None if value.get("rgb") is None else color(value["rgb"], "rgb of a hint")
    return LiveHint(
        key=value["key"][:40],
        x=min(number(value.get("x"), "x", 0, 1), 0.9999),
        y=min(number(value.get("y"), "y", 0, 1), 0.9999),
        frame=whole(value.get("frame"), "frame", 0),
        rgb=rgb,
        seen=value.get("seen") is not False,
    )
