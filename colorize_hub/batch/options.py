"""How pictures are coloured, the same for every one of a folder or a dataset."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """How pictures are coloured.

    Attributes:
        vividness: 0 (dull) to 1 (vivid); None takes the model's.
        size: working short side in pixels; None takes the model's.
        keep_toning: lay the colours over the tint of a toned print, see files.colorize_file.
        recolor: also colour pictures that have colour, which are left out otherwise.
    """

    vividness: float | None = None
    size: int | None = None
    keep_toning: bool = False
    recolor: bool = False
