"""Steady colour: what was predicted for earlier frames, carried along by the motion.

A prediction flickers from frame to frame; what it shows seldom does. So the colours of earlier
frames, small as the network predicts them, are moved to where the things they lie on are now (see
motion.py) and averaged with the new prediction, as far as the motion is to be trusted. Lightness is
never touched: a frame's detail is its own.

What is new to the picture has no past, but its surroundings have: their flicker is taken off it.
The mean of colours that disagree is dull. So chroma is averaged by itself, and given back to the
mean as far as its hue is certain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from array_api_compat import array_namespace

from colorize_hub.colour.arrays import Array
from colorize_hub.colour.resizing import cell_means, resized
from colorize_hub.inference.motion import Motion, motions

_MOST_FRAMES = 100.0  # that any average is made of
NEARBY = 6  # cells: the surroundings in which a prediction flickers as one
_CERTAIN = 2.0  # frames of past in the surroundings that count for half
_YOUNG = 4.0  # frames of past at which a cell trusts its surroundings for half
_ALIKE = 12.0  # a*b* by which it may differ from them, at which that falls to exp(-1)
_MOST_RESTORED = 1.6  # factor on the chroma of a mean


@dataclass(frozen=True)
class State:
    """Averaged colours of one frame.

    Attributes:
        colour: (3, h, w) mean a*, mean b* and mean chroma, the root of a*^2 + b*^2.
        frames: (h, w) how many frames' predictions these are the mean of, at least 1.
    """

    colour: Array
    frames: Array

    @classmethod
    def fresh(cls, ab: Array) -> State:
        """Of a frame on its own, (2, h, w) a*b*."""
        xp = array_namespace(ab)
        return cls(xp.concat((ab, _chroma(ab))), xp.ones_like(ab[0]))

    def joined(self, other: State) -> State:
        """Return the mean of both."""
        frames = self.frames + other.frames
        return State(self.colour + (other.colour - self.colour) * (other.frames / frames), frames)

    def calmed(self, other: State, blurred: Callable[[Array], Array] | None = None) -> State:
        """Without the flicker of its surroundings.

        What is new to the picture has no past of its own; but where what looks like it nearby has
        just left its mean in `other`, this one will have left its own as far. `blurred` makes
        each cell the mean of its surroundings; None is `_blurred`.
        """
        weight, xp = other.frames[None], array_namespace(other.frames)
        both = xp.concat((self.colour, other.colour, xp.ones_like(weight)))
        near = (blurred or _blurred)(both * weight)
        own, mean = near[:3] / (near[6:] + 1e-3), near[3:6] / (near[6:] + 1e-3)
        certain = near[6:] / (near[6:] + _CERTAIN) * (_YOUNG / (_YOUNG + weight))
        unlike = ((self.colour - own) ** 2).sum(0)[None] / _ALIKE**2
        return State(self.colour + (mean - own) * certain * xp.exp(-unlike), self.frames)

    def carried(self, motion: Motion, keep: float) -> State:
        """Return it moved to another frame, counting for `keep` times what it did."""
        colour = motion.carry(self.colour, sharp=True)
        return State(colour, motion.carry(self.frames[None])[0] * motion.trust * keep)

    def shifted(self, shift: Array | None) -> State:
        """With (2, h, w) a*b* added to all that it is the mean of; None adds nothing."""
        if shift is None:
            return self
        before, xp = self.colour[:2], array_namespace(self.colour)
        ab = before + shift
        chroma = self.colour[2:] + _chroma(ab) - _chroma(before)
        return State(xp.concat((ab, chroma)), self.frames)

    def resized(self, shape: tuple[int, int]) -> State:
        """On a grid of another (h, w)."""
        if self.frames.shape == shape:
            return self
        return State(resized(self.colour, shape), resized(self.frames, shape))

    @property
    def ab(self) -> Array:
        """(2, h, w) a*b* to paint."""
        mean = self.colour[:2]
        factor = self.colour[2:] / _chroma(mean).clip(1e-3, None)
        return mean * factor.clip(1, _MOST_RESTORED)


def memory(smoothing: float) -> float:
    """Return the share of its weight that a frame keeps per frame: 0 at smoothing 0, 1 at 1.

    1 - (1 - smoothing)^2: the mean is over about 1 / (1 - smoothing)^2 frames, 25 at 0.8.

    Raises:
        ValueError: smoothing outside 0..1 or not a number.
    """
    if isinstance(smoothing, bool) or not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must be 0 (off) to 1 (steadiest), got {smoothing!r}.")
    return min(1 - (1 - smoothing) ** 2, 1 - 1 / _MOST_FRAMES) if smoothing else 0.0


class TemporalSmoother:
    """The colours of one stream of frames so far.

    Attributes:
        to_this: motion to the last frame from the one before it; None where there is no such frame
            or it shows another scene.
        to_previous: motion back.
    """

    def __init__(self, smoothing: float = 0.8) -> None:
        """Begin with nothing.

        Args:
            smoothing: 0 (off) to 1 (steadiest).

        Raises:
            ValueError: smoothing outside 0..1.
        """
        self._keep = memory(smoothing)
        self._lightness: Array | None = None
        self._state: State | None = None
        self._strength: tuple[Array, float] | None = None
        self.to_this: Motion | None = None
        self.to_previous: Motion | None = None

    def strength(self, own: Array) -> Array:
        """Return how strong the colours of the frame that `move` looked at may be.

        Args:
            own: of the frame by itself, see network/strength.py.

        Returns:
            The mean over the frames of its scene so far, at most the last 100.
        """
        mean, frames = own, 1.0
        if self._strength is not None and self.to_this is not None:
            before, count = self._strength
            frames = min(count + 1, _MOST_FRAMES)
            mean = before + (own - before) / frames
        self._strength = mean, frames
        return mean

    def smooth(
        self,
        lightness: Array,
        ab: Array,
        shift: Array | None = None,
        moved: Callable[[], tuple[Motion, Motion] | None] | None = None,
    ) -> State:
        """Colours of the next frame.

        Args:
            lightness: (1, 1, H, W) of the frame at working size, L* 0..100.
            ab: (2, h, w) predicted for it.
            shift: (2, h, w) by how much `ab` differs from what it would be without what a person
                has just changed (a hint, vividness): the change shows at once, everywhere.
            moved: gives the motions between the last frame and this one, see `motions`, where they
                are looked for elsewhere.

        Returns:
            The averaged colours; `ab` itself in the first frame and the first after a cut.
        """
        self.move(lightness, ab, moved)
        return self.add(ab, shift)

    def move(
        self,
        lightness: Array,
        ab: Array,
        moved: Callable[[], tuple[Motion, Motion] | None] | None = None,
    ) -> Motion | None:
        """Find what moved in the next frame, whose colours `add` then takes.

        Args:
            lightness: as for `smooth`.
            ab: of the kind and shape of its colours.
            moved: as for `smooth`.

        Returns:
            `to_this`.
        """
        self.to_this = self.to_previous = None
        if self._lightness is not None and self._keep:
            both = self._motions(lightness, ab) if moved is None else moved()
            if both is not None:
                self.to_this, self.to_previous = (one.beside(ab) for one in both)
        self._lightness = lightness
        return self.to_this

    def add(self, ab: Array, shift: Array | None = None) -> State:
        """Return the colours of the frame that `move` looked at; arguments as for `smooth`."""
        state = State.fresh(ab)
        if self._state is not None and self.to_this is not None:
            carried = self._state.resized((ab.shape[1], ab.shape[2]))
            carried = carried.carried(self.to_this, self._keep).shifted(shift)
            state = state.calmed(carried).joined(carried)
        self._state = state
        return state

    def _motions(self, lightness: Array, ab: Array) -> tuple[Motion, Motion] | None:
        before = self._lightness
        if before is not None and before.shape != lightness.shape:
            before = cell_means(before, (lightness.shape[2], lightness.shape[3]))
        return motions(before, lightness, (ab.shape[1], ab.shape[2]))


def look_back(ahead: list[tuple[State, Motion]], smoothing: float) -> State | None:
    """Return what the frames ahead say about this one.

    Args:
        ahead: the following frames in order, each on its own with the motion from it to the frame
            before it.
        smoothing: 0 (off) to 1 (steadiest).

    Returns:
        Their mean as seen from this frame; None without frames.
    """
    keep, carried = memory(smoothing), None
    for state, motion in reversed(ahead):
        mean = state if carried is None else state.joined(carried)
        carried = mean.carried(motion, keep)
    return carried


def _blurred(values: Array) -> Array:
    """(C, h, w) values, each the mean of about NEARBY cells around it in both directions."""
    height, width = values.shape[1:]
    rows, columns = max(1, height // NEARBY), max(1, width // NEARBY)
    return resized(cell_means(values, (rows, columns)), (height, width))


def _chroma(ab: Array) -> Array:
    return array_namespace(ab).sqrt((ab * ab).sum(0))[None]
