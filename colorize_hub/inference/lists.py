"""Lists of pictures, coloured in batches of one working shape."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from colorize_hub.engines.engine import Engine
from colorize_hub.errors import DeviceMemoryError
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import ImageLike, Picture, read_picture, write_like

_MOST_PIXELS = 1 << 24  # of a batch, unless one picture has more
_MOST_WAITING = 4  # batches of pictures held until enough have the same shape
_SMALLER = 8  # parts of a batch that memory was not enough for

Pictures = dict[int, Picture]  # by their places in the list


def color_list(
    engine: Engine, images: Sequence[ImageLike], vividness: float | None, size: int
) -> list[Image.Image | np.ndarray]:
    """Colour pictures; one batch comes back while the engine computes the next.

    Args:
        engine: computes.
        images: each as for `Colorizer.colorize`.
        vividness: 0..1; None takes the model's.
        size: working short side in pixels.

    Returns:
        What came in, in colour, in its order.

    Raises: as `Colorizer.colorize`.
    """
    coloured: dict[int, Image.Image | np.ndarray] = {}
    begun: deque[tuple[Pictures, Callable[[], list[np.ndarray]]]] = deque()

    def finish(left: int) -> None:
        while len(begun) > left:
            pictures, wait = begun.popleft()
            for (index, picture), rgb in zip(pictures.items(), wait(), strict=True):
                coloured[index] = write_like(rgb, picture)

    for shape, pictures in _batches(images, size, engine.batch):
        try:
            begun.append((pictures, _begin(engine, pictures, shape, vividness)))
        except DeviceMemoryError:
            if len(pictures) == 1:
                raise
        else:
            finish(1)
            continue
        finish(0)  # outside of the except clause, which keeps alive what filled the memory
        for part in _parts(pictures):
            begun.append((part, _begin(engine, part, shape, vividness)))
            finish(0)
    finish(0)
    return [coloured[index] for index in range(len(images))]


def _batches(
    images: Sequence[ImageLike], size: int, most: int
) -> Iterator[tuple[tuple[int, int], Pictures]]:
    """Yield pictures of one working shape, and that shape, as soon as there are enough."""
    same_shape: dict[tuple[int, int], Pictures] = defaultdict(dict)
    for index, one in enumerate(images):
        picture = read_picture(one)
        shape = working_shape(picture.height, picture.width, size)
        same_shape[shape][index] = picture
        waiting = sum(_load(pictures, most) for pictures in same_shape.values())
        if _load(same_shape[shape], most) >= 1 or waiting >= _MOST_WAITING:
            fullest = max(same_shape, key=lambda one: _load(same_shape[one], most))
            yield fullest, same_shape.pop(fullest)
    yield from same_shape.items()


def _load(pictures: Mapping[int, Picture], most: int) -> float:
    """How much of a batch these are: 1 fills it."""
    pixels = sum(picture.height * picture.width for picture in pictures.values())
    return max(len(pictures) / most, pixels / _MOST_PIXELS)


def _parts(pictures: Pictures) -> Iterator[Pictures]:
    """Yield the same in several smaller ones."""
    items, several = list(pictures.items()), -(-len(pictures) // _SMALLER)
    for first in range(0, len(items), several):
        yield dict(items[first : first + several])


def _begin(
    engine: Engine, pictures: Pictures, shape: tuple[int, int], vividness: float | None
) -> Callable[[], list[np.ndarray]]:
    """Begin to colour pictures of one working shape; see Engine.begin_painting."""
    held = engine.hold([picture.pixels for picture in pictures.values()])
    ab = engine.colors(engine.see(engine.lightness(held, shape)), vividness=vividness)
    return engine.begin_painting(held, ab)
