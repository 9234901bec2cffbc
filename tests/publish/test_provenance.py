"""provenance.json comes back as it was written, and what is wrong with it is named."""

import json

import pytest

from colorize_hub.publish.provenance import Provenance, read_provenance

FACTS = {
    "model_name": "Colours",
    "data": [{"name": "photographs", "pictures": 500, "licence": "CC BY 2.0"}],
    "pictures_seen": 1000,
    "training_hours": 2,
    "encoder_weights": "ImageNet weights (Apache-2.0)",
}


def test_what_may_be_left_out_has_a_value():
    provenance = Provenance.from_dict(FACTS)
    assert provenance.data == (("photographs", 500, "CC BY 2.0"),)
    assert provenance.repo_id is None
    assert provenance.license == "apache-2.0"
    assert list(provenance.hub_datasets) == []


def test_it_comes_back_as_it_was_written(tmp_path):
    whole = FACTS | {
        "repo_id": "user/model",
        "hub_datasets": ["user/photographs"],
        "hardware": "a laptop",
        "notes": "Été.",
        "license": "mit",
    }
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert read_provenance(path).to_dict() == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": "mit"}, "unknown name 'licence'; it holds .*license"),
        ({"pictures_seen": "many"}, "pictures_seen must be a whole number, got 'many'"),
        ({"pictures_seen": True}, "pictures_seen must be a whole number"),
        ({"training_hours": None}, "training_hours must be a number"),
        ({"data": {"photographs": 5}}, "data must be a list of rows"),
        ({"data": [["photographs", 5, "CC0"]]}, "a row of data holds name, pictures, licence"),
        ({"data": [FACTS["data"][0] | {"pictures": 1.5}]}, "must be a whole number, got 1.5"),
        ({"repo_id": 3}, "repo_id must be text or null"),
        ({"hub_datasets": "user/photographs"}, "hub_datasets must be a list"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps(FACTS | change))
    with pytest.raises(ValueError, match=rf"provenance\.json.*{message}"):
        read_provenance(path)


@pytest.mark.parametrize("name", list(FACTS))
def test_what_is_missing_is_named(name):
    with pytest.raises(ValueError, match=f"lacks '{name}'"):
        Provenance.from_dict({key: value for key, value in FACTS.items() if key != name})


def test_a_file_that_is_not_json_is_named(tmp_path):
    path = tmp_path / "facts.json"
    path.write_text("model_name: Colours")
    with pytest.raises(ValueError, match=r"facts\.json cannot be used"):
        read_provenance(path)
    with pytest.raises(FileNotFoundError):
        read_provenance(tmp_path / "none.json")
