"""Evaluation and calibration from end to end on a few small pictures with a tiny network."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from colorize_hub.bins import palette
from colorize_hub.color import lightness_to_grey, rgb_to_lightness
from colorize_hub.colorizer import Colorizer
from colorize_hub.config import ColorizerConfig
from colorize_hub.hub import load, save
from colorize_hub.metrics import PSNR_CAP, colorfulness, psnr
from colorize_hub.network import ColorNet
from train import calibrate as calibration_command
from train import evaluate as evaluation_command
from train.calibrate import calibrate
from train.classifier import Classifier
from train.contact_sheet import contact_sheet
from train.evaluate import _Sample, evaluate, read_pictures, square, to_grey

CONFIG = ColorizerConfig(encoder="lcnet_035", decoder_channels=(8, 8, 8, 8), size=64)
KEYS = [
    "images",
    "data",
    "size",
    "psnr",
    "psnr_grey",
    "psnr_minus_grey",
    "colorfulness",
    "colorfulness_truth",
    "delta_colorfulness",
    "ciede2000",
    "out_of_gamut",
]


def picture(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    """Smooth random colours, muted."""
    small = np.random.default_rng(seed).integers(90, 160, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def network() -> ColorNet:
    """Random, but sure of two colours: orange more than green."""
    torch.manual_seed(0)
    network = ColorNet(CONFIG).eval()
    centres = palette(CONFIG.bin_step).tolist()
    with torch.no_grad():
        network.head.weight.mul_(0.1)
        network.head.bias[centres.index([20, 30])] = 9.0
        network.head.bias[centres.index([-20, 10])] = 8.0
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory, network):
    pictures = tmp_path_factory.mktemp("pictures")
    for seed in range(4):
        Image.fromarray(picture(seed, 256 if seed else 100, 256)).save(pictures / f"{seed}.png")
    (pictures / "5.png").write_bytes(b"not a picture")
    return pictures


@pytest.fixture(scope="module")
def classifier_weights(tmp_path_factory):
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("classifier") / "weights.safetensors"
    save_file(timm.create_model("lcnet_050").state_dict(), path)
    return path


def run(monkeypatch, command, *flags: object) -> None:
    monkeypatch.setattr(sys, "argv", ["command", *map(str, flags)])
    command.main()


@pytest.fixture
def model(tmp_path, network):
    return save(network, tmp_path / "model")


def test_command_writes_metrics_and_sheet(
    monkeypatch, capsys, tmp_path, folder, model, classifier_weights
):
    out = tmp_path / "out"
    run(
        monkeypatch, evaluation_command, "--model", model, "--data", folder, "--output", out,
        "--kid-weights", classifier_weights, "--kid-encoder", "lcnet_050",
    )  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text())
    assert list(metrics) == [*KEYS, "kid", "kid_grey", "kid_ratio"]
    assert metrics["images"] == 4
    assert metrics["data"] == folder.name
    assert metrics["size"] == CONFIG.size
    assert metrics["psnr_minus_grey"] == pytest.approx(
        metrics["psnr"] - metrics["psnr_grey"], abs=2e-4
    )
    assert 0 <= metrics["out_of_gamut"] <= 1
    with Image.open(out / "contact_sheet.jpg") as sheet:
        assert sheet.size == (4 + 4 * 196, 4 + 3 * 212)
    printed = capsys.readouterr()
    assert "psnr_minus_grey" in printed.out
    assert "1 pictures" in printed.out + printed.err


def test_command_says_why_there_is_no_kid(monkeypatch, capsys, tmp_path, folder, model):
    flags = ("--model", model, "--data", folder, "--output", tmp_path / "out", "--limit", 3)
    run(monkeypatch, evaluation_command, *flags, "--kid-weights", "none")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert list(metrics) == KEYS
    assert metrics["images"] in {2, 3}  # one of the five is broken
    assert "KID is left out" in capsys.readouterr().out
    with pytest.raises(ValueError, match="encoder of the model itself"):
        run(monkeypatch, evaluation_command, *flags, "--kid-encoder", CONFIG.encoder)


def test_scores_are_those_of_the_pictures_a_user_gets(network):
    colorizer = Colorizer(network)
    pictures = [picture(seed, 256, 256) for seed in range(3)]
    found = evaluate(colorizer, pictures, "three").metrics
    ours = [colorizer.colorize(to_grey(rgb)) for rgb in pictures]
    batches = [torch.from_numpy(np.stack(rgbs)).movedim(-1, 1) for rgbs in (ours, pictures)]
    assert found["psnr"] == pytest.approx(psnr(*batches), abs=0.01)
    difference = colorfulness(batches[0]).mean() - colorfulness(batches[1]).mean()
    assert found["delta_colorfulness"] == pytest.approx(float(difference), abs=0.05)


def test_vividness_and_size_reach_the_model(network):
    colorizer = Colorizer(network)
    dull, vivid = (
        evaluate(colorizer, [picture(0)], "one", vividness=vividness).metrics
        for vividness in (0.0, 1.0)
    )
    assert vivid["colorfulness"] > dull["colorfulness"] + 1
    assert evaluate(colorizer, [picture(0)], "one", size=96).metrics["size"] == 96


def test_grey_pictures_score_the_cap_and_do_not_break_kid(network, classifier_weights):
    flat = [np.full((256, 256, 3), level, np.uint8) for level in (40, 200)]
    classifier = Classifier("lcnet_050", str(classifier_weights), torch.device("cpu"))
    found = evaluate(Colorizer(network), flat, "grey", classifier=classifier).metrics
    assert found["psnr_grey"] == PSNR_CAP
    assert found["colorfulness_truth"] == 0
    assert found["kid_grey"] == 0
    assert "kid_ratio" not in found


def test_nothing_to_evaluate_on_is_an_error(network):
    with pytest.raises(ValueError, match="empty holds no picture"):
        evaluate(Colorizer(network), [], "empty")


def test_contact_sheet_goes_on_in_bands():
    tiny = [np.full((2, 2), level, np.uint8) for level in range(20)]
    sheet = contact_sheet({"grey": tiny, "ours": tiny}, tile=32, across=8)
    assert sheet.size == (4 + 8 * 36, 4 + 3 * 2 * 52)
    assert sheet.getpixel((8, 30)) == (0, 0, 0)
    assert sheet.getpixel((8 + 3 * 36, 30 + 5 * 52)) == (19, 19, 19)


def test_the_same_pictures_are_shown_each_time():
    drawn = []
    for _ in range(2):
        sample = _Sample(5)
        for number in range(100):
            sample.offer((np.array(number),))
        drawn.append([int(one) for (one,) in sample.kept()])
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert len(drawn[0]) == 5
    assert drawn[0] != list(range(5))


def test_pictures_are_squared_and_greyed():
    wide = picture(0, 100, 300)
    assert square(wide).shape == (256, 256, 3)
    small = picture(1, 256, 256)
    assert square(small) is small
    lightness = rgb_to_lightness(torch.from_numpy(small.copy()).movedim(-1, 0) / 255)
    expected = (lightness_to_grey(lightness)[0] * 255).numpy()
    assert np.abs(to_grey(small) - expected).max() <= 0.5


def test_pictures_are_read_upright_from_parquet_too(tmp_path):
    import datasets

    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(picture(0, 96, 128)).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(picture(1, 70, 70)).convert("L").save(tmp_path / "grey.png")
    rows = {"image": [str(tmp_path / "turned.jpg"), str(tmp_path / "grey.png")]}
    table = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    table.to_parquet(tmp_path / "rows.parquet")
    read = list(read_pictures(str(tmp_path / "rows.parquet"), "test"))
    assert [rgb.shape for rgb in read] == [(128, 96, 3), (70, 70, 3)]


def test_classifier_features_are_those_before_the_last_layer(classifier_weights):
    classifier = Classifier("lcnet_050", str(classifier_weights), torch.device("cpu"))
    features = classifier.features(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    assert features.shape == (2, timm.create_model("lcnet_050").head_hidden_size)
    with pytest.raises(ValueError, match="no model 'lcnet_0'"):
        Classifier("lcnet_0", str(classifier_weights), torch.device("cpu"))
    with pytest.raises(FileNotFoundError, match="--kid-weights"):
        Classifier("lcnet_050", "nowhere.pth", torch.device("cpu"))


def test_contact_sheet_needs_rows_of_one_length():
    with pytest.raises(ValueError, match="rows of one length"):
        contact_sheet({"grey": [picture(0)], "ours": []})
    with pytest.raises(ValueError, match="1 or more"):
        contact_sheet({"grey": []})


def test_calibration_balances_colourfulness_on_the_inference_path(network):
    pictures = [picture(seed, 256, 256) for seed in range(2)]
    found = calibrate(Colorizer(network), pictures, grid=(0.0, 0.5, 1.0))
    assert [trial.vividness for trial in found.trials] == [0.0, 0.5, 1.0]
    assert any(trial.balanced for trial in found.trials)
    chosen = next(trial for trial in found.trials if trial.vividness == found.vividness)
    assert chosen.psnr == max(trial.psnr for trial in found.trials if trial.balanced)
    assert found.table().count("chosen") == 1

    network = _with_config(network, vividness=found.vividness, chroma_scale=found.chroma_scale)
    metrics = evaluate(Colorizer(network), pictures, "again").metrics
    assert metrics["delta_colorfulness"] == pytest.approx(0, abs=0.2)
    assert metrics["psnr"] == pytest.approx(chosen.psnr, abs=0.02)
    assert metrics["psnr_grey"] == pytest.approx(found.psnr_grey, abs=1e-3)


def test_calibration_of_a_network_without_colours_is_an_error(network):
    grey = ColorNet(CONFIG)
    grey.load_state_dict(network.state_dict())
    with torch.no_grad():
        grey.head.weight.zero_()
        grey.head.bias.fill_(-50)
        grey.head.bias[palette(CONFIG.bin_step).tolist().index([0, 0])] = 50
    with pytest.raises(ValueError, match="has not learned colours"):
        calibrate(Colorizer(grey.eval()), [picture(0)], grid=(0.0, 1.0))
    with pytest.raises(ValueError, match="got none"):
        calibrate(Colorizer(grey), [])


def test_calibrate_command_rewrites_config_json(monkeypatch, capsys, folder, model):
    before = load(model).config
    run(monkeypatch, calibration_command, "--model", model, "--data", folder, "--limit", 2)
    after = load(model).config
    assert (after.vividness, after.chroma_scale) != (before.vividness, before.chroma_scale)
    kept = {"vividness": before.vividness, "chroma_scale": before.chroma_scale}
    assert replace(after, **kept) == before
    assert "| vividness |" in capsys.readouterr().out
    assert sorted(path.name for path in model.iterdir()) == ["config.json", "model.safetensors"]


def test_missing_model_folder_is_named(monkeypatch, tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="no model folder"):
        run(monkeypatch, calibration_command, "--model", tmp_path, "--data", folder)


def _with_config(network: ColorNet, **changes: float) -> ColorNet:
    changed = ColorNet(replace(network.config, **changes))
    changed.load_state_dict(network.state_dict())
    return changed.eval()
