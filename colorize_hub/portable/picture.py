"""compose.py without torch: full-size work around a model in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from colorize_hub.colour import strips
from colorize_hub.colour.spots import paint_hinted
from colorize_hub.hints.hint import Hint, pixel_owners
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import ImageLike, Picture, read_picture, write_like
from colorize_hub.portable.sessions import Graphs


@dataclass(frozen=True)
class PreparedPicture:
    """A picture and its lightness at working size, (1, 1, h, w)."""

    graphs: Graphs
    picture: Picture
    working: np.ndarray

    @classmethod
    def read(cls, graphs: Graphs, image: ImageLike, size: int) -> PreparedPicture:
        """Read a picture for a working short side of `size` pixels."""
        picture = read_picture(image)
        full = (picture.height, picture.width)
        lightness = strips.lightness_of(picture.pixels)
        working = strips.reduced(lightness, full, working_shape(*full, size))
        return cls(graphs, picture, working[None, None])

    def lightness_at(self, x: int, y: int) -> float:
        """L* of one pixel."""
        f_y = np.empty(1, np.float32)
        strips.lightness_of(self.picture.pixels[y : y + 1, x : x + 1])(slice(0, 1), f_y)
        return 116 * float(f_y[0]) - 16

    def paint(self, ab: np.ndarray, hints: Sequence[Hint] = ()) -> Image.Image | np.ndarray:
        """Join (2, h, w) a*b* with the full-size lightness, and give it the caller's form.

        Pixels that hints fix get the hints' a*b*.

        Raises:
            ValueError: a hint lies outside the picture, or the colours are not finite.
        """
        if not np.isfinite(ab).all():
            raise ValueError("The model predicted NaN; its weights are damaged. Load it anew.")
        source, size = self.picture.pixels, (self.picture.height, self.picture.width)
        lightness = strips.lightness_of(source)
        pixels = strips.painted(lightness, size, ab, source.dtype, self.graphs.threads)
        if hints:
            ab = hint_ab(self.graphs, hints)
            paint_hinted(pixels, lightness, pixel_owners(hints, size), ab)
        return write_like(pixels, self.picture)


def hint_ab(graphs: Graphs, hints: Sequence[Hint]) -> np.ndarray:
    """(N, 2) a*b* of N hints, 1 or more."""
    rgb = np.array([hint.rgb for hint in hints], np.float32).T / 255
    return graphs.lab(rgb[None, :, None])[1][0, :, 0].T
