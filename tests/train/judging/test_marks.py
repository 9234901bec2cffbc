"""Films to mark: their motion is known, and what marks do to them is scored by it."""

import numpy as np
import pytest
import torch

from tests.inference.moving import texture
from train.judging.flicker import warp
from train.judging.marked_films import passing_thing, turning_still
from train.judging.marks import OUTSIDE, judge_marks, marks_table, worst_places
from train.judging.pictures import to_batch, to_grey
from train.judging.steadiness import Steadiness

HOW = Steadiness(size=64, look_ahead=2)


def painted(seed=0, side=256):
    """A textured picture, red on the left and blue on the right."""
    level = texture(side, side, seed)[..., None] / 255
    left = (np.arange(side) < side // 2)[None, :, None]
    tint = np.where(left, (220, 70, 60), (60, 90, 220))
    return (tint * (0.3 + 0.6 * level)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=["still", "scene"])
def marked(request):
    if request.param == "still":
        return turning_still(painted(), 1, 7)
    return passing_thing(painted(3), painted(5), 1, 7)


def test_the_flow_leads_to_what_the_next_frame_shows(marked):
    film = marked.film
    assert len(film.frames) == 7
    assert film.flow.shape == (6, 2, 224, 224)
    for one, following, flow, seen in zip(
        film.frames, film.frames[1:], film.flow, film.seen, strict=False
    ):
        moved = warp(to_batch([following])[0].float(), flow)
        apart = (moved - to_batch([one])[0]).abs().mean(0)
        assert seen.float().mean() > 0.7
        assert float(apart[seen].mean()) < 3


def test_whereabouts_follow_the_flow(marked):
    assert marked.whereabouts is not None
    flow, at = marked.film.flow, marked.marked
    place = (30.0, 200.0)
    x, y = place
    assert marked.whereabouts(place, at) == pytest.approx(place)
    step = flow[at][:, int(y), int(x)]
    expected = torch.tensor(place) + step
    assert marked.whereabouts(place, at + 1) == pytest.approx(expected.tolist(), abs=0.3)


def test_a_place_that_the_thing_covers_or_that_leaves_is_hidden():
    marked = passing_thing(painted(3), painted(5), 1, 7)
    assert marked.whereabouts is not None
    assert marked.things is not None
    covered = ~marked.things[0] & marked.things[-1]
    y, x = (int(one.mean()) for one in np.nonzero(covered & np.roll(covered, 30, 1)))
    shown = [marked.whereabouts((x + 0.5, y + 0.5), frame) is not None for frame in (0, 6)]
    assert shown[0]
    assert marked.whereabouts((1.0, 1.0), 0) is None
    assert marked.things.sum((1, 2)).std() == 0


def test_marks_are_set_where_a_frame_is_most_wrong(tiny_colorizer):
    truth = painted()
    hints = worst_places(tiny_colorizer, to_grey(truth), truth, 2, HOW)
    for hint in hints:
        red, _, blue = hint.rgb
        assert (red > blue) == (hint.x < 128)
    within = np.zeros(truth.shape[:2], bool)
    within[60:200, 60:120] = True
    (inside,) = worst_places(tiny_colorizer, to_grey(truth), truth, 1, HOW, within)
    assert 60 + OUTSIDE <= inside.x < 120 - OUTSIDE


def test_true_marks_and_keyframes_bring_a_film_nearer_to_the_truth(tiny_colorizer, marked):
    found = judge_marks(tiny_colorizer, marked, 3, HOW)
    assert found["ciede2000_marks"] < found["ciede2000_none"]
    assert found["ciede2000_keyframe"] < found["ciede2000_none"]
    assert found["places"] > 10
    assert 0 <= found["silent"] < 1
    assert ("strays" in found) == (marked.things is not None)


def test_the_table_has_a_row_for_each_kind():
    mean = {
        **{f"ciede2000_{one}": 10.0 for one in ("none", "marks", "keyframe")},
        **{f"ciede2000_ends_{one}": 8.0 for one in ("none", "marks")},
        **{f"warping_error_{one}": 1e-4 for one in ("none", "marks")},
    }
    table = marks_table({"clips": {"films": 3, "mean": mean | {"ciede2000_marks": 7.5}}})
    assert table.splitlines()[-1].startswith("| 3 clips | 10.0 | 7.5 (-25%) | 10.0 (+0%) | 8.0 |")
