"""Small models that may be published, and repos that hold them."""

import json
from pathlib import Path

import pytest

from colorize_hub.hub.sources import CARD, CONFIG, METRICS, WEIGHTS
from colorize_hub.loading import save, stamp_metrics
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.publish.model_card import Provenance, render_model_card
from tests.hub.repos import Blob, Repo
from tests.hub.server import HubServer

OLD, NEW = 0.25, 0.75  # the vividness that tells two models apart
Models = dict[float, Path]

_RESULTS = ("psnr", "psnr_grey", "psnr_minus_grey", "colorfulness", "colorfulness_truth")
_RESULTS += ("delta_colorfulness", "ciede2000", "out_of_gamut")


def publishable(folder: Path, vividness: float) -> Path:
    """A folder with a model, its metrics and its card, and a file that is no part of it."""
    config = ColorizerConfig(
        encoder="mobilenetv3_small_050",
        decoder_channels=(8, 8, 8, 8),
        bin_step=50,
        vividness=vividness,
    )
    metrics = {"images": 3, "data": "x", "size": 256} | dict.fromkeys(_RESULTS, 0.5)
    data = [("photographs", 3, "CC BY 2.0")]
    facts = Provenance("A model", None, data, 3, 0.1, "random weights")
    save(ColorNet(config), folder, card=render_model_card(config, metrics, facts))
    (folder / METRICS).write_text(json.dumps(metrics))
    stamp_metrics(folder)
    (folder / "notes.txt").write_text("not for the Hub")
    return folder


def blobs(folder: Path) -> dict[str, Blob]:
    """The files that `load` needs, and the card."""
    names = (CONFIG, WEIGHTS, CARD)
    return {name: Blob((folder / name).read_bytes(), lfs=name == WEIGHTS) for name in names}


def published(hub: HubServer, repo_id: str, folder: Path, *, private: bool = False) -> Repo:
    """A repo that holds a model."""
    repo = hub.create("models", repo_id, private=private)
    repo.commit("main", "model", blobs(folder))
    return repo


def same(fingerprint: list[float] | str) -> object:
    """Equal to a fingerprint, up to rounding."""
    return pytest.approx(fingerprint, abs=1e-3)
