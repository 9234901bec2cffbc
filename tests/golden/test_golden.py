"""The bundled model's colours are pinned: a refactor cannot change them unseen."""

from itertools import combinations

import numpy as np
import pytest

from colorize_hub.loading import BUNDLED
from tests.golden.pins import (
    FOLDER,
    HINTED,
    NAMES,
    PINS,
    RENEW,
    TOLERANCE,
    VARIED,
    coloured,
    compare,
    expected,
)


def test_the_model_is_bundled():
    assert (BUNDLED / "model.safetensors").is_file()


@pytest.mark.parametrize("pin", PINS)
def test_the_bundled_model_gives_the_pinned_colours(pin, trained_network, tmp_path):
    trouble = compare(pin, coloured(trained_network, pin), expected(pin), tmp_path)
    assert not trouble, trouble


@pytest.mark.parametrize("name", NAMES)
def test_the_pins_are_small_and_in_colour(name):
    pinned = expected(f"{name}.colour")
    assert max(pinned.shape) <= 128
    assert np.ptp(pinned, axis=2).max() > 20
    assert sum(path.stat().st_size for path in FOLDER.glob(f"{name}.*.png")) < 100_000


def test_the_pins_differ():
    """A hint that is not followed, and takes that are all the first, would be pinned in vain."""
    pins = [f"{HINTED}.colour", f"{HINTED}.hinted"]
    takes = [f"{VARIED}.{kind}" for kind in ("colour", "take-1", "take-2")]
    for one, other in (pins, *combinations(takes, 2)):
        assert np.abs(expected(one).astype(int) - expected(other)).mean() > 2


def test_a_change_is_told_and_can_be_looked_at(tmp_path):
    wanted = np.full((4, 4, 3), 100, np.uint8)
    assert compare("flat", wanted + TOLERANCE, wanted, tmp_path) == ""
    assert not list(tmp_path.iterdir())
    changed = wanted.copy()
    changed[0, 0] += 40
    trouble = compare("flat", changed, wanted, tmp_path)
    assert "up to 40 levels" in trouble
    assert "25+ levels 6.25%" in trouble
    assert RENEW in trouble
    assert len(list(tmp_path.glob("flat.*.png"))) == 3
    assert "expected shape" in compare("flat", wanted[:2], wanted, tmp_path)
