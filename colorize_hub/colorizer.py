"""Colorizer: the one way from a picture, or many, to colours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from os import PathLike
from typing import overload

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub.bins import decode_bins
from colorize_hub.canvas import Canvas
from colorize_hub.compose import GRID, Prepared
from colorize_hub.config import ColorizerConfig
from colorize_hub.hints import HINT_STRIDE, Hint
from colorize_hub.image import ImageLike
from colorize_hub.network import ColorNet, fast_dtype, for_inference
from colorize_hub.spread import Cells, spread_hints

_BATCH = 8


class Colorizer:
    """A trained model, ready to colour. Holds no state between calls: safe to share by threads.

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
        self._network = for_inference(network, self._dtype).to(self.device)

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
            image: path, PIL image or array (see image.read_picture), or a list of these, which is
                worked on in batches.
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
        if not isinstance(image, Sequence) or isinstance(image, str | bytes):
            return self.canvas(image, size).render(hints, vividness)
        if hints:
            raise ValueError(
                "hints belong to one picture, got a list of pictures; colour them one by one."
            )
        pictures = [Prepared.read(one, self._size(size)) for one in image]
        coloured: list[Image.Image | np.ndarray | None] = [None] * len(pictures)
        same_shape: dict[torch.Size, list[int]] = defaultdict(list)
        for index, prepared in enumerate(pictures):
            same_shape[prepared.working.shape].append(index)
        for indices in same_shape.values():
            for first in range(0, len(indices), _BATCH):
                batch = indices[first : first + _BATCH]
                ab = self._plain_ab(torch.cat([pictures[i].working for i in batch]), vividness)
                for i, one in zip(batch, ab, strict=True):
                    coloured[i] = pictures[i].paint(one)
        return [one for one in coloured if one is not None]

    def canvas(self, image: ImageLike, size: int | None = None) -> Canvas:
        """Encode a picture once, to be rendered many times with different hints.

        Args and errors: as for `colorize`, one picture.
        """
        prepared = Prepared.read(image, self._size(size))
        return Canvas(self._network, prepared, self._encode(prepared.working))

    @torch.inference_mode()
    def predict_ab(
        self, lightness: Tensor, hint_map: Tensor | None = None, vividness: float | None = None
    ) -> Tensor:
        """Colours of lightness, tensor to tensor, at the size given.

        Args:
            lightness: (B, 1, H, W), L* 0..100.
            hint_map: (B, 3, ceil(H / 4), ceil(W / 4)): a*, b* and mask (see hints.draw_hints);
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
        features = self._encode(lightness)
        plain = self._network.decode(features)
        ab = self._colours(plain, vividness)
        if hint_map is not None:
            hint_map = hint_map.to(plain)
            hinted = self._colours(self._network.decode(features, hint_map), vividness, 1.0)
            small = F.adaptive_avg_pool2d(lightness.to(plain), (plain.shape[2], plain.shape[3]))[
                :, 0
            ]
            step, scale = self.config.bin_step, self.config.chroma_scale
            for i, one in enumerate(hint_map):
                if one[2].any():
                    ab[i] = spread_hints(
                        one, hinted[i], Cells.read(plain[i], small[i], step), scale
                    )
        return F.interpolate(ab, size=(height, width), mode="bicubic")

    @torch.inference_mode()
    def _encode(self, lightness: Tensor) -> list[Tensor]:
        return self._network.encode(lightness.to(self.device))

    @torch.inference_mode()
    def _plain_ab(self, lightness: Tensor, vividness: float | None) -> Tensor:
        """(B, 2, h, w) a*b* at stride 4, without hints."""
        return self._colours(self._network.decode(self._encode(lightness)), vividness)

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
