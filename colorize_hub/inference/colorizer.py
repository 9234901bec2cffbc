"""Colorizer: the one way from a picture, or many, to colours."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import Any, overload

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub.colour.palette import decode_bins
from colorize_hub.engines.fused import fuse
from colorize_hub.hints.hint import HINT_STRIDE, Hint
from colorize_hub.hints.kriging import Cells, spread_hints
from colorize_hub.inference.canvas import Canvas
from colorize_hub.inference.compose import Prepared
from colorize_hub.inference.frames import Frame, check_steadiness, colour_frames
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.look import Look
from colorize_hub.network.working import GRID
from colorize_hub.pictures.picture import ImageLike

_BATCH = 8
_MOST_WAITING = 4 * _BATCH  # pictures held at full size until enough have the same shape

# Threads do not survive a fork: with more than one, the first convolution of the child would hang.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


class Colorizer:
    """A trained model, ready to colour. Holds no state between calls: safe to share by threads.

    It can be pickled, and the cache of `datasets` knows it again in another process.

    Attributes:
        config: the model's ColorizerConfig.
        device: where it computes.
    """

    def __init__(
        self,
        network: ColorNet,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Prepare a network for use.

        Args:
            network: trained; it is copied, with BatchNorm folded.
            device: None takes CUDA, then MPS, then the CPU.
            dtype: None takes bfloat16 where the device is fast in it, else float32.
        """
        self.config: ColorizerConfig = network.config
        self.device = _best_device() if device is None else torch.device(device)
        self._dtype = fast_dtype(self.device) if dtype is None else dtype
        self._network = fuse(for_inference(network, self._dtype).to(self.device))

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
    @overload
    def colorize(
        self,
        image: Mapping[str, Any],
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> dict[str, Any]: ...
    def colorize(
        self,
        image: ImageLike | Sequence[ImageLike] | Mapping[str, Any],
        hints: Sequence[Hint] = (),
        vividness: float | None = None,
        size: int | None = None,
    ) -> Image.Image | np.ndarray | list[Image.Image | np.ndarray] | dict[str, Any]:
        """Colour a picture, or a list of pictures.

        Colours that a picture already has are ignored: only its lightness is read, and it is kept
        exactly.

        Args:
            image: path, PIL image or array (see picture.read_picture), or a list of these, which is
                worked on in batches; or a row or batch of rows of a dataset, for `Dataset.map`,
                with such in the column "image" or in the only column that has them.
            hints: colours to fix, in pixels of the picture; for a single picture only.
            vividness: 0 (dull) to 1 (vivid); None takes the model's calibrated value.
            size: working short side in pixels; None takes the model's.

        Returns:
            What came in, in colour: array for array (same dtype), PIL image for PIL image or path;
            same width and height, alpha kept; a list for a list, in its order; for a row or batch
            that column alone.

        Raises:
            PictureError: the picture cannot be read or used.
            FileNotFoundError: there is no such file.
            ValueError: vividness, size or a hint out of range, or hints with a list.
        """
        if isinstance(image, Mapping):
            column = _picture_column(image)
            return {column: self.colorize(image[column], hints, vividness, size)}
        if not isinstance(image, Sequence) or isinstance(image, str | bytes):
            return self.canvas(image, size).render(hints, vividness)
        if hints:
            raise ValueError(
                "hints belong to one picture, got a list of pictures; colour them one by one."
            )
        coloured: dict[int, Image.Image | np.ndarray] = {}
        same_shape: dict[torch.Size, dict[int, Prepared]] = defaultdict(dict)
        for index, one in enumerate(image):
            prepared = Prepared.read(one, self._size(size))
            same_shape[prepared.working.shape][index] = prepared
            most = max(same_shape.values(), key=len)
            if len(most) == _BATCH or sum(map(len, same_shape.values())) == _MOST_WAITING:
                coloured |= self._paint(most, vividness)
                most.clear()
        for rest in filter(None, same_shape.values()):
            coloured |= self._paint(rest, vividness)
        return [coloured[index] for index in range(len(image))]

    def canvas(self, image: ImageLike, size: int | None = None) -> Canvas:
        """Encode a picture once, to be rendered many times with different hints.

        Args and errors: as for `colorize`, one picture.
        """
        prepared = Prepared.read(image, self._size(size))
        return Canvas(self._look(prepared.working), prepared, self.config)

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
            workers: frames predicted side by side, a thread each; as many more are read ahead.

        Yields:
            For each frame what `colorize` would give; the first, and the first after a cut or a
            change of the frames' width or height, is exactly that.

        Raises:
            ValueError: smoothing outside 0..1, look_ahead or workers too low; at once.
            ModuleNotFoundError: smoothing needs OpenCV and it is missing; at once.
        """
        check_steadiness(smoothing, look_ahead, workers)
        return colour_frames(self.canvas, frames, smoothing, look_ahead, workers)

    @torch.inference_mode()
    def predict_ab(
        self, lightness: Tensor, hint_map: Tensor | None = None, vividness: float | None = None
    ) -> Tensor:
        """Colours of lightness, tensor to tensor, at the size given.

        Args:
            lightness: (B, 1, H, W), L* 0..100.
            hint_map: (B, 3, ceil(H / 4), ceil(W / 4)): a*, b* and mask (see hint.draw_hints);
                hinted cells get exactly these colours, spread as by `Canvas.render`.
            vividness: 0..1; None takes the model's calibrated value.

        Returns:
            (B, 2, H, W) a*b*, float32, on the model's device; not yet fitted to the gamut of sRGB.

        Raises:
            ValueError: wrong shape, or lightness that is not finite.
        """
        if lightness.ndim != 4 or lightness.shape[1] != 1 or not lightness.numel():
            raise ValueError(
                f"predict_ab expects lightness of shape (B, 1, H, W), got {tuple(lightness.shape)}."
            )
        if not torch.isfinite(lightness).all():
            raise ValueError("predict_ab expects finite L* in 0..100, got NaN or infinity.")
        height, width = lightness.shape[2:]
        grid = (len(lightness), 3, -(-height // HINT_STRIDE), -(-width // HINT_STRIDE))
        if hint_map is not None and hint_map.shape != grid:
            raise ValueError(
                f"predict_ab expects a hint_map of shape {grid}, got {tuple(hint_map.shape)}."
            )
        look = self._look(lightness)
        plain = look.plain
        ab = self._colours(plain, vividness)
        if hint_map is not None:
            hint_map = hint_map.to(plain)
            own = self._colours(plain, vividness, 1.0)
            small = F.adaptive_avg_pool2d(lightness.to(plain), (plain.shape[2], plain.shape[3]))[
                :, 0
            ]
            step, scale = self.config.bin_step, self.config.chroma_scale
            for i, one in enumerate(hint_map):
                if one[2].any():
                    cells = Cells.read(plain[i], look.maps[i], small[i], step)
                    ab[i] = spread_hints(one, own[i], cells, scale, look.attention)
        return F.interpolate(ab, size=(height, width), mode="bicubic")

    def __reduce__(self) -> tuple[Any, ...]:
        weights = {name: value.cpu() for name, value in self._network.state_dict().items()}
        return _revive, (self.config, str(self.device), self._dtype, weights)

    def _paint(
        self, pictures: Mapping[int, Prepared], vividness: float | None
    ) -> dict[int, Image.Image | np.ndarray]:
        """Pictures of one working shape in colour, under the same keys."""
        ab = self._plain_ab(torch.cat([one.working for one in pictures.values()]), vividness)
        return {
            key: one.paint(colours)
            for (key, one), colours in zip(pictures.items(), ab, strict=True)
        }

    @torch.inference_mode()
    def _look(self, lightness: Tensor) -> Look:
        return Look(self._network, lightness)

    @torch.inference_mode()
    def _plain_ab(self, lightness: Tensor, vividness: float | None) -> Tensor:
        """(B, 2, h, w) a*b* at stride 4, without hints."""
        return self._colours(self._look(lightness).plain, vividness)

    def _colours(
        self, logits: Tensor, vividness: float | None, chroma_scale: float | None = None
    ) -> Tensor:
        """(B, 2, h, w) a*b* of (B, Q, h, w) logits; None takes what the model says."""
        vividness = self.config.vividness if vividness is None else vividness
        scale = self.config.chroma_scale if chroma_scale is None else chroma_scale
        return decode_bins(logits, self.config.bin_step, vividness, scale)

    def _size(self, size: int | None) -> int:
        size = self.config.size if size is None else size
        if isinstance(size, bool) or not isinstance(size, int) or not GRID <= size <= 2048:
            raise ValueError(f"size must be an integer {GRID}..2048 (pixels), got {size!r}.")
        return size


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _picture_column(row: Mapping[str, Any]) -> str:
    """The column of a row, or of a batch of rows, that holds the pictures."""
    if "image" in row:
        return "image"
    firsts = {
        name: value[0] if isinstance(value, list) and value else value
        for name, value in row.items()
    }
    found = [name for name, one in firsts.items() if isinstance(one, Image.Image | np.ndarray)]
    if len(found) != 1:
        raise ValueError(
            'Expected a column "image", or one column of PIL images or arrays, got '
            f"{', '.join(row)}: take the pictures out, and colorize them as a list."
        )
    return found[0]


def _revive(
    config: ColorizerConfig, device: str, dtype: torch.dtype, weights: dict[str, Tensor]
) -> Colorizer:
    """What Colorizer.__reduce__ took apart."""
    colorizer = Colorizer(ColorNet(config), device, dtype)
    colorizer._network.load_state_dict(weights)
    return colorizer
