"""The losses seen through a classifier: zero at the truth, and a critic that learns."""

import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from colorize_hub.colour.lab import rgb_to_lab
from train.objective.perception import Critic, PerceptualBackbone, Sight, perceptual_distance

CPU = torch.device("cpu")

NAME = "mobilenetv3_small_050"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A backbone with random weights in a file: enough to test the arithmetic."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "backbone.safetensors"
    save_file(timm.create_model(NAME, pretrained=False).state_dict(), path)
    return PerceptualBackbone(NAME, str(path), CPU)


@pytest.fixture
def pictures():
    """Smooth (4, 3, 64, 64) pictures with their lightness and ab at stride 4."""
    coarse = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(2)) * 0.6 + 0.2
    rgb = F.interpolate(coarse, size=(64, 64), mode="bilinear")
    lab = rgb_to_lab(rgb)
    return rgb, lab[:, :1], lab[:, 1:]


def test_true_colours_have_no_distance(classifier, pictures):
    rgb, lightness, ab = pictures
    true = perceptual_distance(classifier(lightness, ab, rgb))
    grey = perceptual_distance(classifier(lightness, ab * 0, rgb))
    assert float(true) < 1e-4 < float(grey)


def test_going_down_the_distance_brings_grey_nearer(classifier, pictures):
    rgb, lightness, ab = pictures
    ours = torch.zeros_like(ab, requires_grad=True)
    before = perceptual_distance(classifier(lightness, ours, rgb))
    before.backward()
    assert ours.grad is not None
    step = ours.detach() - 0.5 * ours.grad / ours.grad.abs().max()
    assert perceptual_distance(classifier(lightness, step, rgb)) < before


def test_colours_at_stride_4_are_looked_at_in_full_size(classifier, pictures):
    rgb, lightness, ab = pictures
    sight = classifier(lightness, F.avg_pool2d(ab, 4), rgb)
    assert [m.shape for m in sight.ours] == [m.shape for m in sight.true]
    assert [m.shape[1] for m in sight.ours] == list(classifier.channels)


def test_the_critic_learns_to_tell_grey_from_colour(classifier, pictures):
    rgb, lightness, ab = pictures
    sight = classifier(lightness, ab * 0, rgb)
    torch.manual_seed(0)
    critic = Critic(classifier.channels)
    optimizer = torch.optim.Adam(critic.parameters(), 1e-3)
    before = critic.mistakes(sight).item()
    for _ in range(60):
        optimizer.zero_grad()
        critic.mistakes(sight).backward()
        optimizer.step()
    assert before == pytest.approx(2, abs=0.2)
    assert critic.mistakes(sight).item() < 0.5 * before


def test_the_critic_does_not_teach_the_colorizer_by_its_own_loss(classifier, pictures):
    rgb, lightness, ab = pictures
    ours = torch.zeros_like(ab, requires_grad=True)
    critic = Critic(classifier.channels)
    critic.mistakes(classifier(lightness, ours, rgb)).backward()
    assert ours.grad is None


def test_a_uniform_sight_is_finite():
    flat = [torch.zeros(2, 4, 3, 3)] * 3
    assert torch.isfinite(perceptual_distance(Sight(flat, flat)))


def test_without_pretrained_weights_there_is_nothing_to_see():
    with pytest.raises(ValueError, match="--encoder-weights none"):
        PerceptualBackbone(NAME, "none", CPU)
