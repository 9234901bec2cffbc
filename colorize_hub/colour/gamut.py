"""Where sRGB ends along a ray of constant L* and hue: fast enough for every pixel of a photograph.

Colours are points of the CIE f space: f_Y = (L* + 16) / 116, and the slopes f_X - f_Y = a* / 500
and f_Z - f_Y = -b* / 200, which all scale together when chroma does. Along such a ray each channel
of linear RGB is a piecewise cubic: a table says about where the first one leaves 0..1, and Newton's
method where exactly, in one step for 99 of 100. lab.fit_gamut finds the same by bracketing.
"""

from functools import cache

import numpy as np

from colorize_hub.colour.cie import (
    GAMUT_TOLERANCE,
    INVERSE_FROM,
    LINE_OFFSET,
    LINE_SLOPE,
    RGB_OF_XYZN,
    inverse_cie_curve,
)

_LEVELS, _TURNS = 128, 512  # the table's cells in L* and around the circle of hues
_COARSE_LEVELS, _COARSE_TURNS = 16, 128  # of a table to make it from
_FARTHEST = 2.0  # no colour of sRGB lies as far from grey, |f_X - f_Y| + |f_Z - f_Y|
_MORE_STEPS, _CLOSE = 2, 1e-5  # and how near that gets, in linear RGB, but for 1 in 10,000
_SAMPLES, _ROUNDS = 16, 5
ONE_THREAD = 1 << 18  # multiplications in a matrix product that BLAS gives no second thread
_OF_X_AND_Z = np.ascontiguousarray(RGB_OF_XYZN[:, ::2])
_GREY = np.float32(LINE_OFFSET), np.float32(1 - LINE_OFFSET)  # f_Y = start + L* / 100 * length


def times(matrix: np.ndarray, values: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Multiply a small (m, k) matrix by (k, n) values into `out`, without threads of BLAS."""
    most = max(1, ONE_THREAD // matrix.size)
    for start in range(0, values.shape[1], most):
        part = slice(start, start + most)
        np.matmul(matrix, values[:, part], out=out[:, part])
    return out


def fitted(f_y: np.ndarray, slopes: np.ndarray, close: float = 0) -> np.ndarray:
    """Linear RGB of colours, with chroma scaled down where they would not fit sRGB.

    Args:
        f_y: (n,) float32, of L* 0..100.
        slopes: (2, n) float32, f_X - f_Y and f_Z - f_Y; finite.
        close: how far from the surface, in linear RGB, one step of Newton's method may end; 1e-5
            is enough for 8 bits, 0 always takes three.

    Returns:
        (3, n) float32. It leaves 0..1 by 1e-5, rarely by 1e-4.
    """
    reach = np.abs(slopes[0])
    reach += np.abs(slopes[1])
    np.maximum(reach, np.float32(1e-9), out=reach)
    towards = slopes / reach  # so that what follows is of one size, however far out the colour is
    distance, greys = _about(f_y, towards), _greys(f_y)
    _step(f_y, greys, towards, distance)
    np.minimum(distance, reach, out=distance)
    rgb = _along(f_y, greys, towards, distance)[0]
    unsure = np.flatnonzero(~_ends(rgb, distance == reach, close))
    if len(unsure):
        there = f_y[unsure], towards[:, unsure], distance[unsure], reach[unsure]
        rgb[:, unsure] = _surely(*there)[1]
    return rgb


def _surely(
    f_y: np.ndarray, towards: np.ndarray, distance: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance, (n,), and linear RGB, (3, n), also where a ray grazes the surface."""
    greys = _greys(f_y)
    for _ in range(_MORE_STEPS):
        _step(f_y, greys, towards, distance)
    distance = np.minimum(distance, reach)
    rgb = _along(f_y, greys, towards, distance)[0]
    lost = np.flatnonzero(~_ends(rgb, distance == reach, _CLOSE))
    if len(lost):
        found = np.minimum(_by_search(f_y[lost], towards[:, lost]), reach[lost])
        distance[lost] = found
        rgb[:, lost] = _along(f_y[lost], greys[:, lost], towards[:, lost], found)[0]
    return distance, rgb


def _step(f_y: np.ndarray, greys: np.ndarray, towards: np.ndarray, distance: np.ndarray) -> None:
    """One step of Newton's method, in place, to where the first channel leaves 0..1."""
    rgb, squares = _along(f_y, greys, towards, distance)
    squares *= towards
    rates = times(3 * _OF_X_AND_Z, squares, np.empty_like(rgb))
    end = np.subtract(rates > 0, rgb, out=rgb)  # at 1 if it grows, at 0 if it falls
    with np.errstate(divide="ignore", invalid="ignore"):
        end /= rates
    distance += np.fmin.reduce(end, axis=0)  # the first to end; passes over 0 / 0
    np.clip(distance, 0, np.float32(_FARTHEST), out=distance)


def _ends(rgb: np.ndarray, whole: np.ndarray, close: float) -> np.ndarray:
    """Whether linear RGB is on the surface, or inside where chroma is whole: (n,)."""
    off = _excess(rgb)
    return (off < close) & ((off > -close) | whole)


def _greys(f_y: np.ndarray) -> np.ndarray:
    """(3, n) what the light Y of colours adds to their linear RGB: the same all along a ray."""
    return RGB_OF_XYZN[:, 1:2] * inverse_cie_curve(f_y)


def _along(
    f_y: np.ndarray, greys: np.ndarray, towards: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB, (3, n), at a distance from grey, and (2, n) squares of f: of its derivative."""
    f = towards * distance
    f += f_y
    above = np.clip(f, np.float32(INVERSE_FROM), np.float32(np.inf))
    f -= above
    f *= np.float32(1 / LINE_SLOPE)
    squares = above * above
    above *= squares
    f += above
    rgb = times(_OF_X_AND_Z, f, np.empty((3, len(f_y)), np.float32))
    rgb += greys
    return rgb, squares


def _excess(rgb: np.ndarray) -> np.ndarray:
    """(n,) how far linear RGB leaves 0..1; negative inside."""
    off = rgb - np.float32(0.5)
    return np.abs(off, out=off).max(0) - np.float32(0.5)


def _by_search(f_y: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Return the distance at which linear RGB first leaves 0..1, (n,): slow, and never wrong."""
    distance, step = np.zeros_like(f_y), np.float32(_FARTHEST / _SAMPLES)
    samples = np.arange(1, _SAMPLES + 1, dtype=np.float32)
    every_f_y, every = np.repeat(f_y, _SAMPLES), np.repeat(towards, _SAMPLES, axis=1)
    greys = _greys(every_f_y)
    for _ in range(_ROUNDS):
        tried = distance[:, None] + step * samples
        there = _along(every_f_y, greys, every, tried.ravel())[0]
        excess = _excess(there).reshape(tried.shape)
        leaves = excess > GAMUT_TOLERANCE / 2  # past where it only grazes the surface
        distance += step * leaves.argmax(1).astype(np.float32)
        step /= np.float32(_SAMPLES)
    return distance


def _about(f_y: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """(n,) distance of the surface in the nearest cell of the table."""
    level = f_y * np.float32(_LEVELS / _GREY[1])
    level += np.float32(0.5 - _GREY[0] * _LEVELS / _GREY[1])
    row = level.astype(np.intp)
    turn = np.copysign(1 + towards[1], towards[0])
    turn *= np.float32(_TURNS / 4)
    turn += np.float32(_TURNS / 2 + 0.5)
    column = turn.astype(np.intp)
    row *= _TURNS + 1
    row += column
    return np.take(_surface(), row, mode="clip")


@cache
def _surface() -> np.ndarray:
    """(129, 513) distance from grey to the surface of sRGB, over L* and a full turn of hues.

    A turn is measured on the square |u| + |v| = 1 of slopes, as (1 + v) * sign(u): -2 to 2.
    """
    coarse = _by_search(*_nodes(_COARSE_LEVELS, _COARSE_TURNS))
    coarse = coarse.reshape(_COARSE_LEVELS + 1, _COARSE_TURNS + 1)
    rows = np.rint(np.linspace(0, _COARSE_LEVELS, _LEVELS + 1)).astype(int)
    columns = np.rint(np.linspace(0, _COARSE_TURNS, _TURNS + 1)).astype(int)
    start = coarse[rows][:, columns].ravel()
    return _surely(*_nodes(_LEVELS, _TURNS), start, np.full_like(start, _FARTHEST))[0]


def _nodes(levels: int, turns: int) -> tuple[np.ndarray, np.ndarray]:
    """f_Y, (n,), and direction, (2, n), of every node of a table."""
    turn = np.linspace(-2, 2, turns + 1)
    along = np.abs(turn) - 1
    towards = np.stack((np.copysign(1 - np.abs(along), turn), along)).astype(np.float32)
    greys = _GREY[0] + np.linspace(0, _GREY[1], levels + 1, dtype=np.float32)
    return np.repeat(greys, turns + 1), np.tile(towards, levels + 1)
