"""`python -m tests.golden`: pin the colours that the bundled model gives now.

Look at the pictures (`git diff --stat`, and the files themselves) before they are committed.
"""

import sys

import numpy as np
from PIL import Image

from colorize_hub.loading import read_model
from tests.golden.pins import FOLDER, PINS, TOLERANCE, coloured, expected


def main() -> None:
    """Write every pin and say how far each has moved."""
    network = read_model()
    for pin in PINS:
        got, target = coloured(network, pin), FOLDER / f"{pin}.png"
        moved = "new"
        if target.exists() and expected(pin).shape == got.shape:
            apart = np.abs(got.astype(int) - expected(pin)).max()
            moved = f"moved by up to {apart} levels"
            if apart <= TOLERANCE:  # machines round differently
                sys.stdout.write(f"{target.name}: as it was, up to {apart} levels\n")
                continue
        Image.fromarray(got).save(target, optimize=True)
        sys.stdout.write(f"{target.name}: {moved}\n")


if __name__ == "__main__":
    main()
