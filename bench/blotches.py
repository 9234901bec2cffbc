"""Is a plain wall one colour? How uneven predicted colours are where the true ones are even.

    python -m bench.blotches PICTURES.parquet [--model MODEL ...] [--count N]

Plain areas are regions of the true picture (Felzenszwalb and Huttenlocher 2004) that fill 2% of it
or more and in which a*b* stray by less than 4 from their mean (root mean square). In each, the
predicted a*b* stray by so much (`uneven`; the truth's own beside it), and their mean lies so far
from the truth's (`wrong`). Means over areas, larger ones counting more, then over pictures.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from skimage.segmentation import felzenszwalb
from torch import Tensor

from colorize_hub import load
from colorize_hub.colour.lab import rgb_to_lab
from train.judging.pictures import read_pictures, square, to_batch, to_grey

_LEAST_SHARE = 0.02  # of the picture
_EVEN = 4.0  # a*b*, root mean square distance from the mean


@dataclass(frozen=True)
class Blotches:
    """Of one picture's plain areas.

    Attributes:
        share: of the picture that they fill, 0..1.
        uneven: distance of ab from the area's mean, root mean square, a*b* units.
        uneven_truth: the same of the true picture.
        wrong: distance of the area's mean ab from the truth's, a*b* units.
    """

    share: float
    uneven: float
    uneven_truth: float
    wrong: float


def plain_areas(rgb: np.ndarray, ab: Tensor) -> list[Tensor]:
    """Masks (H, W) of the plain areas of a picture: (H, W, 3) uint8 and its (2, H, W) a*b*."""
    labels = felzenszwalb(rgb, scale=200, sigma=0.8, min_size=int(_LEAST_SHARE * rgb[..., 0].size))
    masks = [torch.from_numpy(labels == label) for label in np.unique(labels)]
    return [mask for mask in masks if stray(ab[:, mask]) < _EVEN]


def stray(ab: Tensor) -> float:
    """Root mean square distance of (2, n) a*b* from their mean."""
    return float(ab.var(1, correction=0).sum().sqrt())


def blotches(ab: Tensor, truth: Tensor, areas: list[Tensor]) -> Blotches:
    """Measure (2, H, W) a*b* against the true ones in one or more plain areas."""
    sizes = np.array([int(area.sum()) for area in areas])
    found = [
        (
            stray(ab[:, area]),
            stray(truth[:, area]),
            float((ab[:, area].mean(1) - truth[:, area].mean(1)).norm()),
        )
        for area in areas
    ]
    uneven, uneven_truth, wrong = np.average(found, axis=0, weights=sizes).tolist()
    return Blotches(float(sizes.sum() / truth[0].numel()), uneven, uneven_truth, wrong)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", help="any source of pictures that training takes")
    parser.add_argument("--model", nargs="*", help="folders or Hub ids (default: the bundled one)")
    parser.add_argument("--count", type=int, help="pictures (default: all)")
    options = parser.parse_args()
    models = {name: load(name) for name in options.model or ()} or {"bundled": load()}
    results: dict[str, list[Blotches]] = {name: [] for name in models}
    for rgb in map(square, read_pictures(options.pictures, "train", limit=options.count)):
        truth, grey = _ab(rgb), to_grey(rgb)
        areas = plain_areas(rgb, truth)
        if not areas:
            continue
        for name, colorizer in models.items():
            ours = _ab(np.asarray(colorizer.colorize(grey)))
            results[name].append(blotches(ours, truth, areas))
    if not any(results.values()):
        raise SystemExit(
            f"{options.pictures}: no picture has a plain area; there is none to judge."
        )
    print("| model | pictures | plain share | uneven | truth | wrong |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, found in results.items():
        rows = [(one.share, one.uneven, one.uneven_truth, one.wrong) for one in found]
        share, *distances = np.mean(rows, axis=0)
        numbers = " | ".join(f"{distance:.2f}" for distance in distances)
        print(f"| {name} | {len(found)} | {share:.0%} | {numbers} |")


def _ab(rgb: np.ndarray) -> Tensor:
    return rgb_to_lab(to_batch([rgb]).float() / 255)[0, 1:]


if __name__ == "__main__":
    main()
