"""Pretrained encoder weights from files of several packagings."""

import re
from collections import OrderedDict

import pytest
import timm
import torch
from safetensors.torch import save_file

from train.network.encoder_weights import load_encoder_weights

NAME = "mobilenetv3_small_050"


@pytest.fixture
def encoder():
    return timm.create_model(NAME, features_only=True)


@pytest.fixture(scope="module")
def pretrained():
    """A whole classifier, as weights are published."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return timm.create_model(NAME).state_dict()


def holds(encoder, weights):
    return all(torch.equal(tensor, weights[key]) for key, tensor in encoder.state_dict().items())


def test_safetensors_are_matched_by_name(encoder, pretrained, tmp_path):
    shuffled = dict(sorted(pretrained.items(), reverse=True))
    save_file(shuffled, tmp_path / "weights.safetensors")
    assert not holds(encoder, pretrained)
    load_encoder_weights(encoder, NAME, str(tmp_path / "weights.safetensors"))
    assert holds(encoder, pretrained)


@pytest.mark.parametrize("wrapped", [False, True])
def test_other_names_are_matched_by_order(encoder, pretrained, tmp_path, wrapped):
    renamed = OrderedDict((f"_layer{n}", w) for n, w in enumerate(pretrained.values()))
    torch.save({"state_dict": renamed, "epoch": 3} if wrapped else renamed, tmp_path / "w.pth")
    load_encoder_weights(encoder, NAME, str(tmp_path / "w.pth"))
    assert holds(encoder, pretrained)


def test_none_leaves_the_encoder_as_it_is(encoder):
    before = {key: tensor.clone() for key, tensor in encoder.state_dict().items()}
    load_encoder_weights(encoder, NAME, "none")
    assert holds(encoder, before)


def test_another_architecture_is_refused(encoder, tmp_path):
    before = {key: tensor.clone() for key, tensor in encoder.state_dict().items()}
    torch.save(timm.create_model("lcnet_035").state_dict(), tmp_path / "other.pth")
    expected = r"other\.pth do not fit the encoder: .* should be .*, got .*another architecture\?"
    with pytest.raises(ValueError, match=expected):
        load_encoder_weights(encoder, NAME, str(tmp_path / "other.pth"))
    save_file({"a": torch.zeros(1)}, tmp_path / "short.safetensors")
    with pytest.raises(ValueError, match="do not fit the encoder"):
        load_encoder_weights(encoder, NAME, str(tmp_path / "short.safetensors"))
    assert holds(encoder, before)


def test_missing_and_broken_files_are_named(encoder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--encoder-weights: there is no file .*gone\.pth"):
        load_encoder_weights(encoder, NAME, str(tmp_path / "gone.pth"))
    for name in ("page.pth", "page.safetensors"):
        (tmp_path / name).write_text("<!doctype html><html>Not found</html>")
        with pytest.raises(ValueError, match=f"--encoder-weights: .*{re.escape(name)} cannot be"):
            load_encoder_weights(encoder, NAME, str(tmp_path / name))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="should hold a state_dict"):
        load_encoder_weights(encoder, NAME, str(tmp_path / "list.pth"))


def test_without_the_hub_the_message_names_both_ways_out(encoder):
    with pytest.raises(ValueError, match=r"could not be fetched .* --encoder-weights FILE.* none"):
        load_encoder_weights(encoder, NAME, "imagenet")
