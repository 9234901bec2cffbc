"""The flags that commands share: one spelling, one help text."""

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
