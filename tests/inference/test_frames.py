"""colorize_frames: as colorize where nothing is remembered, steadier where something is."""

import sys
from itertools import cycle

import numpy as np
import pytest
import torch
from PIL import Image

from colorize_hub import Frame, Hint
from colorize_hub.colour.lab import rgb_to_lab
from tests.inference.moving import pan, texture
from tests.scenes import difference

SCENE, OTHER = pan(96, 128, 6, 3), pan(96, 128, 4, 3, seed=5)


def run(colorizer, frames, smoothing=0.8, look_ahead=0):
    return list(colorizer.colorize_frames(iter(frames), smoothing, look_ahead))


def equal(ones, others):
    return [bool((np.asarray(a) == np.asarray(b)).all()) for a, b in zip(ones, others, strict=True)]


def ab_at(rgb, x, y):
    pixel = torch.from_numpy(rgb[y, x] / 255).float()[:, None, None]
    return rgb_to_lab(pixel)[1:, 0, 0]


@pytest.fixture(scope="module")
def alone(tiny_colorizer):
    """Each frame of both scenes on its own."""
    return [tiny_colorizer.colorize(frame) for frame in (*SCENE, *OTHER)]


def test_without_smoothing_it_is_colorize(tiny_colorizer, alone):
    assert all(equal(run(tiny_colorizer, [*SCENE, *OTHER], 0), alone))
    assert all(equal(run(tiny_colorizer, [*SCENE, *OTHER], 0.0, look_ahead=3), alone))


def test_the_first_frame_and_the_first_after_a_cut_are_fresh(tiny_colorizer, alone):
    found = equal(run(tiny_colorizer, [*SCENE, *OTHER]), alone)
    assert [number for number, fresh in enumerate(found) if fresh] == [0, 6]


def test_looking_ahead_changes_the_first_frame_but_not_across_a_cut(tiny_colorizer, alone):
    both = run(tiny_colorizer, [*SCENE, *OTHER], look_ahead=4)
    assert not any(equal(both, alone))
    assert all(equal(both, run(tiny_colorizer, SCENE, 0.8, 4) + run(tiny_colorizer, OTHER, 0.8, 4)))
    assert run(tiny_colorizer, [], look_ahead=4) == []
    assert all(equal(run(tiny_colorizer, SCENE[:1], look_ahead=4), alone[:1]))


def test_a_flickering_prediction_comes_out_steadier(single_look_colorizer):
    """The same picture with fresh noise: what differs between neighbours is flicker."""
    random, still = np.random.default_rng(0), texture(96, 128).astype(float)
    noisy = [np.clip(still + random.normal(0, 12, still.shape), 0, 255).round() for _ in range(10)]
    noisy = [frame.astype(np.uint8) for frame in noisy]

    def flicker(smoothing, look_ahead):
        shown = np.stack(run(single_look_colorizer, noisy, smoothing, look_ahead)).astype(
            np.float32
        )
        rgb = torch.from_numpy(shown).movedim(-1, 1) / 255
        ab = rgb_to_lab(rgb)[4:, 1:]
        return float(ab.diff(dim=0).square().mean())

    without, with_memory, both_ways = flicker(0, 0), flicker(0.8, 0), flicker(0.8, 3)
    assert with_memory < 0.5 * without
    assert both_ways < 0.9 * with_memory


def test_frames_are_read_when_they_are_needed(tiny_colorizer):
    for look_ahead in (0, 2):
        read = []
        frames = (read.append(number) or frame for number, frame in enumerate(SCENE))
        results = tiny_colorizer.colorize_frames(frames, look_ahead=look_ahead)
        assert read == []
        for count in range(1, 4):
            next(results)
            assert len(read) == count + look_ahead


@pytest.mark.parametrize("smoothing", [0, 0.8])
def test_side_by_side_frames_come_out_as_one_by_one(tiny_colorizer, smoothing):
    frames = [*SCENE, Frame(OTHER[0], [Hint(60, 40, (150, 90, 90))]), *OTHER[1:]]
    alone = run(tiny_colorizer, frames, smoothing, 2)
    both = tiny_colorizer.colorize_frames(iter(frames), smoothing, 2, workers=2)
    assert all(difference(a, b).max() <= 2 for a, b in zip(alone, both, strict=True))


def test_what_comes_in_comes_out(tiny_colorizer, tmp_path):
    path = tmp_path / "frame.png"
    Image.fromarray(SCENE[0]).save(path)
    rgba = np.dstack([SCENE[0]] * 3 + [texture(96, 128, seed=2)])
    frames = [path, Image.fromarray(SCENE[0]), SCENE[0].astype(np.uint16) * 257, Frame(rgba)]
    for smoothing in (0, 0.8):
        a, b, c, d = run(tiny_colorizer, frames, smoothing)
        assert isinstance(a, Image.Image)
        assert isinstance(b, Image.Image)
        assert (c.dtype, c.shape) == (np.uint16, (96, 128, 3))
        np.testing.assert_array_equal(d[..., 3], rgba[..., 3])


@pytest.mark.parametrize("look_ahead", [0, 2])
def test_hints_come_and_go_with_the_frames(tiny_colorizer, look_ahead):
    red = Hint(60, 40, (150, 90, 90), radius=6)
    hints = [(), (), (red,), [red], (red,), ()]
    frames = [Frame(image, one) for image, one in zip(SCENE, hints, strict=True)]
    shown = run(tiny_colorizer, frames, look_ahead=look_ahead)
    hinted = [tiny_colorizer.colorize(image, [red]) for image in SCENE]
    for number in (2, 3, 4):
        assert difference(ab_at(shown[number], 62, 42), ab_at(hinted[number], 62, 42)).max() == 0
        near = np.s_[30:50, 50:70]
        assert difference(shown[number][near], hinted[number][near]).mean() < 6
    plain = run(tiny_colorizer, SCENE, look_ahead=look_ahead)
    assert difference(shown[5], plain[5]).mean() < 3


def test_vividness_and_size_may_change_from_frame_to_frame(tiny_colorizer):
    vivid = [None, None, 0.0, 0.0, None, None]
    sizes = [None, 64, 64, 96, 96, 64]
    frames = [Frame(SCENE[0], vividness=v, size=s) for v, s in zip(vivid, sizes, strict=True)]
    for look_ahead in (0, 2):
        shown = run(tiny_colorizer, frames, look_ahead=look_ahead)
        alone = [tiny_colorizer.colorize(f.image, (), f.vividness, f.size) for f in frames]
        spread = [[one.std(axis=2).mean() for one in many] for many in (shown, alone)]
        np.testing.assert_allclose(spread[0], spread[1], rtol=0.25)
    assert spread[0][2] < 0.5 * spread[0][1]


def test_frames_of_another_size_start_afresh(tiny_colorizer, alone):
    frames = [*SCENE[:3], texture(64, 96), *OTHER[:3]]
    for look_ahead in (0, 2):
        shown = run(tiny_colorizer, frames, look_ahead=look_ahead)
        assert [one.shape[:2] for one in shown] == [one.shape for one in frames]
        assert all(equal(shown[3:4], [tiny_colorizer.colorize(frames[3])]))
    assert all(equal(run(tiny_colorizer, frames)[4:5], alone[6:7]))


def test_what_is_wrong_is_refused_at_once(tiny_colorizer, monkeypatch):
    for smoothing in (-0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="smoothing must be 0"):
            tiny_colorizer.colorize_frames(SCENE, smoothing)
    for look_ahead in (-1, 2.5, True):
        with pytest.raises(ValueError, match="look_ahead must be a whole number"):
            tiny_colorizer.colorize_frames(SCENE, look_ahead=look_ahead)
    for workers in (0, 1.5, True):
        with pytest.raises(ValueError, match="workers must be a whole number"):
            tiny_colorizer.colorize_frames(SCENE, workers=workers)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ModuleNotFoundError, match="use smoothing=0"):
        tiny_colorizer.colorize_frames(SCENE)
    assert len(run(tiny_colorizer, SCENE[:2], 0)) == 2


def test_strength_does_not_flicker(monkeypatch, single_look_colorizer):
    """A still scene whose frames say 1.0 and 0.2 by turns."""
    turns = cycle((1.0, 0.2))
    monkeypatch.setattr(
        "colorize_hub.engines.engine.strength",
        lambda maps, _: torch.full_like(maps[:, :1, :1, :1], next(turns)),
    )

    def chroma(smoothing):
        shown = run(single_look_colorizer, [texture(96, 128)] * 8, smoothing)
        far = np.stack(shown)[:, 40:, 60:].astype(float)
        return np.ptp(far, axis=3).mean((1, 2))

    alone, steady = chroma(0), chroma(0.3)
    assert steady[0] == alone[0]
    assert np.abs(np.diff(alone)).min() > 0.4 * alone.max()
    assert np.abs(np.diff(steady))[3:].max() < 0.25 * np.abs(np.diff(alone)).max()
