"""Reference values by hand and by scikit-image, and the properties a score must have."""

import math

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000

from colorize_hub.colour.lab import fit_gamut, rgb_to_lab
from train.judging.metrics import (
    PSNR_CAP,
    ciede2000,
    colorfulness,
    delta_e,
    kid,
    out_of_gamut,
    psnr,
    spread_delta_e,
)

# Pairs 1, 4, 9, 12, 16, 17 and 25 of Sharma, Wu and Dalal 2005, table 1: blues, hues a half turn
# apart on either side of the seam, greys, a large difference, a small one.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0012), 7.2195),
    ((50.0, 2.5000, 0.0), (50.0, 0.0, -2.5000), 4.3065),
    ((50.0, 2.5000, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
]


def flat(red: int, green: int, blue: int, size: int = 8) -> torch.Tensor:
    colour = torch.tensor([red, green, blue], dtype=torch.uint8)
    return colour.reshape(1, 3, 1, 1).expand(1, 3, size, size).clone()


def noise(seed: int, batch: int = 2, size: int = 24) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (batch, 3, size, size), generator=generator, dtype=torch.uint8)


def test_psnr_by_hand():
    assert psnr(flat(100, 100, 100), flat(110, 110, 110)) == pytest.approx(
        20 * math.log10(255 / 10)
    )
    one_channel = 10 * math.log10(255**2 / (30**2 / 3))
    assert psnr(flat(130, 100, 100), flat(100, 100, 100)) == pytest.approx(one_channel)


def test_psnr_is_capped_per_picture_and_then_averaged():
    truth = torch.cat((flat(80, 80, 80), flat(80, 80, 80)))
    rgb = torch.cat((flat(80, 80, 80), flat(90, 90, 90)))
    assert psnr(truth, truth) == PSNR_CAP
    assert psnr(rgb, truth) == pytest.approx((PSNR_CAP + 20 * math.log10(25.5)) / 2)


def test_psnr_falls_with_the_error():
    truth = flat(60, 90, 120)
    scores = [psnr(truth + step, truth) for step in (1, 2, 5, 20, 100)]
    assert scores == sorted(scores, reverse=True)


def test_float_pictures_are_rounded_to_eight_bits():
    levels = noise(0)
    truth = noise(1)
    wobbled = levels.float() / 255 + 0.4 / 255 * torch.linspace(-1, 1, 24)
    wobbled = wobbled.clamp(0, 1)
    assert psnr(wobbled, truth) == psnr(levels, truth)
    assert torch.equal(colorfulness(wobbled), colorfulness(levels))
    assert delta_e(wobbled, truth) == delta_e(levels, truth)


def test_colorfulness_by_hand():
    half = torch.zeros(1, 3, 4, 8, dtype=torch.uint8)
    half[:, 0, :, :4] = 255
    half[:, 1, :, 4:] = 255
    assert float(colorfulness(half)) == pytest.approx(293.25)  # 85.53 if rg were not signed
    assert float(colorfulness(flat(77, 77, 77))) == 0
    assert float(colorfulness(flat(90, 50, 30))) == pytest.approx(0.3 * math.hypot(40, 40))


def test_colorfulness_is_per_picture_and_rises_with_saturation():
    pictures = noise(2, batch=3)
    each = torch.cat([colorfulness(picture[None]) for picture in pictures])
    torch.testing.assert_close(colorfulness(pictures), each)
    grey = pictures.float().mean(dim=1, keepdim=True)
    scores = [
        float(colorfulness((grey + (pictures - grey) * share) / 255)[0])
        for share in (0, 0.25, 0.5, 1)
    ]
    assert scores == sorted(scores)
    assert scores[0] == pytest.approx(0, abs=1)


@pytest.mark.parametrize(("lab", "other", "expected"), SHARMA)
def test_ciede2000_of_the_published_pairs(lab, other, expected):
    first, second = (
        torch.tensor(value, dtype=torch.float64).reshape(3, 1, 1) for value in (lab, other)
    )
    assert float(ciede2000(first, second)) == pytest.approx(expected, abs=1e-4)
    assert float(ciede2000(second, first)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ciede2000_agrees_with_scikit_image(dtype):
    generator = torch.Generator().manual_seed(3)
    scale = torch.tensor([100.0, 160, 160]).reshape(3, 1, 1)
    start = torch.tensor([0.0, -80, -80]).reshape(3, 1, 1)
    lab, other = (torch.rand(3, 100, 100, generator=generator) * scale + start for _ in range(2))
    near = lab + torch.randn(3, 100, 100, generator=generator)
    lab[1:, :10], near[1:, :5] = 0, 0  # greys
    for second in (other, near):
        expected = deltaE_ciede2000(lab.double().numpy(), second.double().numpy(), channel_axis=0)
        got = ciede2000(lab.to(dtype), second.to(dtype))[0]
        np.testing.assert_allclose(got.numpy(), expected, atol=1e-3)


def test_delta_e_of_pictures():
    rgb, truth = noise(4), noise(5)
    labs = [rgb_to_lab(picture.float() / 255).double().numpy() for picture in (rgb, truth)]
    expected = deltaE_ciede2000(*labs, channel_axis=1).mean()
    assert delta_e(rgb, truth) == pytest.approx(expected, abs=1e-3)
    assert delta_e(rgb, rgb) == 0


def test_spread_is_the_mean_over_all_pairs():
    versions = [noise(seed) for seed in (4, 5, 6)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = np.mean([delta_e(versions[one], versions[other]) for one, other in pairs])
    assert spread_delta_e(versions) == pytest.approx(expected)
    assert spread_delta_e([versions[0]] * 3) == 0
    with pytest.raises(ValueError, match="two or more versions"):
        spread_delta_e(versions[:1])


def test_kid_by_hand():
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    reference = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    # k = (x . y / 2 + 1)^3: within features 1, within reference 1, across 1.5^3, 1, 1.5^3, 1.
    assert kid(features, reference) == pytest.approx(1 + 1 - 2 * (2 * 1.5**3 + 2) / 4)
    assert kid(features, reference, paired=True) == pytest.approx(1 + 1 - 2 * (1.5**3 + 1) / 2)


def test_kid_tells_equal_from_different_sets():
    generator = torch.Generator().manual_seed(6)
    features, others = (torch.randn(400, 16, generator=generator) for _ in range(2))
    assert kid(features, features, paired=True) == pytest.approx(0, abs=1e-12)
    assert kid(features, others) == pytest.approx(0, abs=0.02)
    distances = [kid(features + shift, others) for shift in (0.25, 0.5, 1.0)]
    assert distances == sorted(distances)
    assert distances[0] > 0.05


def test_paired_kid_has_no_bias_where_unpaired_has():
    generator = torch.Generator().manual_seed(7)
    draws = torch.randn(300, 12, 8, generator=generator)
    jitter = draws + 0.05 * torch.randn(draws.shape, generator=generator)
    paired = np.mean([kid(x, y, paired=True) for x, y in zip(jitter, draws, strict=True)])
    unpaired = np.mean([kid(x, y) for x, y in zip(jitter, draws, strict=True)])
    assert abs(paired) < 0.02
    assert unpaired < -0.2


def test_out_of_gamut_is_nothing_after_the_fit():
    lightness = torch.full((1, 1, 8, 8), 50.0)
    ab = torch.full((1, 2, 8, 8), 5.0)
    assert out_of_gamut(lightness, ab) == 0
    ab[..., :2] = 120.0
    assert out_of_gamut(lightness, ab) == pytest.approx(0.25)
    assert out_of_gamut(lightness, fit_gamut(lightness, ab)) == 0


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"one shape, got .* resize"):
        psnr(noise(0, size=8), noise(0, size=9))
    with pytest.raises(ValueError, match=r"0\.\.1, got values .*255"):
        psnr(noise(0).float(), noise(0))
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\)"):
        colorfulness(noise(0)[0])
    with pytest.raises(ValueError, match=r"uint8 or float"):
        colorfulness(noise(0).int())
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        kid(torch.zeros(4, 3), torch.zeros(4, 2))
    with pytest.raises(ValueError, match="as many in both if paired"):
        kid(torch.zeros(4, 3), torch.zeros(5, 3), paired=True)
