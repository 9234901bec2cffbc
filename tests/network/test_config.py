"""config.json goes through ColorizerConfig unchanged; everything wrong in it has its message."""

import json
import math
from dataclasses import FrozenInstanceError

import pytest

from colorize_hub.network.config import ColorizerConfig, ConfigError

CUSTOM = {
    "encoder": "resnet18",
    "decoder_channels": [64, 48, 32, 16],
    "bin_step": 20,
    "size": 128,
    "overview": 64,
    "hint_attention": 48,
    "vividness": 0.25,
    "chroma_scale": 1.25,
    "strength": [0.5] * 17,
    "architecture": "ColorNet",
    "format_version": 6,
}


def test_round_trip_through_json():
    config = ColorizerConfig.from_dict(CUSTOM)
    assert config.decoder_channels == (64, 48, 32, 16)
    text = json.dumps(config.to_dict())
    assert json.loads(text) == CUSTOM
    assert ColorizerConfig.from_dict(json.loads(text)) == config


def test_what_is_not_said_is_default():
    assert ColorizerConfig.from_dict({}) == ColorizerConfig()
    assert ColorizerConfig.from_dict(ColorizerConfig().to_dict()) == ColorizerConfig()


def test_a_config_cannot_be_changed_and_can_be_a_key():
    config = ColorizerConfig()
    with pytest.raises(FrozenInstanceError):
        config.size = 128
    assert {config: 1}[ColorizerConfig()] == 1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("encoder", "", "encoder must be the name of a timm model"),
        ("encoder", None, "encoder must be the name of a timm model"),
        ("decoder_channels", 64, "decoder_channels must be a list of 4 integers"),
        ("decoder_channels", "abcd", "decoder_channels must be a list of 4 integers"),
        ("decoder_channels", [64, 32, 16], r"decoder_channels must be 4 integers 1\.\.4096"),
        (
            "decoder_channels",
            [64, 32, 16, 9999999],
            r"decoder_channels must be 4 integers 1\.\.4096",
        ),
        ("decoder_channels", [64, 32, 16, 0], r"decoder_channels must be 4 integers 1\.\.4096"),
        ("decoder_channels", [64, 32, 16, 8.0], r"decoder_channels must be 4 integers 1\.\.4096"),
        ("decoder_channels", [64, 32, 16, True], r"decoder_channels must be 4 integers 1\.\.4096"),
        ("bin_step", 1, r"bin_step must be an integer 2\.\.50, got 1\."),
        ("bin_step", 51, "bin_step must be"),
        ("bin_step", 10.0, "bin_step must be"),
        ("bin_step", "10", "bin_step must be"),
        ("size", 31, r"size must be an integer 32\.\.2048, got 31\."),
        ("size", 2049, "size must be"),
        ("size", True, "size must be"),
        ("overview", 100, r"overview must be a multiple of 32, 0\.\.2048, got 100\."),
        ("overview", -32, "overview must be"),
        ("overview", 2080, "overview must be"),
        ("overview", False, "overview must be"),
        ("hint_attention", 50, r"hint_attention must be a multiple of 6, 0\.\.4096, got 50\."),
        ("hint_attention", -6, "hint_attention must be"),
        ("hint_attention", 6000, "hint_attention must be"),
        ("hint_attention", True, "hint_attention must be"),
        ("vividness", -0.1, r"vividness must be a number 0\.\.1, got -0\.1\."),
        ("vividness", 1.1, "vividness must be"),
        ("vividness", math.nan, "vividness must be"),
        ("vividness", "0.4", "vividness must be"),
        ("vividness", None, "vividness must be"),
        ("vividness", True, "vividness must be"),
        ("chroma_scale", -1, r"chroma_scale must be a number 0\.\.4, got -1\."),
        ("chroma_scale", 4.1, "chroma_scale must be"),
        ("strength", [0.5] * 16, "strength must be a list of 17 numbers"),
        ("strength", [0.5] * 16 + [math.nan], "strength must be a list of 17 numbers"),
        ("strength", [0.5] * 16 + ["1"], "strength must be a list of 17 numbers"),
        ("strength", [0.5] * 16 + [1e9], r"numbers .* from -1000 to 1000, or empty"),
        ("strength", 0.5, "strength must be a list of 17 numbers"),
        ("chroma_scale", math.inf, "chroma_scale must be"),
        ("format_version", 7, r"format_version 7; this colorize_hub reads 1\.\.6\. Upgrade"),
        ("format_version", 0, "format_version 0;"),
        ("format_version", True, "format_version True;"),
        ("format_version", 2.0, r"format_version 2\.0;"),
        ("architecture", "UNet", "describes a network 'UNet'; this colorize_hub builds ColorNet"),
        ("format_version", None, "format_version None"),
    ],
)
def test_a_wrong_value_is_named(key, value, message):
    with pytest.raises(ConfigError, match=message):
        ColorizerConfig.from_dict(CUSTOM | {key: value})


def test_an_unknown_key_is_named_beside_the_known_ones():
    with pytest.raises(
        ConfigError, match=r"unknown key 'bins'; .* knows architecture, bin_step, chroma"
    ):
        ColorizerConfig.from_dict(CUSTOM | {"bins": 313})


def test_an_older_format_is_brought_up_to_date():
    older = {key: value for key, value in CUSTOM.items() if key != "architecture"}
    config = ColorizerConfig.from_dict(older | {"format_version": 1})
    assert config == ColorizerConfig.from_dict(CUSTOM)
    assert config.to_dict()["format_version"] == 6
    assert older.keys() == CUSTOM.keys() - {"architecture"}, "what came in is not changed"


def test_an_affinity_map_of_format_2_is_let_go_only_if_there_was_none():
    older = CUSTOM | {"format_version": 2, "affinity": 0}
    assert ColorizerConfig.from_dict(older) == ColorizerConfig.from_dict(CUSTOM)
    with pytest.raises(ConfigError, match="unknown key 'affinity'"):
        ColorizerConfig.from_dict(older | {"affinity": 16})


def test_a_model_of_format_3_goes_on_seeing_pictures_once():
    older = {key: value for key, value in CUSTOM.items() if key != "overview"}
    assert ColorizerConfig.from_dict(older | {"format_version": 3}).overview == 0
    assert ColorizerConfig.from_dict(older).overview == ColorizerConfig().overview


def test_a_model_of_format_4_spreads_hints_by_kriging_alone():
    older = {key: value for key, value in CUSTOM.items() if key != "hint_attention"}
    assert ColorizerConfig.from_dict(older | {"format_version": 4}).hint_attention == 0


def test_colours_of_a_model_of_format_5_are_as_strong_as_decoded():
    older = {key: value for key, value in CUSTOM.items() if key != "strength"}
    assert ColorizerConfig.from_dict(older | {"format_version": 5}).strength == ()


def test_a_huge_value_makes_no_huge_message():
    for change in ({"encoder": ["x"] * 10**5}, {"size": "9" * 10**5}, {"x" * 10**5: 1}):
        with pytest.raises(ConfigError) as caught:
            ColorizerConfig.from_dict(CUSTOM | change)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("values", [None, [], "config", 3])
def test_only_an_object_is_a_config(values):
    with pytest.raises(ConfigError, match="must hold an object, got"):
        ColorizerConfig.from_dict(values)


def test_config_errors_are_value_errors():
    assert issubclass(ConfigError, ValueError)
