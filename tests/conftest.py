"""Shared by all tests: a fixed seed, a small network, and no connection to the Hub."""

import json
import os
from dataclasses import replace
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; read by torch

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.hub.sources import CONFIG, WEIGHTS
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import BUNDLED
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.video import colorize_video
from tests.video.clips import read_clip


def pytest_ignore_collect(collection_path, config):
    """Leave tests of a browser unread, and Playwright with them, where they are not run."""
    unwanted = "not browser" in config.option.markexpr
    return True if unwanted and collection_path == Path(__file__).parent / "browser" else None


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def own_datasets_cache(tmp_path_factory):
    """Keeps what `datasets` prepares out of the user's own cache."""
    from datasets import config

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield


@pytest.fixture(scope="session")
def tiny_config():
    return ColorizerConfig(
        encoder="mobilenetv3_small_050", decoder_channels=(16, 16, 8, 8), size=64, overview=32
    )


@pytest.fixture(scope="session")
def tiny_network(tiny_config, lively):
    """Random weights, but every layer counts, and the answer differs from place to place."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return lively(ColorNet(tiny_config))


@pytest.fixture(scope="session")
def trained_network(tiny_network):
    """The network that comes with the package; the tiny one where there is none."""
    if not (BUNDLED / WEIGHTS).is_file():
        return tiny_network
    network = ColorNet(ColorizerConfig.from_dict(json.loads((BUNDLED / CONFIG).read_text())))
    network.load_state_dict(load_file(BUNDLED / WEIGHTS))
    return network.eval()


@pytest.fixture(scope="session")
def tiny_colorizer(tiny_network):
    return Colorizer(TorchEngine(tiny_network, device="cpu", dtype=torch.float32))


@pytest.fixture(scope="session")
def single_look_colorizer(tiny_network):
    """As tiny_colorizer, but seeing pictures once: random weights say nothing of a whole."""
    network = ColorNet(replace(tiny_network.config, overview=0))
    network.load_state_dict(tiny_network.state_dict())
    return Colorizer(TorchEngine(network.eval(), device="cpu", dtype=torch.float32))


@pytest.fixture
def colour_film(tiny_colorizer, tmp_path):
    """Colours a film small and quickly; gives the report and what the new file holds."""

    def run(source, smoothing=0, **options):
        target = tmp_path / f"{source.name}.color.mp4"
        report = colorize_video(
            tiny_colorizer, source, target, smoothing=smoothing, size=32, **options
        )
        assert report.target == target
        assert not target.with_name(target.name + ".part").exists()
        return report, read_clip(target)

    return run


@pytest.fixture(scope="session")
def lively():
    """Gives a new network BatchNorm statistics and weights like those of a trained one."""
    return _enliven


def _enliven(network):
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    smooth = nn.functional.interpolate(torch.rand(8, 1, 5, 5), size=(64, 64), mode="bicubic")
    pictures = torch.cat((smooth, torch.rand(8, 1, 64, 64))) * 100
    with torch.no_grad():
        for norm in norms:
            norm.momentum = None  # take the statistics of one batch
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.2)
        for stage in network.stages:
            nn.init.kaiming_normal_(stage.refine[1].weight)
        network.train()(pictures)
        network.head.weight.mul_(2 / network.eval()(pictures).std())
    return network
