"""Where the model is unsure: the map and the places to begin."""

import numpy as np

from colorize_hub.demo.photo.places import unsure_places


def test_the_unsure_corner_is_strong_and_comes_first():
    confidence = np.full((60, 90), 0.8, np.float32)
    confidence[40:, 70:] = 0.2
    strength, places = unsure_places(confidence)
    assert strength.shape == (60, 90)
    assert strength[50, 80] > 0.5
    assert strength[:30, :60].max() == 0
    x, y = places[0]
    assert x >= 68
    assert y >= 38


def test_places_are_apart_and_inside():
    confidence = np.random.default_rng(0).random((200, 300), np.float32)
    _, places = unsure_places(confidence, count=4)
    assert len(places) == 4
    for i, (x, y) in enumerate(places):
        assert 0 <= x < 300
        assert 0 <= y < 200
        assert all(np.hypot(x - a, y - b) > 30 for a, b in places[:i])


def test_even_confidence_and_tiny_pictures_work():
    strength, places = unsure_places(np.full((1, 2), 0.5, np.float32))
    assert strength.max() == 0
    assert places
