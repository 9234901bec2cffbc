"""lab agrees with scikit-image, and chroma fits sRGB without moving L* or hue."""

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from colorize_hub.colour.lab import (
    GAMUT_TOLERANCE,
    fit_gamut,
    in_gamut,
    lab_to_rgb,
    lightness_to_grey,
    rgb_to_lab,
    rgb_to_lightness,
)
from tests.colour.rounding import LAB, LIGHTNESS, RGB

LEVELS = torch.linspace(0, 1, 33)
CUBE = torch.cartesian_prod(LEVELS, LEVELS, LEVELS).T[:, None]  # (3, 1, 33^3)
GREYS = (torch.arange(256) / 255).expand(3, 1, -1)
PRIMARIES = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3).T[:, None]
STEEPEST_L = 903.3  # dL*/dY at black: what GAMUT_TOLERANCE in Y may do to L*


def skimage(convert, colours):
    return torch.from_numpy(convert(colours.double().numpy(), channel_axis=0)).float()


def random_lab(reach, count=20_000):
    return torch.rand(1, 1, count) * 100, (torch.rand(2, 1, count) * 2 - 1) * reach


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


# --- conversions -----------------------------------------------------------------------------


@pytest.mark.parametrize("rgb", [CUBE, GREYS, PRIMARIES], ids=["cube", "greys", "primaries"])
def test_rgb_to_lab_is_that_of_scikit_image(rgb):
    torch.testing.assert_close(rgb_to_lab(rgb), skimage(rgb2lab, rgb), atol=LAB, rtol=0)


@pytest.mark.parametrize("rgb", [CUBE, GREYS, PRIMARIES], ids=["cube", "greys", "primaries"])
def test_lab_to_rgb_is_that_of_scikit_image(rgb):
    lab = skimage(rgb2lab, rgb)
    torch.testing.assert_close(lab_to_rgb(lab), skimage(lab2rgb, lab), atol=RGB, rtol=0)
    torch.testing.assert_close(lab_to_rgb(lab), rgb, atol=1e-3, rtol=0)


def test_lab_to_rgb_clips_colours_outside_as_scikit_image_does():
    lab = torch.cat(random_lab(reach=80))
    lab = lab[:, :, (lab[0, 0] + 16) / 116 > lab[2, 0] / 200]  # scikit-image changes others
    torch.testing.assert_close(lab_to_rgb(lab), skimage(lab2rgb, lab), atol=1e-3, rtol=0)


def test_lab_of_known_colours():
    """Values of the usual tables (Lindbloom's calculator, D65, to their 4 digits)."""
    rgb = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]).T[:, None]
    lab = torch.tensor(
        [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [100, 0, 0]]
    )
    torch.testing.assert_close(rgb_to_lab(rgb), lab.T[:, None], atol=0.02, rtol=0)


def test_round_trip_keeps_every_8_bit_level():
    rgb = torch.randint(0, 256, (3, 100, 100)) / 255
    again = lab_to_rgb(rgb_to_lab(rgb))
    assert torch.equal((again * 255).round(), (rgb * 255).round())


def test_lightness_alone_is_that_of_lab():
    torch.testing.assert_close(rgb_to_lightness(CUBE), rgb_to_lab(CUBE)[:1], atol=LIGHTNESS, rtol=0)


@pytest.mark.parametrize("levels", [256, 65536])
def test_grey_comes_back_from_its_lightness(levels):
    grey = (torch.arange(levels) / (levels - 1)).expand(3, 1, -1)
    again = lightness_to_grey(rgb_to_lightness(grey)) * (levels - 1)
    assert torch.equal(again.round()[0, 0], torch.arange(levels, dtype=torch.float32))


def test_blocks_equal_the_whole():
    rgb = torch.rand(2, 3, 190, 211)  # more than one block, and not a multiple of it
    whole = rgb.clone().requires_grad_()
    for convert, apart in ((rgb_to_lab, LAB), (rgb_to_lightness, LIGHTNESS), (lab_to_rgb, RGB)):
        torch.testing.assert_close(convert(rgb), convert(whole).detach(), atol=apart, rtol=0)


def test_leading_dimensions_are_kept():
    rgb = torch.rand(2, 5, 3, 4, 6)
    lab = rgb_to_lab(rgb)
    assert lab.shape == rgb.shape
    torch.testing.assert_close(lab[1, 3], rgb_to_lab(rgb[1, 3]), atol=LAB, rtol=0)
    assert rgb_to_lightness(rgb).shape == (2, 5, 1, 4, 6)


@pytest.mark.parametrize("convert", [rgb_to_lab, rgb_to_lightness, lab_to_rgb])
def test_gradients_are_finite_at_every_corner_of_the_cube(convert):
    colours = PRIMARIES if convert is not lab_to_rgb else rgb_to_lab(PRIMARIES)
    colours = colours.clone().requires_grad_()
    convert(colours).sum().backward()
    assert colours.grad.isfinite().all()
    assert colours.grad.abs().sum() > 0


def test_gradient_of_lightness_at_black_is_that_of_the_line():
    black = torch.zeros(3, 1, 1, requires_grad=True)
    rgb_to_lightness(black).sum().backward()
    green = 0.715160 / 12.92 * 116 * 7.787
    assert black.grad[1].item() == pytest.approx(green, rel=1e-4)


@pytest.mark.parametrize("convert", [rgb_to_lab, rgb_to_lightness, lab_to_rgb])
@pytest.mark.parametrize("shape", [(3,), (3, 4), (4, 4, 3), (1, 4, 4, 4)])
def test_wrong_shape_is_an_error(convert, shape):
    with pytest.raises(ValueError, match=r"expects an array of shape \(\.\.\., 3, H, W\), got"):
        convert(torch.zeros(shape))


# --- gamut -----------------------------------------------------------------------------------


def test_colours_inside_are_untouched():
    lab = rgb_to_lab(CUBE)
    assert in_gamut(lab[:1], lab[1:]).all()
    lightness = torch.cat((lab[:1], torch.full((1, 1, 1), 50.0)), dim=2)
    ab = torch.cat((lab[1:], torch.full((2, 1, 1), 200.0)), dim=2)
    assert torch.equal(fit_gamut(lightness, ab)[..., :-1], lab[1:])
    assert torch.equal(fit_gamut(lab[:1], lab[1:]), lab[1:])


def test_in_gamut_is_sharp():
    lab = rgb_to_lab(torch.tensor([0.9, 0.1, 0.1])[:, None, None])
    pure = rgb_to_lab(torch.tensor([1.0, 0, 0])[:, None, None])
    assert in_gamut(lab[:1], lab[1:]).all()
    assert not in_gamut(pure[:1], pure[1:] * 1.01).any()
    assert in_gamut(torch.full((1, 1, 3), 50.0), torch.zeros(2, 1, 3)).shape == (1, 1, 3)


@pytest.mark.parametrize("reach", [60, 150, 500])
def test_fitting_lands_inside_at_the_same_lightness_and_hue(reach):
    lightness, ab = random_lab(reach)
    fitted = fit_gamut(lightness, ab)
    assert in_gamut(lightness, fitted).all()
    cross = ab[0] * fitted[1] - ab[1] * fitted[0]
    assert (cross.abs() <= 1e-5 * ab.norm(dim=0) * fitted.norm(dim=0) + 1e-6).all()
    assert ((ab * fitted).sum(0) >= 0).all()
    assert (fitted.norm(dim=0) <= ab.norm(dim=0)).all()
    shown = rgb_to_lightness(lab_to_rgb(torch.cat((lightness, fitted))))
    assert (shown - lightness).abs().max() < STEEPEST_L * GAMUT_TOLERANCE + 0.01


@pytest.mark.parametrize("reach", [60, 150, 500])
def test_fitting_stops_at_the_boundary(reach):
    lightness, ab = random_lab(reach)
    outside = ~in_gamut(lightness, ab)[0]
    assert outside.float().mean() > 0.2
    rgb = linear(lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, ab)))).numpy())
    to_the_nearest_face = np.minimum(rgb, 1 - rgb).min(axis=0)
    assert to_the_nearest_face[outside.numpy()].max() < 1e-3


def test_black_and_white_have_no_colour():
    lightness = torch.tensor([0.0, 0.0, 100.0, 100.0]).reshape(1, 1, 4)
    ab = torch.tensor([[500.0, -500, 500, -500], [500, -500, -500, 500]])[:, None]
    shown = lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, ab)))) * 255
    expected = torch.tensor([0.0, 0, 255, 255])
    assert (shown.round() - expected).abs().max() <= 1


def test_gradients_flow_through_fitting():
    lightness = torch.tensor([50.0, 50.0]).reshape(1, 1, 2)
    ab = torch.tensor([[10.0, 300.0], [10.0, 100.0]])[:, None].requires_grad_()
    fitted = fit_gamut(lightness, ab)
    fitted.sum().backward()
    assert torch.equal(ab.grad[:, :, 0], torch.ones(2, 1))
    torch.testing.assert_close(ab.grad[:, :, 1], (fitted / ab).detach()[:, :, 1])


@pytest.mark.parametrize(
    ("lightness", "ab"),
    [
        ((1, 4, 4), (3, 4, 4)),
        ((2, 4, 4), (2, 4, 4)),
        ((4, 4), (2, 4, 4)),
        ((1, 4, 4), (2, 4, 5)),
        ((1, 1, 4, 4), (2, 4, 4)),
    ],
)
def test_fitting_refuses_shapes_that_do_not_belong_together(lightness, ab):
    with pytest.raises(ValueError, match="fit_gamut"):
        fit_gamut(torch.zeros(lightness), torch.zeros(ab))
