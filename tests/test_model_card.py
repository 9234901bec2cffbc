"""The card says what the facts say, to people and to the Hub, and refuses where one is missing."""

import math
import re

import pytest
from huggingface_hub import ModelCard

from colorize_hub.config import ColorizerConfig
from colorize_hub.model_card import Provenance, render_model_card

CONFIG = ColorizerConfig(vividness=0.37)
METRICS: dict[str, float | int | str] = {
    "images": 490,
    "data": "photos_256",
    "size": 192,
    "psnr": 22.344,
    "psnr_grey": 24.1,
    "psnr_minus_grey": -1.756,
    "colorfulness": 40.24,
    "colorfulness_truth": 44.0,
    "delta_colorfulness": -3.76,
    "ciede2000": 10.2,
    "out_of_gamut": 0.0123,
}
KID = {"kid": 0.01234, "kid_grey": 0.05, "kid_ratio": 0.2468}
PROVENANCE = Provenance(
    model_name="Colours: a test",
    repo_id="user/model",
    data=[("open photographs", 50_000, "CC BY 2.0"), ("a|b", 10, "CC0")],
    pictures_seen=490_000,
    training_hours=0.7,
    encoder_weights="ImageNet weights (Apache-2.0)",
    hub_datasets=["user/photographs"],
)


def _row(card: str, label: str) -> list[str]:
    line = next(line for line in card.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_front_matter_tells_the_hub_everything() -> None:
    data = ModelCard(render_model_card(CONFIG, METRICS | KID, PROVENANCE)).data
    assert data.library_name == "colorize-hub"
    assert data.pipeline_tag == "image-to-image"
    assert data.license == "apache-2.0"
    assert data.tags == ["image-colorization", "safetensors"]
    assert data.datasets == ["user/photographs"]
    assert data.model_name == "Colours: a test"
    results = {result.metric_type: result.metric_value for result in data.eval_results}
    facts = ("images", "data", "size")
    assert results == {n: value for n, value in (METRICS | KID).items() if n not in facts}
    for result in data.eval_results:
        assert result.task_type == "image-to-image"
        assert result.dataset_type == "photos_256"
        assert result.dataset_name == "photos_256, 490 pictures at 256x256"


def test_the_table_puts_the_baseline_beside_the_model() -> None:
    card = render_model_card(CONFIG, METRICS | KID, PROVENANCE)
    assert "On photos_256, 490 pictures at 256x256" in card
    assert "working size of\n192 pixels" in card
    assert _row(card, "PSNR (dB)") == ["22.34", "24.10", ""]
    assert _row(card, "PSNR minus that of the grey picture (dB)")[0] == "-1.76"
    assert _row(card, "Colourfulness") == ["40.2", "", "44.0"]
    assert _row(card, "Colourfulness minus the truth's")[0] == "-3.8"
    assert _row(card, "Predicted outside sRGB, before fitting")[0] == "1.23%"
    assert _row(card, "KID") == ["0.01234", "0.05000", ""]


def test_kid_may_be_absent() -> None:
    card = render_model_card(CONFIG, METRICS, PROVENANCE)
    assert "| KID" not in card
    assert "type: kid" not in card


def test_the_body_states_origin_and_limits() -> None:
    card = render_model_card(CONFIG, METRICS, PROVENANCE)
    assert "| open photographs | 50,000 | CC BY 2.0 |" in card
    assert r"| a\|b | 10 | CC0 |" in card
    assert "490,000 pictures seen in 0.7 hours" in card
    assert "tf_efficientnet_lite0, started from ImageNet weights (Apache-2.0)" in card
    assert "vividness 0.37" in card
    assert "plausible, not historical fact" in card
    assert not re.search(r"more information needed|none|nan", card, re.IGNORECASE)


def test_a_model_without_a_repo_is_loaded_from_its_folder() -> None:
    card = render_model_card(CONFIG, METRICS, Provenance("A", None, [("x", 1, "CC0")], 1, 1, "w"))
    assert 'load(".")  # the folder of this file' in card
    assert 'load("user/model")' in render_model_card(CONFIG, METRICS, PROVENANCE)


@pytest.mark.parametrize("name", list(METRICS))
def test_a_missing_metric_is_named(name: str) -> None:
    metrics = {key: value for key, value in METRICS.items() if key != name}
    with pytest.raises(ValueError, match=f"needs metric '{name}'.*Run train.evaluate"):
        render_model_card(CONFIG, metrics, PROVENANCE)


@pytest.mark.parametrize("value", [math.nan, math.inf, "22.3", True])
def test_a_metric_that_is_no_number_is_named(value: float | str) -> None:
    with pytest.raises(ValueError, match="Metric 'psnr' must be a finite number, got"):
        render_model_card(CONFIG, METRICS | {"psnr": value}, PROVENANCE)


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(ValueError, match="no place for metric 'beauty'"):
        render_model_card(CONFIG, METRICS | {"beauty": 1.0}, PROVENANCE)


def test_training_data_must_be_named() -> None:
    with pytest.raises(ValueError, match=r"provenance\.data is empty"):
        render_model_card(CONFIG, METRICS, Provenance("A", None, [], 1, 1, "w"))
