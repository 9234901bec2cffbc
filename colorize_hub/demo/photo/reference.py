"""The palette of a reference photo, carried over to another picture: colour/transfer.py.

Measured on 30 photographs, the left half as reference for the right half: CIEDE2000 to the truth is
8.6, without a reference 12.6, and 10.9 with 48 hints at the places that look most alike. A
reference of something else makes it worse (14.2).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from colorize_hub.colour.transfer import matching_nodes, with_nodes, without_nodes

Node = tuple[float, float, float, float, float]

_STRIP_PIXELS = 1 << 18


def match_palette(coloured: Image.Image, reference: Image.Image) -> tuple[Node, ...]:
    """Return what turns a picture's palette into that of a reference.

    Args:
        coloured: RGB.
        reference: RGB, of any size.

    Returns:
        (L*, gain a*, gain b*, shift a*, shift b*) at rising lightness; see `apply_palette`.
    """
    found = matching_nodes(_lab(coloured).flatten(1), _lab(reference).flatten(1))
    return tuple(
        (round(level, 2), round(a, 4), round(b, 4), round(to_a, 4), round(to_b, 4))
        for level, a, b, to_a, to_b in found.tolist()
    )


def apply_palette(image: Image.Image, nodes: Sequence[Node]) -> Image.Image:
    """Return the picture with ab * gain + shift, interpolated between the nodes; lightness is kept.

    Args:
        image: RGB or RGBA; what else it carries (alpha, EXIF) goes along.
        nodes: from `match_palette`; none leaves the picture as it is.
    """
    if not nodes:
        return image
    pixels = np.array(image)
    for rows in _strips(image.height, image.width):
        lab = rgb_to_lab(_rgb(pixels[rows, :, :3]))
        wanted = with_nodes(torch.tensor(nodes), lab[0].flatten(), lab[1:].flatten(1))
        ab = fit_gamut(lab[:1], wanted.view_as(lab[1:]))
        rgb = lab_to_rgb(torch.cat((lab[:1], ab)))
        pixels[rows, :, :3] = (rgb * 255).round().movedim(0, -1).numpy().astype(np.uint8)
    result = Image.fromarray(pixels, image.mode)
    result.info = dict(image.info)
    return result


def before_palette(
    rgb: tuple[int, int, int], grey: tuple[int, int, int], nodes: Sequence[Node]
) -> tuple[int, int, int]:
    """Return the colour that `apply_palette` turns into a wanted one: hints stay as they are.

    Args:
        rgb: the wanted colour, sRGB 0..255.
        grey: of the place in the photo, whose lightness decides.
        nodes: from `match_palette`.
    """
    if not nodes:
        return rgb
    lightness = rgb_to_lab(_rgb(np.array([[grey]], np.uint8)))[:1]
    wanted = rgb_to_lab(_rgb(np.array([[rgb]], np.uint8)))[1:]
    shown = fit_gamut(lightness, wanted).flatten(1)
    before = without_nodes(torch.tensor(nodes), lightness.flatten(), shown)
    ab = fit_gamut(lightness, before.view_as(wanted))
    r, g, b = (lab_to_rgb(torch.cat((lightness, ab))) * 255).round().int().flatten().tolist()
    return r, g, b


def _lab(image: Image.Image) -> Tensor:
    small = image.convert("RGB")
    small.thumbnail((512, 512))
    return rgb_to_lab(_rgb(np.asarray(small)))


def _rgb(pixels: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W), sRGB 0..1."""
    return torch.from_numpy(pixels.astype(np.float32) / 255).movedim(-1, 0)


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    return (slice(top, min(height, top + rows)) for top in range(0, height, rows))
