"""The flags that commands share: one spelling, one help text."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

Flag = Annotated[bool, arg(help_behavior_hint="")]
ModelName = Annotated[
    str | None,
    arg(
        metavar="M",
        help='Model to colour with: "user/model" on the Hugging Face Hub, or a folder.',
        help_behavior_hint="(default: the built-in model)",
    ),
]
# tyro shows aliases first: the old spelling is the name, so that the new one leads.
Recolor = Annotated[bool, arg(name="recolour", aliases=("--recolor",), help_behavior_hint="")]
NamedOutput = Annotated[
    Path | None,
    arg(
        name="output",
        metavar="FILE",
        help="OUT, said so that --overwrite replaces it whatever it is.",
        help_behavior_hint="",
    ),
]
Vividness = Annotated[
    float | None,
    arg(
        metavar="V",
        help="0 (dull) to 1 (vivid).",
        help_behavior_hint="(default: the model's own)",
    ),
]
WorkingSize = Annotated[
    int | None,
    arg(
        metavar="S",
        help="Short side in pixels at which colours are found; what is written keeps its full"
        " size.",
        help_behavior_hint="(default: the model's own)",
    ),
]


def one_output(positional: Path | None, named: Path | None, default: Path) -> Path:
    """Return the file to write.

    Raises:
        ValueError: OUT was given in both ways.
    """
    if positional is not None and named is not None:
        raise ValueError(f"OUT is {positional} and --output {named}: give one of them.")
    return positional or named or default
