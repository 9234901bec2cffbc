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

from colorize_hub.colour.palette import palette
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import load, save
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.publish.results import read_results
from train import calibrate as calibration_command
from train import evaluate as evaluation_command
from train.calibrate import calibrate
from train.evaluate import evaluate
from train.judging.hint_curve import HINT_COUNTS, floor_picture, hint_curve
from train.judging.metrics import PSNR_CAP, colorfulness, delta_e, psnr
from train.judging.pictures import to_batch, to_grey
from train.judging.steering import SIZES, judge_hints, judge_sizes
from train.network.classifier import Classifier

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
    "ciede2000_grey",
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


HINTED = [f"hints_{n}_{part}psnr" for n in HINT_COUNTS for part in ("", "floor_")]
SKIN = ["skin_ciede2000", "skin_ciede2000_darkest", "skin_ciede2000_lightest"]
STEERED = [
    "hint_images",
    *HINTED,
    "hints_10_minus_floor",
    "hints_10_minus_none",
    "hint_delta_e",
    "hint_delta_e_grey",
    "size_images",
    "size_delta_e",
]


def test_command_writes_metrics_and_pictures(
    monkeypatch, capsys, tmp_path, folder, model, classifier_weights
):
    out = tmp_path / "out"
    run(
        monkeypatch, evaluation_command, "--model", model, "--data", folder, "--output", out,
        "--kid-weights", classifier_weights, "--kid-encoder", "lcnet_050", "--hints", 2,
    )  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text())
    assert list(metrics) == [*KEYS, "kid", "kid_grey", "kid_share", *STEERED]
    assert read_results(metrics)["psnr"] == metrics["psnr"]
    assert (metrics["images"], metrics["hint_images"], metrics["size_images"]) == (4, 2, 2)
    assert metrics["data"] == folder.name
    assert metrics["size"] == CONFIG.size
    assert metrics["psnr_minus_grey"] == pytest.approx(
        metrics["psnr"] - metrics["psnr_grey"], abs=2e-4
    )
    assert metrics["hints_10_minus_floor"] == pytest.approx(
        metrics["hints_10_psnr"] - metrics["hints_10_floor_psnr"], abs=2e-4
    )
    assert 0 <= metrics["out_of_gamut"] <= 1
    with Image.open(out / "contact_sheet.jpg") as sheet:
        assert sheet.size == (4 + 4 * 196, 4 + 3 * 212)
    with Image.open(out / "hint_curve.png") as plot:
        assert plot.size == (960, 540)
    printed = capsys.readouterr()
    assert "psnr_minus_grey" in printed.out
    assert "1 pictures" in printed.out + printed.err


def test_command_says_why_there_is_no_kid(monkeypatch, capsys, tmp_path, folder, model):
    flags = ("--model", model, "--data", folder, "--output", tmp_path / "out", "--limit", 3)
    run(monkeypatch, evaluation_command, *flags, "--kid-weights", "none", "--hints", 0)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert list(metrics) == KEYS
    assert not (tmp_path / "out" / "hint_curve.png").exists()
    assert metrics["images"] in {2, 3}  # one of the five is broken
    assert "KID is left out" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="encoder of the model itself"):
        run(monkeypatch, evaluation_command, *flags, "--kid-encoder", CONFIG.encoder)


def test_command_scores_skin(monkeypatch, tmp_path, model):
    faces = tmp_path / "faces"
    faces.mkdir()
    for number, light in enumerate((1.2, 1, 0.8, 0.6)):
        tone = (np.array((194, 150, 130)) * light + picture(number) - 125).clip(0, 255)
        Image.fromarray(tone.astype(np.uint8)).save(faces / f"{number}.png")
    flags = ("--model", model, "--data", faces, "--output", tmp_path / "out", "--skin")
    run(monkeypatch, evaluation_command, *flags, "--kid-weights", "none", "--hints", 0)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert list(metrics) == [*KEYS, "skin_images", *SKIN]
    assert metrics["skin_images"] == 4
    assert metrics["skin_ciede2000_darkest"] > 0
    assert len({metrics[name] for name in SKIN}) == 3
    (faces / "0.png").unlink()
    with pytest.raises(SystemExit, match="aligned faces in colour"):
        run(monkeypatch, evaluation_command, *flags, "--kid-weights", "none", "--hints", 0)


def test_scores_are_those_of_the_pictures_a_user_gets(network):
    colorizer = Colorizer(TorchEngine(network))
    pictures = [picture(seed, 256, 256) for seed in range(3)]
    found = evaluate(colorizer, pictures, "three").metrics
    ours = [colorizer.colorize(to_grey(rgb)) for rgb in pictures]
    batches = [torch.from_numpy(np.stack(rgbs)).movedim(-1, 1) for rgbs in (ours, pictures)]
    assert found["psnr"] == pytest.approx(psnr(*batches), abs=0.01)
    difference = colorfulness(batches[0]).mean() - colorfulness(batches[1]).mean()
    assert found["delta_colorfulness"] == pytest.approx(float(difference), abs=0.05)


def test_vividness_and_size_reach_the_model(network):
    colorizer = Colorizer(TorchEngine(network))
    dull, vivid = (
        evaluate(colorizer, [picture(0)], "one", vividness=vividness).metrics
        for vividness in (0.0, 1.0)
    )
    assert vivid["colorfulness"] > dull["colorfulness"] + 1
    assert evaluate(colorizer, [picture(0)], "one", size=96).metrics["size"] == 96


def test_grey_pictures_score_the_cap_and_do_not_break_kid(network, classifier_weights):
    flat = [np.full((256, 256, 3), level, np.uint8) for level in (40, 200)]
    classifier = Classifier("lcnet_050", str(classifier_weights), torch.device("cpu"))
    found = evaluate(Colorizer(TorchEngine(network)), flat, "grey", classifier=classifier).metrics
    assert found["psnr_grey"] == PSNR_CAP
    assert found["colorfulness_truth"] == 0
    assert found["kid_grey"] == 0
    assert "kid_share" not in found


def test_hints_are_judged_on_the_pictures_drawn(network):
    colorizer = Colorizer(TorchEngine(network))
    truths = [picture(seed, 256, 256) for seed in range(2)]
    drawn = [(seed, to_grey(truth), truth) for seed, truth in enumerate(truths)]
    found = judge_hints(colorizer, drawn)
    curves = [hint_curve(colorizer, truth, grey, seed) for seed, grey, truth in drawn]
    assert found["hint_images"] == 2
    assert found["hints_5_psnr"] == pytest.approx(np.mean([c.psnr[3] for c in curves]), abs=1e-4)
    assert found["hint_delta_e"] == pytest.approx(np.mean([c.delta_e for c in curves]), abs=1e-4)
    grey = [psnr(to_batch([floor_picture(one[1], [])]), to_batch([one[2]])) for one in drawn]
    assert found["hints_0_floor_psnr"] == pytest.approx(np.mean(grey), abs=1e-4)


def test_sizes_are_compared_in_pairs(network):
    colorizer = Colorizer(TorchEngine(network))
    greys = [to_grey(picture(seed, 256, 256)) for seed in range(2)]
    versions = [to_batch(colorizer.colorize(greys, size=size)) for size in SIZES]
    pairs = [delta_e(versions[i], versions[j]) for i in range(4) for j in range(i)]
    found = judge_sizes(colorizer, greys)
    assert found["size_images"] == 2
    assert found["size_delta_e"] == pytest.approx(np.mean(pairs), abs=1e-3)


def test_nothing_to_evaluate_on_is_an_error(network):
    with pytest.raises(ValueError, match="empty holds no picture"):
        evaluate(Colorizer(TorchEngine(network)), [], "empty")


def test_classifier_features_are_those_before_the_last_layer(classifier_weights):
    classifier = Classifier("lcnet_050", str(classifier_weights), torch.device("cpu"))
    features = classifier.features(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    assert features.shape == (2, timm.create_model("lcnet_050").head_hidden_size)
    with pytest.raises(ValueError, match="no model 'lcnet_0'"):
        Classifier("lcnet_0", str(classifier_weights), torch.device("cpu"))
    with pytest.raises(FileNotFoundError, match="--kid-weights"):
        Classifier("lcnet_050", "nowhere.pth", torch.device("cpu"))


def test_calibration_balances_colourfulness_on_the_inference_path(network):
    pictures = [picture(seed, 256, 256) for seed in range(2)]
    found = calibrate(Colorizer(TorchEngine(network)), pictures, grid=(0.0, 0.5, 1.0))
    assert [trial.vividness for trial in found.trials] == [0.0, 0.5, 1.0]
    assert any(trial.balanced for trial in found.trials)
    chosen = next(trial for trial in found.trials if trial.vividness == found.vividness)
    assert chosen.psnr == max(trial.psnr for trial in found.trials if trial.balanced)
    assert found.table().count("chosen") == 1

    network = _with_config(network, vividness=found.vividness, chroma_scale=found.chroma_scale)
    metrics = evaluate(Colorizer(TorchEngine(network)), pictures, "again").metrics
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
        calibrate(Colorizer(TorchEngine(grey.eval())), [picture(0)], grid=(0.0, 1.0))
    with pytest.raises(ValueError, match="got none"):
        calibrate(Colorizer(TorchEngine(grey)), [])


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
    with pytest.raises(SystemExit, match="no model folder"):
        run(monkeypatch, calibration_command, "--model", tmp_path, "--data", folder)


def _with_config(network: ColorNet, **changes: float) -> ColorNet:
    changed = ColorNet(replace(network.config, **changes))
    changed.load_state_dict(network.state_dict())
    return changed.eval()
