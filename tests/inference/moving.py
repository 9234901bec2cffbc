"""Textured scenes that can be moved by a known number of pixels."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Blobs some 8 pixels wide, (H, W) uint8 in 40..215."""
    random = np.random.default_rng(seed)
    small = random.integers(40, 216, (-(-height // 8) + 1, -(-width // 8) + 1), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))


def lightness(grey: np.ndarray) -> Tensor:
    """(H, W) grey levels as (1, 1, H, W) L*, about."""
    return torch.from_numpy(grey.astype(np.float32))[None, None] / 2.55


def pan(height: int, width: int, frames: int, step: int, seed: int = 0) -> list[np.ndarray]:
    """A window that moves `step` pixels to the right over a texture per frame."""
    wide = texture(height, width + step * frames, seed)
    return [wide[:, step * t : step * t + width].copy() for t in range(frames)]
