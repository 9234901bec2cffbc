"""Does colour stop at edges? Ways to enlarge a small ab, on real pictures: a table in Markdown.

    python -m bench.edge_bleed PICTURES.parquet [--model MODEL] [--count N]

Each way enlarges two small ab: what the model predicts, and the true ab averaged over the cells of
the model's grid, which shows what the enlarging alone costs. Chroma error is the distance in a*b*,
its mean within 3 pixels of the strongest 2% of the true picture's chroma gradients, and elsewhere.
"""

import argparse
import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_hub import load
from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from colorize_hub.network.working import working_shape
from train.judging.metrics import delta_e, psnr

Enlarge = Callable[[Tensor, Tensor], Tensor]  # (2, h, w) ab and (1, H, W) L* to (2, H, W)
_EDGE_SHARE, _REACH = 0.02, 3


def bicubic(ab: Tensor, lightness: Tensor) -> Tensor:
    """Do what the library does."""
    return F.interpolate(ab[None], size=lightness.shape[1:], mode="bicubic")[0]


def joint_bilateral(reach: int, spread: float, tolerance: float) -> Enlarge:
    """Kopf et al. 2007: cells within `reach`, Gaussian in place (cells) and in L*."""

    def enlarge(ab: Tensor, lightness: Tensor) -> Tensor:
        (rows, columns), (height, width) = ab.shape[1:], lightness.shape[1:]
        cells = torch.cat((ab, F.adaptive_avg_pool2d(lightness, (rows, columns))))
        y = (torch.arange(height) + 0.5) * rows / height - 0.5
        x = (torch.arange(width) + 0.5) * columns / width - 0.5
        total = torch.zeros(3, height, width)
        for down in range(1 - reach, reach + 1):
            for right in range(1 - reach, reach + 1):
                at_y, at_x = y.floor() + down, x.floor() + right
                near = ((y - at_y) ** 2)[:, None] + (x - at_x) ** 2
                taken = cells[:, at_y.long().clamp(0, rows - 1)]
                taken = taken[:, :, at_x.long().clamp(0, columns - 1)]
                unlike = (taken[2] - lightness[0]) ** 2
                weight = torch.exp(-near / (2 * spread**2) - unlike / (2 * tolerance**2)) + 1e-12
                total[:2] += weight * taken[:2]
                total[2] += weight
        return total[:2] / total[2]

    return enlarge


def guided(radius: int, epsilon: float) -> Enlarge:
    """He and Sun 2015, fast guided filter: ab is affine in L* around each cell; epsilon in L*."""

    def enlarge(ab: Tensor, lightness: Tensor) -> Tensor:
        guide = F.adaptive_avg_pool2d(lightness, (ab.shape[1], ab.shape[2]))
        coefficients = torch.cat(_affine(ab, guide, radius, epsilon))
        coefficients = _box_mean(coefficients, radius)[None]
        full = F.interpolate(coefficients, size=lightness.shape[1:], mode="bilinear")[0]
        return full[:2] * lightness + full[2:]

    return enlarge


def with_detail(radius: int, epsilon: float) -> Enlarge:
    """Bicubic, plus what the guided filter's slopes make of the detail of L* that is not in it."""

    def enlarge(ab: Tensor, lightness: Tensor) -> Tensor:
        guide = F.adaptive_avg_pool2d(lightness, (ab.shape[1], ab.shape[2]))
        slope = _affine(ab, guide, radius, epsilon)[0]
        full = bicubic(torch.cat((ab, slope, guide)), lightness)
        return full[:2] + full[2:4] * (lightness - full[4:])

    return enlarge


def _affine(ab: Tensor, guide: Tensor, radius: int, epsilon: float) -> tuple[Tensor, Tensor]:
    """Slope and start, (2, h, w) each, of ab over L* around each cell, by ridge regression."""
    average, average_ab = _box_mean(guide, radius), _box_mean(ab, radius)
    variance = _box_mean(guide * guide, radius) - average * average
    covariance = _box_mean(guide * ab, radius) - average * average_ab
    slope = covariance / (variance + epsilon**2)
    return slope, average_ab - slope * average


def _box_mean(values: Tensor, radius: int) -> Tensor:
    return F.avg_pool2d(values[None], 2 * radius + 1, 1, radius, count_include_pad=False)[0]


WAYS: dict[str, Enlarge] = {
    "bicubic": bicubic,
    "joint bilateral, 4x4 cells, 10 L*": joint_bilateral(2, 0.7, 10),
    "guided, 3x3 cells, epsilon 5 L*": guided(1, 5),
    "bicubic + guided detail, 3x3 cells, epsilon 12 L*": with_detail(1, 12),
}


def near_edges(ab: Tensor) -> Tensor:
    """(H, W) bool: within 3 pixels of the strongest chroma gradients of a picture's (2, H, W)."""
    down = F.pad(ab.diff(dim=1), (0, 0, 0, 1))
    right = F.pad(ab.diff(dim=2), (0, 1))
    steep = (down.square() + right.square()).sum(0)
    edges = steep >= steep.flatten().quantile(1 - _EDGE_SHARE)
    side = 2 * _REACH + 1
    return F.max_pool2d(edges[None].float(), side, 1, _REACH)[0] > 0


def measure(enlarge: Enlarge, ab: Tensor, lab: Tensor, near: Tensor) -> list[float]:
    """Error near edges, elsewhere, PSNR, CIEDE2000 and CPU seconds of one picture."""
    start = time.process_time()
    large = enlarge(ab, lab[:1])
    seconds = time.process_time() - start
    error = (large - lab[1:]).square().sum(0).sqrt()
    ours = lab_to_rgb(torch.cat((lab[:1], fit_gamut(lab[:1], large))))[None]
    truth = lab_to_rgb(lab)[None]
    scores = [psnr(ours, truth), delta_e(ours, truth)]
    return [float(error[near].mean()), float(error[~near].mean()), *scores, seconds]


@torch.inference_mode()
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", help="a parquet file with a column `image` of encoded files")
    parser.add_argument("--model", help="a folder or a Hub id (default: the bundled model)")
    parser.add_argument("--count", type=int, default=24, help="pictures (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    colorizer = load(options.model) if options.model else load()
    rows = pq.read_table(options.pictures, columns=["image"]).column("image").to_pylist()
    results: dict[tuple[str, str], list[list[float]]] = {}
    for row in rows[: options.count]:
        picture = Image.open(BytesIO(row["bytes"])).convert("RGB")
        lab = rgb_to_lab(torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255)
        near = near_edges(lab[1:])
        predicted = colorizer.canvas(picture.convert("L")).predict().float().cpu()
        shape = working_shape(picture.height, picture.width, colorizer.config.size)
        pooled = F.adaptive_avg_pool2d(lab[1:], (shape[0] // 4, shape[1] // 4))
        for source, ab in (("predicted", predicted), ("true", pooled)):
            for name, enlarge in WAYS.items():
                found = measure(enlarge, ab, lab, near)
                results.setdefault((source, name), []).append(found)
    print(f"{min(len(rows), options.count)} pictures; means; CPU time of one thread\n")
    print("| small ab | enlarged by | error near edges | elsewhere | PSNR, dB | CIEDE2000 | time |")
    print("|---|---|---|---|---|---|---|")
    bicubic_time = float(np.mean([one[4] for one in results["predicted", "bicubic"]]))
    for (source, name), found in results.items():
        near_error, far_error, decibel, difference, seconds = np.mean(found, axis=0)
        print(
            f"| {source} | {name} | {near_error:.2f} | {far_error:.2f} | {decibel:.2f} |"
            f" {difference:.2f} | {seconds / bicubic_time:.1f}x |"
        )


if __name__ == "__main__":
    main()
