"""The size at which a picture is worked on."""

GRID = 32  # the encoder's deepest stride: working sizes are multiples of it
_MOST_ELONGATED = 4  # a panorama's long side is worked on at most this many times the short side


def working_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """(height, width) the network works at: short side about `size`, both multiples of 32.

    The aspect ratio changes by a few percent at most, except that a panorama's long side stops at
    4 times the short side.
    """
    short = min(height, width)
    sides = (min(side / short, _MOST_ELONGATED) * size / GRID for side in (height, width))
    rows, columns = (max(1, round(side)) * GRID for side in sides)
    return rows, columns


def overview_shape(height: int, width: int, overview: int) -> tuple[int, int] | None:
    """(height, width) at which a picture is seen as a whole; None where it is no larger itself."""
    if not 0 < overview < min(height, width):
        return None
    return working_shape(height, width, overview)
