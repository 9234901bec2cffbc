"""Canvas: one picture, encoded once, coloured as often as a person changes their mind."""

from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace
from PIL import Image

from colorize_hub.colour.arrays import Array, to_numpy
from colorize_hub.colour.palette import certainty
from colorize_hub.colour.resizing import resized
from colorize_hub.engines.compose import pixels_to_lightness
from colorize_hub.engines.engine import Engine, Held, Seen
from colorize_hub.hints.hint import Hint, draw_hints
from colorize_hub.hints.suggestion import check_place, suggest_colors
from colorize_hub.hints.variation import takes
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import Picture, write_like


class Canvas:
    """One picture, encoded: none of the calls below runs the encoder. Made by `Colorizer.canvas`.

    Nothing that it answers changes after it is made, so threads may share it. Arrays are of the
    kind that the engine computes with: tensors of torch, or arrays of numpy from a model in ONNX.

    Attributes:
        width: of the original picture, pixels.
        height: of the original picture, pixels.
        picture: as it was read.
        held: it alone, see Engine.hold.
        lightness: (1, 1, H, W) L* at working size.
        strength: (1, 1, 1, 1) how strong its colours may be, 0..1: near 0 where there is nothing to
            know, see network/strength.py.
    """

    def __init__(self, engine: Engine, picture: Picture, held: Held, seen: Seen) -> None:
        """Take a picture that is held and seen alone."""
        self._engine, self.picture, self.held = engine, picture, held
        self.width, self.height = picture.width, picture.height
        self.lightness, self.strength, self._seen = seen.lightness, seen.strength, seen

    def render(
        self, hints: Sequence[Hint] = (), vividness: float | None = None
    ) -> Image.Image | np.ndarray:
        """Return the picture in colour, as the kind of thing it was given as.

        A hinted pixel has exactly the a* and b* of its hint, as far as sRGB can show them at the
        picture's lightness; the colour spreads over what the hint lies on (see kriging.py).

        Args:
            hints: colours to fix; later ones lie over earlier ones.
            vividness: 0..1; None takes the model's calibrated value.

        Raises:
            ValueError: vividness out of range, or a hint outside the picture.
        """
        return self.paint(self.predict(hints, vividness), hints)

    def predict(
        self,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        strength: Array | None = None,
    ) -> Array:
        """(2, h, w) a*b* that `render` paints, at stride 4.

        Args:
            hints: as for `render`.
            vividness: as for `render`.
            strength: (1, 1, 1, 1) of the network's own colours; None takes that of the picture.

        Raises:
            ValueError: as for `render`.
        """
        hint_map = self._draw(hints)
        return self._engine.colors(self._seen, hint_map, vividness, strength=strength)[0]

    def paint(self, ab: Array, hints: Sequence[Hint] = ()) -> Image.Image | np.ndarray:
        """Return the picture in the colours of (2, h, w) a*b*, and of the hints at their pixels."""
        (pixels,) = self._engine.paint(self.held, ab[None], hints)
        return write_like(pixels, self.picture)

    def variations(
        self,
        n: int = 4,
        seed: int = 0,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
    ) -> list[Image.Image | np.ndarray]:
        """Varied, plausible colourings, as far as the predicted distribution supports them.

        Args:
            n: how many, 1 or more.
            seed: 0 or more. Result k is take seed + k, whatever n is; takes 4k to 4k + 3 are made
                to differ most.
            hints: colours to fix, in every one of them.
            vividness: 0..1; None takes the model's calibrated value.

        Returns:
            n pictures such as `render` gives; the same for the same arguments.

        Raises:
            ValueError: n or seed is not such a whole number, or as for `render`.
        """
        hint_map = self._draw(hints)
        return [
            self.paint(self._engine.colors(self._seen, hint_map, vividness, take)[0], hints)
            for take in takes(n, seed)
        ]

    def logits(self, hints: Sequence[Hint] = ()) -> Array:
        """Return what the decoder answers: (1, Q, h, w) logits over the ab palette, at stride 4."""
        logits = self._decode(self._draw(hints))
        return array_namespace(logits).asarray(logits, copy=True)

    def suggest(
        self, x: float, y: float, k: int = 5, hints: Sequence[Hint] = ()
    ) -> list[tuple[tuple[int, int, int], float]]:
        """Colours the model finds likely at a place of the original picture.

        Args:
            x: pixels, rightwards.
            y: pixels, downwards.
            k: how many at most.
            hints: colours that are fixed already; the model takes them into account.

        Returns:
            Up to k of [((r, g, b) 0..255, share 0..1)], most likely first, shown at the lightness
            of that place.

        Raises:
            ValueError: the place or a hint lies outside the picture, or k < 1.
        """
        check_place(x, y, self.width, self.height, k)
        logits = self._decode(self._draw(hints))[0]
        rows, columns = logits.shape[1:]
        here = logits[:, int(y * rows / self.height), int(x * columns / self.width)]
        pixel = self.picture.pixels[int(y) : int(y) + 1, int(x) : int(x) + 1]
        lightness = float(pixels_to_lightness(pixel)[0, 0, 0])
        return suggest_colors(here, self._engine.config.bin_step, lightness, k)

    def confidence(self) -> np.ndarray:
        """How sure the model is of each pixel's colour: (H, W) float32, 0 (any bin) to 1 (one bin).

        1 minus the entropy of the predicted distribution over that of the uniform one.
        """
        return resized(certainty(to_numpy(self._seen.plain[0])), (self.height, self.width))

    def _decode(self, hint_map: np.ndarray | None) -> Array:
        """(1, Q, h, w) logits."""
        if hint_map is None:
            return self._seen.plain
        return self._engine.logits(self._seen, hint_map)

    def _draw(self, hints: Sequence[Hint]) -> np.ndarray | None:
        """(1, 3, h, w) map of the hints on the decoder's grid; None without."""
        if not hints:
            return None
        rows, columns = self._seen.plain.shape[2:]
        return draw_hints(hints, (self.height, self.width), (rows, columns))


def open_canvases(engine: Engine, pictures: Sequence[Picture], size: int) -> list[Canvas]:
    """Encode pictures of one working shape together, at a working short side of `size` pixels."""
    shape = working_shape(pictures[0].height, pictures[0].width, size)
    held = engine.hold([picture.pixels for picture in pictures])
    seen = engine.see(engine.lightness(held, shape))
    if len(pictures) == 1:
        return [Canvas(engine, pictures[0], held, seen)]
    alone = zip(pictures, engine.apart(held), strict=True)
    return [Canvas(engine, one, own, seen.one(i)) for i, (one, own) in enumerate(alone)]
