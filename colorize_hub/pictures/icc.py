"""16-bit colour from its embedded ICC profile to sRGB; Pillow's own conversion has 8 bits."""

from __future__ import annotations

import functools
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from colorize_hub.pictures import metadata

logger = logging.getLogger(__name__)

_STRIP_PIXELS = 1 << 18
_ALL = 65535
# Exponents and constants g, a, b, c, d, e, f that each type of a parametric curve stores:
# (a x + b)^g + e from d upwards, c x + f below (ICC.1:2022, 10.18).
_STORED = {0: "g", 1: "gab", 2: "gabe", 3: "gabcd", 4: "gabcdef"}


@dataclass(frozen=True, eq=False)
class _MatrixProfile:
    """Curves to linear light, (3, 65536), and the matrix from there to XYZ (D50), (3, 3)."""

    curves: np.ndarray
    matrix: np.ndarray


def deep_to_srgb(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    """Converts (H, W, 3) uint16 RGB from an embedded profile to sRGB; never changes it.

    A profile of curves and a matrix, as nearly all are, is applied with all 16 bits; of another
    kind, what it does to the colours' 8-bit neighbours is. One that is broken or made for another
    kind of picture is ignored with a logged warning.
    """
    try:
        profile = _matrix_profile(icc)
    except (struct.error, KeyError, ValueError, IndexError) as error:
        logger.debug("No profile of curves and a matrix (%s)", error)
        return _by_eight_bits(pixels, icc)
    if _is_srgb(profile):
        return pixels
    return _in_strips(pixels, lambda strip: _convert(strip, profile))


def _convert(pixels: np.ndarray, profile: _MatrixProfile) -> np.ndarray:
    """(n, W, 3) uint16 to (n, W, 3) sRGB levels, 0..65535, float."""
    linear = np.stack([profile.curves[c][pixels[..., c]] for c in range(3)], axis=-1)
    srgb = _matrix_profile(metadata.srgb_profile())
    linear = linear @ (np.linalg.inv(srgb.matrix) @ profile.matrix).T
    linear = linear.clip(0, 1)
    return _ALL * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _by_eight_bits(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    to_srgb = metadata.srgb_converter("RGB", icc)

    def convert(strip: np.ndarray) -> np.ndarray:
        coarse = (strip >> 8).astype(np.uint8)
        moved = np.asarray(to_srgb(Image.fromarray(coarse)))
        return strip + (moved.astype(np.int32) - coarse) * 257

    return _in_strips(pixels, convert)


def _in_strips(pixels: np.ndarray, convert: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    converted = np.empty_like(pixels)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        strip = slice(top, top + rows)
        converted[strip] = np.rint(convert(pixels[strip])).clip(0, _ALL)
    return converted


def _is_srgb(profile: _MatrixProfile) -> bool:
    """Whether no colour moves by more than one of 255 levels: most profiles are sRGB."""
    levels = np.linspace(0, _ALL, 9).astype(np.uint16)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    return bool((np.abs(_convert(probe, profile) - probe) <= 257).all())


@functools.lru_cache(4)
def _matrix_profile(icc: bytes) -> _MatrixProfile:
    """Reads a profile of curves and a matrix; raises where it is another kind, or broken."""
    if icc[16:20] != b"RGB " or icc[20:24] != b"XYZ " or icc[36:40] != b"acsp":
        raise ValueError("no RGB profile through XYZ")
    (count,) = struct.unpack_from(">I", icc, 128)
    entries = (struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 100)))
    tags = {name: icc[offset : offset + size] for name, offset, size in entries}
    if b"A2B0" in tags:
        raise ValueError("a profile of tables")
    columns = [struct.unpack_from(">8x3i", tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
    matrix = np.array(columns).T / 65536
    if not np.isfinite(curves).all() or abs(np.linalg.det(matrix)) < 1e-4:
        raise ValueError("colorants in one plane, or curves without end")
    return _MatrixProfile(curves, matrix)


def _curve(tag: bytes) -> np.ndarray:
    """(65536,) linear light 0..1 of a tone curve."""
    level = np.arange(_ALL + 1) / _ALL
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        values = struct.unpack_from(f">{len(_STORED[kind])}i", tag, 12)
        given = dict(zip(_STORED[kind], (value / 65536 for value in values), strict=True))
        return _parametric(level, kind, given).clip(0, 1)
    if tag[:4] != b"curv":
        raise ValueError("no tone curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return level
    table = np.frombuffer(tag, ">u2", count, 12)
    if count == 1:
        return level ** (table[0] / 256)
    return np.interp(level, np.linspace(0, 1, count), table / _ALL)


def _parametric(level: np.ndarray, kind: int, given: dict[str, float]) -> np.ndarray:
    scale, shift, gamma = given.get("a", 1.0), given.get("b", 0.0), given["g"]
    power = np.maximum(scale * level + shift, 0) ** gamma + given.get("e", 0.0)
    if kind == 2:  # a level below the curve, c in the standard's formula for this type
        below = np.full_like(level, given["e"])
    else:
        below = given.get("c", 0.0) * level + given.get("f", 0.0)
    start = given.get("d", -shift / scale if kind in (1, 2) else 0.0)
    return np.where(level >= start, power, below)
