"""`python -m tests.golden`: pin the colours that the bundled model gives now.

Look at the pictures (`git diff --stat`, and the files themselves) before they are committed.
"""

import sys

import numpy as np
from PIL import Image

from colorize_hub.loading import read_model
from tests.golden.pins import FOLDER, NAMES, coloured, expected


def main() -> None:
    """Write NAME.colour.png of every pinned picture and say how far each has moved."""
    network = read_model()
    for name in NAMES:
        got, target = coloured(network, name), FOLDER / f"{name}.colour.png"
        moved = "new"
        if target.exists() and expected(name).shape == got.shape:
            moved = f"moved by up to {np.abs(got.astype(int) - expected(name)).max()} levels"
        Image.fromarray(got).save(target, optimize=True)
        sys.stdout.write(f"{target.name}: {moved}\n")


if __name__ == "__main__":
    main()
