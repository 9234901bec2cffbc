"""Whether two pictures are nearly the same: 64-bit difference hashes and a store of them."""

import numpy as np
from PIL import Image

_COPY = 2  # bits in which copies of a picture may differ
_LIKENESS = 6  # bits in which a picture may differ from one that a model is judged by
_ROOM = 1024


def difference_hash(picture: Image.Image) -> int:
    """64 bits: whether each cell of the 9x8 grey picture is darker than its right neighbour."""
    grey = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BILINEAR), np.int16)
    bits = np.packbits((grey[:, 1:] > grey[:, :-1]).ravel())
    return int.from_bytes(bits.tobytes(), "big")


class Seen:
    """Hashes of the pictures that must not come again."""

    def __init__(self) -> None:
        """Start with none."""
        self._copies = _Hashes()
        self._judged = _Hashes()

    def add(self, hashed: int, *, judged: bool = False) -> None:
        """Remember a picture.

        Args:
            hashed: its difference hash.
            judged: a model will be judged by it, so that more bits may differ.
        """
        self.extend(np.array([hashed], np.uint64), judged=judged)

    def extend(self, hashes: np.ndarray, *, judged: bool = False) -> None:
        """Remember many pictures, (N,) uint64."""
        (self._judged if judged else self._copies).extend(hashes)

    def near(self, hashed: int) -> bool:
        """Whether a picture is nearly the same as one of those remembered."""
        return self._copies.distance(hashed) <= _COPY or self._judged.distance(hashed) <= _LIKENESS


class _Hashes:
    """A growing array."""

    def __init__(self) -> None:
        self._held, self._count = np.zeros(_ROOM, np.uint64), 0

    def extend(self, hashes: np.ndarray) -> None:
        count = self._count + len(hashes)
        if count > len(self._held):
            grown = np.zeros(max(count, 2 * len(self._held)), np.uint64)
            grown[: self._count] = self._held[: self._count]
            self._held = grown
        self._held[self._count : count] = hashes
        self._count = count

    def distance(self, hashed: int) -> int:
        """Bits in which the nearest differs; 64 when there is none."""
        if not self._count:
            return 64
        differing = self._held[: self._count] ^ np.uint64(hashed)
        bits = np.unpackbits(differing.view(np.uint8).reshape(-1, 8), axis=1)
        return int(bits.sum(1).min())
