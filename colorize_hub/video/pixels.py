"""A decoded frame as pixels: upright, over the full range, grey where it has no colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from colorize_hub.video.opening import import_av

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.plane import VideoPlane

_UNSPECIFIED, _BT709 = 2, 1  # of H.273 matrix coefficients
_HD_ROWS = 720  # where a film does not say its matrix, players take BT.709 from here on
_LIMITED, _FULL = 1, 2  # video range as FFmpeg numbers it: 16..235, 0..255
_STRETCHED = np.rint((np.arange(256.0) - 16) * (255 / 219)).clip(0, 255).astype(np.uint8)
_GREY = 2  # levels that the chroma of a grey film may stray from 128
_CHROMA_PLANES = {f"yuv{j}{n}p" for j in ("", "j") for n in (420, 422, 444)}


def upright(frame: VideoFrame) -> np.ndarray:
    """Return a frame as a player would turn it: (H, W) where it has no colour, else (H, W, 3) RGB.

    Returns:
        uint8 over the full range, 0..255. Luma of the limited range, 16..235, is stretched, as is
        that of grey said to have it; grey that says nothing has the full range, as FFmpeg takes it.
    """
    on_its_side, down, right = turns(frame)
    pixels = _pixels(frame)
    pixels = pixels.swapaxes(0, 1) if on_its_side else pixels
    return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if right else 1])


def turns(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Whether to swap rows and columns, then to turn rows, then columns, about."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5]  # x' = a x + c y, y' = b x + d y
    if abs(a) >= abs(b):
        return False, bool(d < 0), bool(a < 0)
    return True, bool(b < 0), bool(c < 0)


def _pixels(frame: VideoFrame) -> np.ndarray:
    """(H, W) where a frame has no colour, else (H, W, 3)."""
    if frame.format.is_rgb or frame.format.has_palette:
        return frame.to_ndarray(format="rgb24")
    if len(frame.format.components) < 3:  # grey, with or without alpha
        grey: np.ndarray = frame.to_ndarray(format="gray")
        return _STRETCHED[grey] if frame.color_range == _LIMITED else grey
    if frame.format.name not in _CHROMA_PLANES:
        frame = frame.reformat(format="yuv420p", threads=1)
    luma, *chroma = (_levels(plane) for plane in frame.planes[:3])
    if all(plane.max() <= 128 + _GREY and plane.min() >= 128 - _GREY for plane in chroma):
        full_range = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
        return luma.copy() if full_range else _STRETCHED[luma]
    unsaid = frame.colorspace == _UNSPECIFIED and frame.height >= _HD_ROWS
    matrix = _BT709 if unsaid else None
    return frame.to_ndarray(format="rgb24", src_colorspace=matrix, threads=1)


def _levels(plane: VideoPlane) -> np.ndarray:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:, : plane.width]


def stretched(pixels: np.ndarray, shown: tuple[int, int]) -> np.ndarray:
    """Pixels of `upright` as players show them, see `ClipFacts.shown`."""
    return fitted(pixels, shown[1], shown[0])


def fitted(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels of `upright` at the film's size."""
    if pixels.shape[:2] == (height, width):
        return pixels
    kind = "gray" if pixels.ndim == 2 else "rgb24"
    frame = import_av().VideoFrame.from_ndarray(pixels, format=kind)
    return frame.reformat(width, height).to_ndarray(format=kind)
