"""How found cuts are counted: one for each join, at most 2 frames away."""

import pytest

from bench.cuts import matched
from bench.joined import Join

CUT, FADE = Join("cut", 30, 30), Join("fade through black", 60, 80)


@pytest.mark.parametrize(
    ("cuts", "found"),
    [
        ([30, 70], [CUT, FADE]),
        ([28, 82], [CUT, FADE]),
        ([27, 83], []),
        ([29, 30, 31], [CUT]),  # the others are false
        ([60, 80], [FADE]),
        ([], []),
    ],
)
def test_a_cut_stands_for_one_join(cuts, found):
    assert matched(cuts, [CUT, FADE]) == found
