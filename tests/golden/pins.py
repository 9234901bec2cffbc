"""The pinned pictures: three old prints, grey, and what the bundled model made of them.

NAME.grey.png is colorize_hub/demo/examples/NAME.jpg as grey, its long side scaled to 128 pixels.
NAME.colour.png is the bundled model's answer in float32 on the CPU, at its own size and vividness;
NAME.hinted.png is its answer to HINTS, NAME.take-K.png its variation K.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.hints.hint import Hint
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet

FOLDER = Path(__file__).parent
NAMES = ("dust-bowl-home", "french-alpine-landscape", "nagasaki-boats")
HINTED, VARIED = "french-alpine-landscape", "nagasaki-boats"
HINTS = (Hint(30, 50, rgb=(60, 110, 40), radius=6), Hint(100, 8, rgb=(70, 120, 190)))
PINS = (
    *(f"{name}.colour" for name in NAMES),
    f"{HINTED}.hinted",
    f"{VARIED}.take-1",
    f"{VARIED}.take-2",
)
TOLERANCE = 2  # levels of 255
RENEW = "python -m tests.golden"


def expected(pin: str) -> np.ndarray:
    """(H, W, 3) uint8."""
    with Image.open(FOLDER / f"{pin}.png") as image:
        return np.asarray(image.convert("RGB"))


def coloured(network: ColorNet, pin: str) -> np.ndarray:
    """(H, W, 3) uint8: what the network makes of the picture today."""
    name, kind = pin.split(".")
    colorizer = Colorizer(TorchEngine(network, device="cpu", dtype=torch.float32))
    grey = FOLDER / f"{name}.grey.png"
    if kind == "colour":
        return np.asarray(colorizer.colorize(grey))
    canvas = colorizer.canvas(grey)
    if kind == "hinted":
        return np.asarray(canvas.render(HINTS))
    return np.asarray(canvas.variations(3)[int(kind.removeprefix("take-"))])


def compare(name: str, got: np.ndarray, wanted: np.ndarray, folder: Path) -> str:
    """What differs by more than the tolerance, in words; nothing if all is well.

    Where something does, the pictures got and wanted and their difference, ten times as strong, go
    into `folder`, to be looked at.
    """
    if got.shape != wanted.shape:
        return f"{name}: expected shape {wanted.shape}, got {got.shape}. Renew it: {RENEW}"
    apart = np.abs(got.astype(int) - wanted)
    if apart.max() <= TOLERANCE:
        return ""
    shares = [f"{level}+ levels {np.mean(apart >= level):.2%}" for level in (1, 3, 6, 12, 25, 50)]
    strong = np.minimum(apart * 10, 255).astype(np.uint8)
    for kind, picture in (("got", got), ("wanted", wanted), ("difference-x10", strong)):
        Image.fromarray(picture).save(folder / f"{name}.{kind}.png")
    return (
        f"{name}: the bundled model's colours changed by up to {apart.max()} levels (mean "
        f"{apart.mean():.2f}; {', '.join(shares)}); {TOLERANCE} are allowed. Pictures got, wanted "
        f"and their difference are in {folder}. If new weights or a better decoding are meant to "
        f"change them, look at the pictures and renew the pins: {RENEW}"
    )
