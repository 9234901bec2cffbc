"""`python -m train.evaluate --video` from end to end, with a tiny network."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from colorize_hub.colour.palette import palette
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import save
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from tests.train.judging.test_films import write_clip
from tests.train.training_fixtures import picture
from train import evaluate as evaluation_command
from train.judging.films import moving_still
from train.judging.flicker import cdc, warping_error
from train.judging.metrics import colorfulness
from train.judging.pictures import to_batch, to_grey
from train.judging.steadiness import Steadiness, judge_cuts, judge_film, open_films

VERSIONS = ["true", "grey", "frame_by_frame", "steady", "look_ahead"]
CONFIG = ColorizerConfig(encoder="lcnet_035", decoder_channels=(8, 8, 8, 8), size=64)


@pytest.fixture(scope="module")
def network():
    """Random, and not sure of one colour."""
    torch.manual_seed(0)
    network = ColorNet(CONFIG).eval()
    centres = palette(CONFIG.bin_step).tolist()
    with torch.no_grad():
        for a, b in ([20, 30], [-20, 10], [0, -30]):
            network.head.bias[centres.index([a, b])] = 8.0
    return network


@pytest.mark.slow
def test_command_writes_and_prints_every_version(monkeypatch, capsys, tmp_path, network):
    model = save(network, tmp_path / "model")
    clips, stills = tmp_path / "clips", tmp_path / "stills"
    clips.mkdir()
    stills.mkdir()
    wide = np.asarray(picture(1, 64, 96))
    write_clip(clips / "pan.mp4", [wide[:, 2 * t : 2 * t + 64] for t in range(8)])
    (clips / "notes.txt").write_text("no clip")
    for seed in range(2):
        picture(seed, 256, 256).save(stills / f"{seed}.png")
    flags = ["--model", model, "--data", stills, "--video", clips, "--output", tmp_path / "out"]
    flags += ["--video-frames", 6, "--look-ahead", 2]
    monkeypatch.setattr(sys, "argv", ["command", *map(str, flags)])
    evaluation_command.main()
    found = json.loads((tmp_path / "out" / "video.json").read_text())
    assert {name: found[name] for name in ("size", "smoothing", "look_ahead")} == {
        "size": 64,
        "smoothing": 0.8,
        "look_ahead": 2,
    }
    assert (found["clips"]["films"], found["clips"]["frames"], found["clips"]["cuts"]) == (1, 6, 0)
    assert (found["stills"]["films"], found["stills"]["frames"]) == (2, 32)
    assert found["stills"]["cuts"] == found["stills"]["cuts_fresh"] == 1
    assert list(found["clips"]["each"]) == ["pan.mp4"]
    each = found["stills"]["each"].values()
    for version in VERSIONS:
        mean = np.mean([judged[version]["warping_error"] for judged in each])
        assert found["stills"]["mean"][version]["warping_error"] == pytest.approx(mean, abs=1e-7)
    assert not (tmp_path / "out" / "metrics.json").exists()
    printed = capsys.readouterr().out
    assert "| frame by frame |" in printed
    assert "as fresh: 1 of 1" in printed


def test_scores_are_those_of_the_frames_a_user_gets(network):
    colorizer = Colorizer(TorchEngine(network))
    film = moving_still(np.asarray(picture(0, 128, 128)), 0, frames=5)
    scores = judge_film(colorizer, film, Steadiness(look_ahead=2))
    assert list(scores) == VERSIONS
    greys = [to_grey(frame) for frame in film.frames]
    frames = {
        "true": film.frames,
        "frame_by_frame": [colorizer.colorize(grey) for grey in greys],
        "steady": list(colorizer.colorize_frames(greys)),
        "look_ahead": list(colorizer.colorize_frames(greys, look_ahead=2)),
    }
    for version, shown in frames.items():
        rgb = to_batch(np.asarray(one) for one in shown)
        error = warping_error(rgb, film.flow, film.seen)
        assert scores[version]["warping_error"] == pytest.approx(error, abs=1e-7)
        assert scores[version]["cdc"] == pytest.approx(cdc(rgb), abs=1e-7)
        expected = float(colorfulness(rgb).mean())
        assert scores[version]["colorfulness"] == pytest.approx(expected, abs=1e-5)
    assert scores["grey"]["colorfulness"] == 0


def test_a_cut_that_is_not_fresh_is_counted(network):
    colorizer, rgb = Colorizer(TorchEngine(network)), np.asarray(picture(0, 128, 128))
    other = np.asarray(Image.fromarray(rgb).rotate(90))
    ends = [(rgb, [rgb, rgb]), (rgb, [rgb, rgb]), (other, [other])]
    assert judge_cuts(colorizer, ends, Steadiness())["cuts"] == 2
    noisy = np.clip(rgb + np.random.default_rng(0).integers(-9, 10, rgb.shape), 0, 255)
    same = [(rgb, [rgb, rgb]), (noisy.astype(np.uint8), [rgb])]
    assert judge_cuts(colorizer, same, Steadiness()) == {"cuts": 1, "cuts_fresh": 0}


def test_where_there_is_no_clip_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="--video expects a folder of clips"):
        open_films(tmp_path / "nowhere", [], 10)
    with pytest.raises(ValueError, match=r"holds no clip; expected files in \.avi"):
        open_films(tmp_path, [], 10)
