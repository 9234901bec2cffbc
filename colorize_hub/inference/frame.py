"""Frame: a picture of a film or a webcam, with what a person wants of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from colorize_hub.hints.hint import Hint
from colorize_hub.pictures.picture import ImageLike


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame with what a person wants of it; a bare picture stands for Frame(picture).

    Attributes:
        image: path, PIL image or array.
        hints: colours to fix, in pixels of the frame, as for `Canvas.render`.
        vividness: 0 (dull) to 1 (vivid); None takes the model's calibrated value.
        size: working short side in pixels; None takes the model's.
        carried: the hints were set on another frame and follow what they lie on. Their
            colours hold at their places; what they change around these comes and goes gently, is
            found anew every few frames and moved along between.
    """

    image: ImageLike
    hints: Sequence[Hint] = ()
    vividness: float | None = None
    size: int | None = None
    carried: bool = False

    @property
    def fixed(self) -> Sequence[Hint]:
        """The hints whose pixels get exactly their colours."""
        return () if self.carried else self.hints
