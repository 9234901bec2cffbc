"""Variations: other colourings that the predicted distribution supports.

A take makes the bins on one side of a pixel's expected colour likelier, and those on the other side
unlikelier. How far the colour moves is the distribution's own doing: a sky that is surely blue
stays, a coat that could be anything changes. The sides agree within an object, because they are
drawn for distributions, not for pixels.
"""

import math

import numpy as np
from array_api_compat import array_namespace
from numpy.random import Generator, default_rng

from colorize_hub.colour.arrays import Array, like, softmax, table
from colorize_hub.colour.resizing import resized

DIRECTIONS = 4  # takes of one draw point to opposite sides of the plane
DRAWS = 256  # that the pages choose from
_STRENGTH = 0.85  # a bin far on the favoured side becomes e^0.85 times as likely
_REACH = 25.0  # ab from the expected colour; much farther bins gain no more: outliers stay rare
_OBJECTS, _PLACES = 0.6, 0.3  # deviation of the direction between objects, across the picture
_COARSE = 3  # cells of the field across the picture, each way


def takes(n: int, seed: int) -> range:
    """Return the takes that `Canvas.variations` makes.

    Raises:
        ValueError: n is not a whole number from 1, or seed not one from 0.
    """
    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number from {least}, got {value!r}.")
    return range(seed, seed + n)


def tilt_logits(logits: Array, centres: np.ndarray, take: int) -> Array:
    """Logits of a varied, plausible colouring.

    p'(bin) ~ p(bin) exp(0.85 tanh(t . (ab(bin) - mean) / 25)), with t the direction at the pixel.

    Args:
        logits: (Q, h, w) float32 over the ab palette.
        centres: (Q, 2) float32 a*b* of its bins.
        take: 0 or more; decides the directions. Takes 4k to 4k + 3 differ by quarter turns.

    Returns:
        (Q, h, w) float32.
    """
    angle, of_object, of_place = draw_take(take, len(logits))
    ahead = resized(of_place, (logits.shape[1], logits.shape[2]))
    turn = np.array((math.cos(angle), math.sin(angle)), np.float32)
    return tilted(
        logits, table(centres, logits), *(like(one, logits) for one in (turn, of_object, ahead))
    )


def draw_take(take: int, bins: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Draw what a take turns on.

    Returns:
        An angle, (2, bins) numbers for what objects are, and (2, 3, 3) for where they are.
    """
    draw = default_rng(take // DIRECTIONS)
    angle = (draw.random() + (take % DIRECTIONS) / DIRECTIONS) * math.tau
    return angle, _normal(draw, 2, bins), _normal(draw, 2, _COARSE, _COARSE)


def tilted(logits: Array, centres: Array, turn: Array, of_object: Array, ahead: Array) -> Array:
    """`tilt_logits` by what was drawn, all of one kind.

    Args:
        logits: (Q, h, w).
        centres: (Q, 2).
        turn: (2,) cosine and sine of the angle.
        of_object: (2, Q).
        ahead: (2, h, w), of the place.

    Returns:
        (Q, h, w).
    """
    xp = array_namespace(logits)
    rows = logits.reshape(centres.shape[0], -1).T  # (P, Q)
    share = softmax(rows, -1)
    # The roots of a distribution have length 1, so this has unit variance.
    field = _OBJECTS * xp.sqrt(share) @ of_object.T + _PLACES * ahead.reshape(2, -1).T
    forth, aside = field[:, 0] + 1, field[:, 1]
    cosine, sine = turn[0], turn[1]
    sides = xp.stack((forth * cosine - aside * sine, forth * sine + aside * cosine), axis=-1)
    mean = (sides * (share @ centres)).sum(1)
    along = sides @ centres.T - mean[:, None]
    # tanh(x) = 1 - 2 / (exp(2 x) + 1): torch's own takes five times as long.
    favour = 1 - 2 / (xp.exp(along * (2 / _REACH)) + 1)
    return (rows + _STRENGTH * favour).T.reshape(logits.shape)


def _normal(draw: Generator, *shape: int) -> np.ndarray:
    return draw.standard_normal(shape, np.float32)
