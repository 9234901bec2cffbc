"""Carrying a palette over, and hints under it."""

import numpy as np
import torch
from PIL import Image

from colorize_hub.colour.lab import lab_to_rgb, rgb_to_lab, rgb_to_lightness
from colorize_hub.demo.photo.reference import apply_palette, before_palette, match_palette


def picture(a, b, spread=4.0, seed=0, size=64):
    """A picture whose ab varies around (a, b), over all lightnesses but the extremes."""
    noise = torch.randn(2, size, size, generator=torch.Generator().manual_seed(seed)) * spread
    lightness = torch.linspace(25, 75, size).expand(1, size, size)
    ab = noise + torch.tensor([a, b], dtype=torch.float32)[:, None, None]
    rgb = lab_to_rgb(torch.cat((lightness, ab))).movedim(0, -1)
    return Image.fromarray((rgb * 255).round().byte().numpy())


def lab(image):
    pixels = torch.from_numpy(np.asarray(image.convert("RGB"), np.float32) / 255)
    return rgb_to_lab(pixels.movedim(-1, 0))


def test_mean_and_spread_become_the_references():
    reference = picture(12, -14, spread=6, seed=1)
    nodes = match_palette(picture(-5, 10, spread=3), reference)
    changed = lab(apply_palette(picture(-5, 10, spread=3), nodes))
    torch.testing.assert_close(
        changed[1:].mean((1, 2)), lab(reference)[1:].mean((1, 2)), atol=1, rtol=0
    )
    torch.testing.assert_close(
        changed[1:].std((1, 2)), lab(reference)[1:].std((1, 2)), atol=1, rtol=0
    )


def test_lightness_stays():
    before = picture(-5, 10)
    after = apply_palette(before, match_palette(before, picture(40, 30, seed=1)))
    assert (lab(after)[0] - lab(before)[0]).abs().max() < 0.6


def test_own_palette_and_none_change_nothing():
    image = picture(5, 5)
    own = apply_palette(image, match_palette(image, image))
    assert np.abs(np.asarray(own).astype(int) - np.asarray(image)).max() <= 2
    assert apply_palette(image, ()) is image


def test_alpha_and_metadata_go_along():
    image = picture(5, 5)
    image.putalpha(77)
    image.info["exif"] = b"Exif"
    changed = apply_palette(image, match_palette(image.convert("RGB"), picture(30, 0, seed=1)))
    assert changed.getchannel("A").getextrema() == (77, 77)
    assert changed.info["exif"] == b"Exif"


def test_a_reference_without_such_lightness_gives_its_nearest():
    dark = Image.new("RGB", (40, 40), (60, 20, 20))
    nodes = match_palette(picture(0, 0), dark)
    assert np.isfinite(nodes).all()
    assert lab(apply_palette(picture(0, 0), nodes))[1].mean() > 10


def test_a_hint_under_a_palette_shows_its_own_colour():
    nodes = match_palette(picture(-5, 10), picture(10, -5, seed=1))
    wanted, grey = (150, 120, 110), (128, 128, 128)
    under = before_palette(wanted, grey, nodes)
    assert under != wanted
    lightness = float(rgb_to_lightness(torch.full((3, 1, 1), 128 / 255)))
    ab = rgb_to_lab(torch.tensor(under).float()[:, None, None] / 255)[1:]
    given = lab_to_rgb(torch.cat((torch.full((1, 1, 1), lightness), ab))).movedim(0, -1)
    shown = lab(apply_palette(Image.fromarray((given * 255).round().byte().numpy()), nodes))
    target = rgb_to_lab(torch.tensor(wanted).float()[:, None, None] / 255)
    assert (shown[1:] - target[1:]).abs().max() < 2.5
    assert before_palette(wanted, grey, ()) == wanted
