"""How true is skin? The error on the skin of aligned faces, dark and light."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.judging.metrics import ciede2000, to_lab
from train.judging.pictures import eight_bit, to_batch

_LEAST_SHARE = 0.2  # of the middle of the picture that must be skin
_PARTS = 4  # the darkest and the lightest of so many


@dataclass(frozen=True)
class Skin:
    """The skin in one picture.

    Attributes:
        lightness: mean L* of the truth there.
        error: mean CIEDE2000 to the truth there.
    """

    lightness: float
    error: float


def skin_mask(rgb: Tensor) -> Tensor:
    """Which pixels in the middle half of the width and height have the colour of skin.

    Chai and Ngan 1999, "Face segmentation using skin-color map in videophone applications": Cb 77
    to 127 and Cr 133 to 173, whatever the luma, so that dark skin is found as light skin is.

    Args:
        rgb: (B, 3, H, W) sRGB, uint8 or float 0..1.

    Returns:
        (B, H, W) bool.
    """
    red, green, blue = eight_bit(rgb).unbind(1)
    # ITU-R BT.601 with chroma 16 to 240, as the paper has it.
    cb = 128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255
    cr = 128 + (112 * red - 93.786 * green - 18.214 * blue) / 255
    skin = (cb >= 77) & (cb <= 127) & (cr >= 133) & (cr <= 173)
    height, width = skin.shape[1:]
    middle = torch.zeros_like(skin)
    middle[:, height // 4 : -(height // 4), width // 4 : -(width // 4)] = True
    return skin & middle


def score_skin(ours: np.ndarray, truth: np.ndarray) -> Skin | None:
    """Judge the skin of a picture.

    Args:
        ours: (H, W, 3) uint8.
        truth: the true picture.

    Returns:
        None where less than a fifth of the middle is skin.
    """
    mask = skin_mask(to_batch([truth]))[0]
    if mask.sum() < _LEAST_SHARE * mask.numel() / 4:
        return None
    lab = to_lab(to_batch([truth]))
    error = ciede2000(to_lab(to_batch([ours])), lab)[0, 0]
    return Skin(float(lab[0, 0][mask].mean()), float(error[mask].mean()))


def summarize_skin(found: Sequence[Skin]) -> dict[str, float | int]:
    """Return what metrics.json holds of the skin of faces, see colorize_hub.publish.results.

    Args:
        found: of four faces or more.

    Raises:
        ValueError: there are fewer.
    """
    if len(found) < _PARTS:
        raise ValueError(
            f"Skin was found in {len(found)} pictures, which must be {_PARTS} or more: give a set "
            "of aligned faces in colour."
        )
    errors = [one.error for one in sorted(found, key=lambda one: one.lightness)]
    part = len(errors) // _PARTS
    values = {
        "skin_ciede2000": np.mean(errors),
        "skin_ciede2000_darkest": np.mean(errors[:part]),
        "skin_ciede2000_lightest": np.mean(errors[-part:]),
    }
    return {"skin_images": len(found), **{n: round(float(v), 4) for n, v in values.items()}}
