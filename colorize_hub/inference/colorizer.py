"""Colorizer: the one way from a picture, or many, to colours."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, overload

import numpy as np
from array_api_compat import array_namespace, is_numpy_array
from PIL import Image

from colorize_hub.colour.arrays import Array, to_numpy
from colorize_hub.colour.resizing import enlarged
from colorize_hub.engines.engine import Engine
from colorize_hub.hints.hint import HINT_STRIDE, Hint
from colorize_hub.inference.canvas import Canvas, open_canvases
from colorize_hub.inference.frames import Frame, check_steadiness, color_frames
from colorize_hub.inference.lists import color_list
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.working import GRID
from colorize_hub.pictures.picture import ImageLike, read_picture


class Colorizer:
    """A trained model, ready to colour. Holds no state between calls: safe to share by threads.

    It can be pickled, and the cache of `datasets` knows it again in another process.

    Attributes:
        engine: computes.
        config: the model's ColorizerConfig.
        device: where it computes: "cpu", "cuda:0", "mps".
    """

    def __init__(self, engine: Engine) -> None:
        """Make one, as `load` does.

        Args:
            engine: TorchEngine(network) or OnnxEngine(network).

        Raises:
            TypeError: it is no engine.
        """
        if not isinstance(engine, Engine):
            raise TypeError(
                f"Colorizer takes an engine, got {type(engine).__name__}: for a network of torch, "
                "Colorizer(TorchEngine(network, device, dtype)); see colorize_hub.engines."
            )
        self.engine = engine
        self.config: ColorizerConfig = engine.config
        self.device = engine.device

    @overload
    def colorize(
        self,
        image: str | PathLike[str] | Image.Image,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> Image.Image: ...
    @overload
    def colorize(
        self,
        image: np.ndarray,
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> np.ndarray: ...
    @overload
    def colorize(
        self,
        image: Sequence[ImageLike],
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> list[Image.Image | np.ndarray]: ...
    def colorize(
        self,
        image: ImageLike | Sequence[ImageLike],
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> Image.Image | np.ndarray | list[Image.Image | np.ndarray]:
        """Colour a picture, or a list of pictures.

        Colours that a picture already has are ignored: only its lightness is read, and it is kept
        exactly.

        Args:
            image: path, PIL image or array (see picture.read_picture), or a list of these, which is
                worked on in batches. For rows of a dataset see `colorize_rows`.
            hints: colours to fix, in pixels of the picture; for a single picture only.
            vividness: 0 (dull) to 1 (vivid); None takes the model's calibrated value.
            size: working short side in pixels; None takes the model's.

        Returns:
            What came in, in colour: array for array (same dtype), PIL image for PIL image or path;
            same width and height, alpha kept; a list for a list, in its order.

        Raises:
            PictureError: the picture cannot be read or used.
            FileNotFoundError: there is no such file.
            ValueError: vividness, size or a hint out of range, or hints with a list.
        """
        if isinstance(image, Mapping):
            warnings.warn(
                "For rows of a dataset call colorize_rows: "
                "Dataset.map(colorizer.colorize_rows, batched=True).",
                DeprecationWarning,
                stacklevel=2,
            )
            return self.colorize_rows(image, None, vividness, size)  # pyright: ignore[reportReturnType]
        if not isinstance(image, Sequence) or isinstance(image, str | bytes):
            return self.canvas(image, size).render(hints, vividness)
        if hints:
            raise ValueError(
                "hints belong to one picture, got a list of pictures; colour them one by one."
            )
        return color_list(self.engine, image, vividness, self._size(size))

    def colorize_rows(
        self,
        rows: Mapping[str, Any],
        column: str | None = None,
        vividness: float | None = None,
        size: int | None = None,
    ) -> dict[str, Any]:
        """Colour the pictures of a row or batch of rows, as `Dataset.map` of `datasets` gives them.

        >>> dataset.map(colorizer.colorize_rows, batched=True)  # doctest: +SKIP

        Args:
            rows: columns; that of the pictures holds PIL images, arrays or paths, or a list of
                these. None stays None.
            column: of the pictures; None takes "image", or the only one that holds pictures.
            vividness: as for `colorize`.
            size: as for `colorize`.

        Returns:
            That column alone.

        Raises:
            PictureError: a picture cannot be read or used.
            ValueError: no column holds pictures, or several do; vividness or size out of range.
        """
        column = _picture_column(rows) if column is None else column
        if column not in rows:
            raise ValueError(f"There is no column {column!r}; there are: {', '.join(rows)}.")
        given, size = rows[column], self._size(size)
        several = isinstance(given, Sequence) and not isinstance(given, str | bytes)
        pictures: list[Any] = list(given) if several else [given]
        places = [index for index, one in enumerate(pictures) if one is not None]
        coloured = color_list(self.engine, [pictures[i] for i in places], vividness, size)
        for index, one in zip(places, coloured, strict=True):
            pictures[index] = one
        return {column: pictures if several else pictures[0]}

    def canvas(self, image: ImageLike, size: int | None = None) -> Canvas:
        """Encode a picture once, to be rendered many times with different hints.

        Args and errors: as for `colorize`, one picture.
        """
        (canvas,) = open_canvases(self.engine, [read_picture(image)], self._size(size))
        return canvas

    def colorize_frames(
        self,
        frames: Iterable[ImageLike | Frame],
        smoothing: float = 0.8,
        look_ahead: int = 0,
        workers: int = 1,
    ) -> Iterator[Image.Image | np.ndarray]:
        """Colour a film or a live picture in steady colour, frame by frame.

        Args:
            frames: pictures in order, each as for `colorize`, or Frames, which bring hints,
                vividness and working size of their own; read one by one as results are taken.
                A change of hints or vividness shows at once.
            smoothing: 0 (each frame as `colorize` gives it) to 1 (steadiest).
            look_ahead: frames to read ahead, so that colours are smoothed both ways; for files.
            workers: threads that predict on a CPU, side by side, two frames each at a time; twice
                as many more are read ahead. On a GPU frames that make a batch, and three times as
                many are read ahead; a list is worked on in batches anyway.

        Yields:
            For each frame what `colorize` would give; the first, and the first after a cut or a
            change of the frames' width or height, is exactly that.

        Raises:
            ValueError: smoothing outside 0..1, look_ahead or workers too low; at once.
            ModuleNotFoundError: smoothing needs OpenCV and it is missing; at once.
        """
        check_steadiness(smoothing, look_ahead, workers)
        return color_frames(self.engine, self._size, frames, smoothing, look_ahead, workers)

    def predict_ab(
        self, lightness: Array, hint_map: Array | None = None, vividness: float | None = None
    ) -> Array:
        """Colours of lightness, array to array, at the size given.

        Args:
            lightness: (B, 1, H, W) array of numpy or tensor of torch, L* 0..100.
            hint_map: (B, 3, ceil(H / 4), ceil(W / 4)): a*, b* and mask (see hint.draw_hints);
                hinted cells get exactly these colours, spread as by `Canvas.render`.
            vividness: 0..1; None takes the model's calibrated value.

        Returns:
            (B, 2, H, W) a*b*, float32, of the kind of `lightness` (a tensor stays on the model's
            device); not yet fitted to the gamut of sRGB.

        Raises:
            ValueError: wrong shape, or lightness that is not finite.
        """
        shape = tuple(lightness.shape)
        if len(shape) != 4 or shape[1] != 1 or 0 in shape:
            raise ValueError(f"predict_ab expects lightness of shape (B, 1, H, W), got {shape}.")
        batch, _, height, width = shape
        grid = (batch, 3, -(-height // HINT_STRIDE), -(-width // HINT_STRIDE))
        if hint_map is not None and tuple(hint_map.shape) != grid:
            raise ValueError(
                f"predict_ab expects a hint_map of shape {grid}, got {tuple(hint_map.shape)}."
            )
        here = self.engine.asarray(lightness)
        if not array_namespace(here).isfinite(here).all():
            raise ValueError("predict_ab expects finite L* in 0..100, got NaN or infinity.")
        ab = self.engine.colors(self.engine.see(here), hint_map, vividness)
        ab = enlarged(ab, (height, width))
        return to_numpy(ab) if is_numpy_array(lightness) else array_namespace(lightness).asarray(ab)

    def _size(self, size: int | None) -> int:
        size = self.config.size if size is None else size
        if isinstance(size, bool) or not isinstance(size, int) or not GRID <= size <= 2048:
            raise ValueError(f"size must be an integer {GRID}..2048 (pixels), got {size!r}.")
        return size


def _picture_column(rows: Mapping[str, Any]) -> str:
    """Return the column of a row, or of a batch of rows, that holds the pictures."""
    if "image" in rows:
        return "image"
    found = [name for name, value in rows.items() if _holds_pictures(value)]
    if len(found) != 1:
        raise ValueError(
            'Expected a column "image", or one column of PIL images or arrays, got '
            f"{', '.join(rows)}: name it with column."
        )
    return found[0]


def _holds_pictures(value: object) -> bool:
    if isinstance(value, list):
        value = next((one for one in value if one is not None), None)
    return isinstance(value, Image.Image | np.ndarray)
