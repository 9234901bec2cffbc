"""The card says what the facts say, to people and to the Hub, and keeps what people wrote."""

import re

import numpy as np
import pytest
from huggingface_hub import ModelCard
from PIL import Image

from colorize_hub.loading import save
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.publish.model_card import Provenance, render_model_card, renew_model_card
from colorize_hub.publish.results import read_results
from tests.publish.test_results import METRICS, MORE, cells

CONFIG = ColorizerConfig(vividness=0.37)
KID = {"kid": 0.01234, "kid_grey": 0.05, "kid_share": 0.2468}
COST = {"weights_mb": 22.127, "network_ms": 28.4, "cpu_threads": 2}
ALL = METRICS | KID | MORE | COST
PROVENANCE = Provenance(
    model_name="Colours: a test",
    repo_id="user/model",
    data=[("open photographs", 50_000, "CC BY 2.0"), ("a|b", 10, "CC0")],
    pictures_seen=490_000,
    training_hours=0.7,
    encoder_weights="ImageNet weights (Apache-2.0)",
    hub_datasets=["user/photographs"],
    hardware="two CPU cores",
    notes="The encoder was tuned late.",
)


def card(metrics=ALL, credit: str | None = "By A, CC BY 2.0.", plot=True, provenance=PROVENANCE):
    return render_model_card(CONFIG, metrics, provenance, samples_credit=credit, hint_plot=plot)


def test_the_front_matter_tells_the_hub_everything():
    data = ModelCard(card()).data
    assert data.library_name == "colorize-hub"
    assert data.pipeline_tag == "image-to-image"
    assert data.license == "apache-2.0"
    assert data.tags == ["image-colorization", "safetensors"]
    assert data.datasets == ["user/photographs"]
    assert data.model_name == "Colours: a test"
    assert {one.metric_type: one.metric_value for one in data.eval_results} == read_results(ALL)
    for result in data.eval_results:
        assert result.task_type == "image-to-image"
        assert result.dataset_type == "photos_256"
        count = 100 if result.metric_type.startswith("hint") else 490
        count = {"size_delta_e": 90, "skin_ciede2000": 40}.get(result.metric_type, count)
        assert result.dataset_name == "photos_256"
        assert result.dataset_config == f"{count} pictures at 256x256"


def test_the_front_matter_goes_through_the_hubs_own_parser_unchanged():
    text = card()
    parsed = ModelCard(text)
    assert str(parsed) == text
    assert ModelCard(str(parsed)).data.to_dict() == parsed.data.to_dict()


def test_the_evaluation_stands_beside_its_baselines():
    text = card()
    assert "On photos_256, 490 pictures at 256x256" in text
    assert "working size of\n192 pixels" in text
    assert cells(text, "PSNR (dB)") == ["22.34", "24.10", "", "490"]
    assert cells(text, "KID") == ["0.01234", "0.05000", "", "490"]
    assert "PSNR in dB on 100 of the pictures" in text
    assert cells(text, "No-learning floor") == ["24.00", "26.25"]
    assert "(hint_curve.png)" in text
    assert "22.1 MB" in text
    assert "28 ms" in text
    assert "float32,\n2 threads" in text


def test_what_was_not_measured_is_not_mentioned():
    text = card(METRICS, credit=None, plot=False)
    assert not re.search(r"\bKID \||type: kid|## Hints|## Size|## Samples", text)
    assert "![" not in text


def test_the_body_states_origin_and_limits():
    text = card()
    assert "| open photographs | 50,000 | CC BY 2.0 |" in text
    assert r"| a\|b | 10 | CC0 |" in text
    assert "| All | 50,010 |" in text
    assert "490,000 pictures seen in 0.7 hours on two CPU cores" in text
    assert "tf_efficientnet_lite0, started from ImageNet weights (Apache-2.0)" in text
    assert "vividness 0.37" in text
    assert "The encoder was tuned late." in text
    assert "plausible, not historical fact" in text
    assert "skin tones" in text
    assert "Rare objects" in text
    assert "By A, CC BY 2.0." in text
    assert not re.search(r"more information needed|\bnone\b|\bnan\b", text, re.IGNORECASE)


def test_a_card_without_metrics_is_refused():
    with pytest.raises(ValueError, match=r"the metrics, which are empty. Run train\.evaluate"):
        card({})
    with pytest.raises(ValueError, match="no metrics"):
        renew_model_card(card(), "---\nlicense: mit\n---\n# A model\n")


def test_training_data_must_be_named():
    with pytest.raises(ValueError, match=r"provenance\.data is empty"):
        card(provenance=Provenance("A", None, [], 1, 1, "w"))


def test_the_example_runs(tmp_path, monkeypatch, tiny_network):
    text = card(provenance=Provenance("A", None, [("x", 1, "CC0")], 1, 1, "w"))
    assert 'load("user/model")' in card()
    save(tiny_network, tmp_path, card=text)
    Image.fromarray(np.full((50, 70), 120, np.uint8)).save(tmp_path / "grey.jpg")
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(code, {})
    for name in ("colour.png", "red.png"):
        with Image.open(name) as image:
            assert image.size == (70, 50)


def test_a_card_made_again_is_the_same():
    assert renew_model_card(card(), card()) == card()


def test_a_hand_edited_card_keeps_all_but_the_facts():
    old = card()
    edited = (
        old.replace("license: apache-2.0\n", "license: apache-2.0\nlanguage: en\nco2: 3\n")
        .replace("- safetensors\n", "- safetensors\n- old-photos\n")
        .replace("# Colours: a test\n", "# My colours\n\nSee <https://example.org> {} \\1 first.\n")
        .replace("## Limits and biases", "## What it cannot do\n\n- Neon signs.")
        + "\nThanks to everyone.\n"
    )
    newer = card(ALL | {"psnr": 25.123, "hints_10_psnr": 28.0})
    renewed = renew_model_card(edited, newer)
    assert "# My colours\n\nSee <https://example.org> {} \\1 first." in renewed
    assert "- Neon signs." in renewed
    assert renewed.endswith("\nThanks to everyone.\n")
    assert cells(renewed, "PSNR (dB)")[0] == "25.12"
    assert cells(renewed, "This model")[-1] == "28.00"
    data = ModelCard(renewed).data
    assert (data.language, data.co2) == ("en", 3)
    assert data.tags == ["image-colorization", "safetensors", "old-photos"]
    values = {result.metric_type: result.metric_value for result in data.eval_results}
    assert values["psnr"] == 25.123
    assert "25.123" not in edited
    assert "22.344" not in renewed
    assert renew_model_card(renewed, newer) == renewed


def test_parts_come_and_go_with_their_facts():
    bare, whole = card(METRICS, credit=None, plot=False), card()
    grown = renew_model_card(bare, whole)
    assert grown.count("## Hints") == grown.count("## Samples") == grown.count("## Size") == 1
    assert grown.index("## Licence") < grown.index("## Hints")
    shrunk = renew_model_card(whole, bare)
    assert "## Hints" not in shrunk
    assert "hint_curve.png" not in shrunk


def test_a_card_from_elsewhere_keeps_its_text_and_gains_the_facts():
    renewed = renew_model_card("# Old friend\n\nMy own words.\n", card())
    assert renewed.index("My own words.") < renewed.index("## Evaluation")
    assert ModelCard(renewed).data.library_name == "colorize-hub"


def test_text_between_markers_is_replaced_even_if_edited():
    edited = card().replace("## Evaluation", "## Judged by me")
    assert "## Judged by me" not in renew_model_card(edited, card())


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("<!-- end of generated: hints -->\n", "'hints' is not whole"),
        ("<!-- end of generated: licence -->", "'licence' is not whole"),
    ],
)
def test_a_torn_part_is_named(cut, message):
    with pytest.raises(ValueError, match=message):
        renew_model_card(card().replace(cut, ""), card())


def test_a_begin_that_was_deleted_or_doubled_is_named():
    begin = next(line for line in card().splitlines() if "generated: cost" in line)
    with pytest.raises(ValueError, match="'cost' is not whole"):
        renew_model_card(card().replace(begin, ""), card())
    with pytest.raises(ValueError, match="not whole"):
        renew_model_card(card() + card().partition("---\n\n")[2], card())


def test_front_matter_that_is_no_mapping_is_named():
    for broken in ("---\n- a\n---\n# A\n", "---\na: [\n---\n# A\n"):
        with pytest.raises(ValueError, match="front matter cannot be read"):
            renew_model_card(broken, card())
