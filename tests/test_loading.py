"""Models in folders: what save writes loads to the bit, and every bad folder is explained."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import (
    CONFIG,
    WEIGHTS,
    ModelError,
    ModelNotFoundError,
    load,
    model_sha256,
    read_model,
    save,
    stamp_metrics,
)
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.weights import weights_bytes

CONFIG_OF_TESTS = ColorizerConfig(
    encoder="mobilenetv3_small_050", decoder_channels=(8, 8, 8, 8), bin_step=50, vividness=0.3
)
BIAS = "head.bias"


@pytest.fixture(scope="module")
def network() -> ColorNet:
    return ColorNet(CONFIG_OF_TESTS).eval()


@pytest.fixture
def folder(network: ColorNet, tmp_path: Path) -> Path:
    return save(network, tmp_path / "model", card="# A card\n")


def test_a_saved_network_loads_to_the_bit(network: ColorNet, folder: Path) -> None:
    saved = load_file(folder / WEIGHTS)
    assert saved.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert saved[name].dtype == value.dtype
        assert torch.equal(saved[name], value), name

    loaded, original = load(folder, device="cpu"), Colorizer(TorchEngine(network, device="cpu"))
    lightness = torch.rand(1, 1, 40, 56) * 100
    assert loaded.config == CONFIG_OF_TESTS
    assert torch.equal(loaded.predict_ab(lightness), original.predict_ab(lightness))


def test_the_files_are_what_other_tools_expect(folder: Path) -> None:
    text = (folder / CONFIG).read_text()
    assert text == json.dumps(CONFIG_OF_TESTS.to_dict(), indent=2, sort_keys=True) + "\n"
    with safe_open(folder / WEIGHTS, "pt") as file:
        assert file.metadata() == {"format": "pt", "architecture": "ColorNet"}
    header = int.from_bytes((folder / WEIGHTS).read_bytes()[:8], "little")
    assert header % 8 == 0, "tensors start aligned"
    assert (folder / "README.md").read_text() == "# A card\n"
    assert len(list(folder.iterdir())) == 3, "no temporary file stays"


def test_equal_weights_give_equal_bytes(network: ColorNet, folder: Path) -> None:
    """safetensors alone puts the metadata in one of two orders, at random."""
    first = (folder / WEIGHTS).read_bytes()
    assert all((save(network, folder) / WEIGHTS).read_bytes() == first for _ in range(10))


def test_any_precision_and_layout_is_saved_as_float32(network: ColorNet, tmp_path: Path) -> None:
    half = ColorNet(CONFIG_OF_TESTS)
    half.load_state_dict(network.state_dict())
    half = half.to(torch.bfloat16).to(memory_format=torch.channels_last)
    saved = load_file(save(half, tmp_path / "half") / WEIGHTS)
    assert {value.dtype for value in saved.values()} == {torch.float32, torch.int64}
    assert torch.equal(saved["head.weight"], half.head.weight.float())
    load(tmp_path / "half", device="cpu")


def test_weights_saved_by_halves(network: ColorNet, folder: Path, tmp_path: Path) -> None:
    halved = save(network, tmp_path / "halved", half=True)
    assert 0.45 < (halved / WEIGHTS).stat().st_size / (folder / WEIGHTS).stat().st_size < 0.6
    read = read_model(halved)
    assert all(p.dtype == torch.float32 for p in read.parameters())
    assert torch.equal(read.head.weight, network.head.weight.half().float())
    assert (save(read, halved, half=True) / WEIGHTS).read_bytes() == weights_bytes(network, True)
    vast = read_model(folder)
    vast.head.bias.data[0] = 1e5
    with pytest.raises(ValueError, match=r"half: head\.bias has weights beyond 65504"):
        save(vast, halved, half=True)


def test_saving_again_replaces_and_keeps_the_card(network: ColorNet, folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"old")
    (folder / "metrics.json").write_text("{}")
    save(network, folder)
    load(folder, device="cpu")
    assert (folder / "README.md").read_text() == "# A card\n"
    assert (folder / "metrics.json").exists()


def test_a_file_in_place_of_the_folder(network: ColorNet, folder: Path) -> None:
    with pytest.raises(ModelError, match=f"load expects the folder .*/{WEIGHTS} is a file"):
        load(folder / WEIGHTS)
    with pytest.raises(ModelError, match=r"save writes a folder, but .* is a file"):
        save(network, folder / WEIGHTS)


@pytest.mark.parametrize(
    "name",
    ["", "default", "a/b/c", "./model", "/no/such", "~/no/such", "user/", "https://h.co/a/b"],
)
def test_neither_a_folder_nor_a_repo(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ModelNotFoundError, match=r'no folder .* here, and it cannot be .*"user/model"'
    ):
        load(name)


def test_a_missing_folder_is_a_missing_file_too(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*absent"):
        load(tmp_path / "absent")


def test_a_folder_has_no_revision(folder: Path) -> None:
    with pytest.raises(ModelError, match="is a folder here, and a folder has no revision 'v1'"):
        load(folder, revision="v1")


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelNotFoundError, match=f"the folder {folder} has no file {name}"):
        load(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON: Expecting property name"),
        ("[" * 60_000, "is not JSON: maximum recursion"),
        ("<!DOCTYPE html><html></html>", "is not JSON: .* It is a web page"),
        ("[]", "cannot be used: .* got list"),
        ('{"colour": 1}', "cannot be used: .* unknown key 'colour'"),
        ('{"bin_step": "10"}', "cannot be used: bin_step must be an integer"),
        ('{"encoder": "no_such_net"}', "cannot be used: encoder 'no_such_net'"),
    ],
)
def test_a_bad_config(folder: Path, content: str, message: str) -> None:
    full = (
        json.dumps(CONFIG_OF_TESTS.to_dict() | json.loads(content)) if ":" in content else content
    )
    (folder / CONFIG).write_text(full)
    with pytest.raises(ModelError, match=f"{CONFIG} of the folder {folder} {message}") as caught:
        load(folder)
    assert isinstance(caught.value.__cause__, ValueError | RecursionError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "header too small"),
        (b"\n<!DOCTYPE html><html>" + b" " * 600, "It is a web page: download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer: .*`git lfs pull`"),
        (b"PK\x03\x04" + b"\0" * 600, "a zip archive or a pickle; only safetensors is read"),
    ],
)
def test_something_else_in_place_of_the_weights(folder: Path, content: bytes, message: str) -> None:
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(
        ModelError, match=f"{WEIGHTS} of .* is not a whole safetensors file.*{message}"
    ):
        load(folder)


@pytest.mark.parametrize("kept", [4, 100, -1])
def test_cut_off_weights(folder: Path, kept: int) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:kept])
    with pytest.raises(
        ModelError, match=r"not a whole safetensors file: .* Download or save it again"
    ):
        load(folder)


def _change(tensors: dict[str, Tensor], change: str) -> None:
    bias = tensors.pop(BIAS)
    if change == "renamed":
        tensors["tail.bias"] = bias
    elif change == "shape":
        tensors[BIAS] = bias[1:].clone()
    elif change == "dtype":
        tensors[BIAS] = bias.double()
    elif change == "nan":
        tensors[BIAS] = torch.full_like(bias, torch.nan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("renamed", r"1 missing \(head.bias\); 1 unexpected \(tail.bias\)\."),
        ("shape", r"1 of another shape or type \(head.bias is \(\d+,\) float32, expected \(\d+,\)"),
        (
            "dtype",
            r"1 of another shape or type \(head.bias is \(\d+,\) float64, expected .* float32\)\.",
        ),
        ("nan", r"1 not finite \(head.bias\)"),
    ],
)
def test_weights_that_do_not_fit(folder: Path, change: str, message: str) -> None:
    tensors = load_file(folder / WEIGHTS)
    _change(tensors, change)
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(ModelError, match=f"{WEIGHTS} of .* does not fit its {CONFIG}: {message}"):
        load(folder)


def test_many_misfits_are_counted_and_the_first_named(folder: Path) -> None:
    config = CONFIG_OF_TESTS.to_dict() | {"decoder_channels": [9, 8, 8, 8]}
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(
        ModelError, match=r"\d+ of another shape or type \(.*, \.\.\.\)\."
    ) as caught:
        load(folder)
    assert str(caught.value).count("expected") == 3


def test_metrics_are_stamped_with_the_model_they_are_about(folder: Path) -> None:
    (folder / "metrics.json").write_text('{"psnr": 20.5}')
    stamp_metrics(folder)
    stamped = json.loads((folder / "metrics.json").read_text())
    assert stamped == {"psnr": 20.5, "model_sha256": model_sha256(folder)}
    for name in (CONFIG, WEIGHTS):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before + b" ")
        assert model_sha256(folder) != stamped["model_sha256"]
        (folder / name).write_bytes(before)


def test_the_hub_client_is_imported_only_for_a_repo() -> None:
    code = "import sys, colorize_hub.loading; sys.exit('huggingface_hub' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=True)
