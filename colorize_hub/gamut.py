"""Where sRGB ends along a ray of constant L* and hue: fast enough for every pixel of a photograph.

Colours are points of the CIE f space: f_Y = (L* + 16) / 116, and the slopes f_X - f_Y = a* / 500
and f_Z - f_Y = -b* / 200, which all scale together when chroma does. Along such a ray each channel
of linear RGB is a piecewise cubic: a table says about where the first one leaves 0..1, and three
steps of Newton's method where exactly. color.fit_gamut finds the same by bracketing.
"""

from functools import cache

import numpy as np

from colorize_hub.cie import GAMUT_TOLERANCE, INVERSE_FROM, LINE_OFFSET, LINE_SLOPE, RGB_OF_XYZN

_LEVELS, _TURNS = 64, 256  # the table's cells in L* and around the circle of hues
_FARTHEST = 2.0  # no colour of sRGB lies as far from grey, |f_X - f_Y| + |f_Z - f_Y|
_NEWTON_STEPS, _CLOSE = 3, 1e-5  # and how near that gets, in linear RGB, but for 1 in 10,000
_SAMPLES, _ROUNDS = 16, 5
_OF_X_AND_Z = np.ascontiguousarray(RGB_OF_XYZN[:, ::2])
_GREY = np.float32(LINE_OFFSET), np.float32(1 - LINE_OFFSET)  # f_Y = start + L* / 100 * length


def inverse_cie_curve(f: np.ndarray, out: np.ndarray, spare: np.ndarray) -> None:
    """X, Y or Z relative to white of its f: the cube, and below a threshold its tangent.

    Args:
        f: any shape, float32.
        out: as f, for the result.
        spare: as f, overwritten.
    """
    np.clip(f, np.float32(INVERSE_FROM), np.float32(np.inf), out=spare)
    np.multiply(spare, spare, out=out)
    np.multiply(out, spare, out=out)
    np.subtract(f, spare, out=spare)
    np.multiply(spare, np.float32(1 / LINE_SLOPE), out=spare)
    np.add(out, spare, out=out)


def largest_scale(f_y: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The largest scale of the slopes, 0..1, with which a colour fits sRGB.

    Args:
        f_y: (n,) float32, of L* 0..100.
        slopes: (2, n) float32, f_X - f_Y and f_Z - f_Y; finite.

    Returns:
        (n,) float32. Linear RGB of the scaled colour leaves 0..1 by 1e-5, rarely by 1e-4.
    """
    reach = np.abs(slopes).sum(0)
    np.maximum(reach, np.float32(1e-9), out=reach)
    towards = slopes / reach  # so that what follows is of one size, however far out the colour is
    distance = _about(f_y, towards)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_NEWTON_STEPS):
            rgb, rates = _along(f_y, towards, distance)
            end = np.subtract(rates > 0, rgb, out=rgb)  # at 1 if it grows, at 0 if it falls
            end /= rates
            distance += np.fmin.reduce(end, axis=0)  # the first to end; passes over 0 / 0
            np.clip(distance, 0, np.float32(_FARTHEST), out=distance)
    np.minimum(distance, reach, out=distance)
    off = _excess(f_y, towards, distance)
    ends = (off > -_CLOSE) | (distance == reach)
    lost = np.flatnonzero(~(ends & (off < _CLOSE)))  # where a ray grazes the surface
    if len(lost):
        distance[lost] = _by_search(f_y[lost], towards[:, lost])
    distance /= reach
    return np.minimum(distance, np.float32(1), out=distance)


def _along(
    f_y: np.ndarray, towards: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB, (3, n), at a distance from grey, and how fast it changes there."""
    f = towards * distance
    f += f_y
    above = np.maximum(f, np.float32(INVERSE_FROM))
    f -= above
    f *= np.float32(1 / LINE_SLOPE)
    squares = above * above
    above *= squares
    f += above
    rgb = _OF_X_AND_Z @ f
    rgb += RGB_OF_XYZN[:, 1:2] * _cubes(f_y)
    squares *= towards
    return rgb, (3 * _OF_X_AND_Z) @ squares


def _excess(f_y: np.ndarray, towards: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """(n,) how far linear RGB leaves 0..1; negative inside."""
    rgb = _along(f_y, towards, distance)[0]
    rgb -= np.float32(0.5)
    return np.abs(rgb, out=rgb).max(0) - np.float32(0.5)


def _by_search(f_y: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """The distance at which linear RGB first leaves 0..1, (n,): slow, and never wrong."""
    distance, step = np.zeros_like(f_y), np.float32(_FARTHEST / _SAMPLES)
    samples = np.arange(1, _SAMPLES + 1, dtype=np.float32)
    every_f_y, every = np.repeat(f_y, _SAMPLES), np.repeat(towards, _SAMPLES, axis=1)
    for _ in range(_ROUNDS):
        tried = distance[:, None] + step * samples
        excess = _excess(every_f_y, every, tried.ravel()).reshape(tried.shape)
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
    """(65, 257) distance from grey to the surface of sRGB, over L* and a full turn of hues.

    A turn is measured on the square |u| + |v| = 1 of slopes, as (1 + v) * sign(u): -2 to 2.
    """
    turn = np.linspace(-2, 2, _TURNS + 1)
    along = np.abs(turn) - 1
    towards = np.stack((np.copysign(1 - np.abs(along), turn), along)).astype(np.float32)
    greys = _GREY[0] + np.linspace(0, _GREY[1], _LEVELS + 1, dtype=np.float32)
    return np.stack([_by_search(np.full_like(towards[0], f_y), towards) for f_y in greys])


def _cubes(f: np.ndarray) -> np.ndarray:
    above = np.maximum(f, INVERSE_FROM)
    return above * above * above + (f - above) * (1 / LINE_SLOPE)
