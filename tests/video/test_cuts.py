"""Shots: cuts, fades and dissolves are found, what only moves or flashes is none; any number."""

import sys
from array import array
from fractions import Fraction

import numpy as np
import pytest

from bench.joined import Join, join_pieces
from colorize_hub.video.cuts import FilmIndex, ShotFinder, find_shots, spread, time_code
from colorize_hub.video.opening import VideoError
from colorize_hub.video.reader import ClipFrame, probe, read_frames
from colorize_hub.video.shot_sheet import shot_sheet
from tests.scenes import scene
from tests.video.clips import moving_frames, write_clip


def textured(count, seed):
    """What differs from seed to seed as scenes of films do, drifting."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(20, 236, (9, 16)).repeat(16, 0).repeat(16, 1)
    return [np.roll(blocks, i // 4, 1)[:, :192].astype(np.uint8) for i in range(count)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return probe(write_clip(tmp_path_factory.mktemp("film") / "film.mp4", moving_frames(3)))


def cuts_of(clip, frames):
    finder = ShotFinder(clip)
    for number, pixels in enumerate(frames):
        finder.add(ClipFrame(pixels, number, 1))
    return list(finder.index().cuts)


def mixed(old, new, count):
    shares = np.linspace(0, 1, count + 2)[1:-1]
    return [(old * (1 - share) + new * share).astype(np.uint8) for share in shares]


def test_hard_cuts_are_found_to_the_frame(clip):
    assert cuts_of(clip, textured(30, 0) + textured(25, 1) + textured(20, 2)) == [30, 55]


def test_a_film_in_colour_is_cut_alike(clip):
    frames = [np.stack([one, one // 2, one // 3], 2) for one in textured(20, 0) + textured(20, 1)]
    assert cuts_of(clip, frames) == [20]


def test_a_fade_through_black_is_cut_in_the_black(clip):
    first, second, black = textured(30, 0), textured(30, 1), np.zeros((144, 192), np.uint8)
    frames = [*first, *mixed(first[-1], black, 10), *[black] * 6, *mixed(black, second[0], 10)]
    (cut,) = cuts_of(clip, frames + second)
    assert 40 <= cut <= 47


def test_a_dissolve_is_cut_in_its_middle(clip):
    first, second = textured(30, 0), textured(30, 1)
    (cut,) = cuts_of(clip, first + mixed(first[-1], second[0], 12) + second)
    assert abs(cut - 36) <= 3


def test_a_dissolve_at_the_very_end_is_found(clip):
    first, second = textured(30, 0), textured(1, 1)
    (cut,) = cuts_of(clip, first + mixed(first[-1], second[0], 14) + second)
    assert abs(cut - 37) <= 4


@pytest.mark.parametrize("step", [1, 6])
def test_what_only_moves_is_no_cut(clip, step):
    assert cuts_of(clip, moving_frames(60, 96, 128, step=step)) == []


def test_a_flash_and_flicker_are_no_cut(clip):
    frames = textured(60, 0)
    frames = [(one * (0.95 + 0.05 * (i % 2))).astype(np.uint8) for i, one in enumerate(frames)]
    assert cuts_of(clip, frames) == []


def test_joins_of_every_kind(clip):
    """As the measured set has them: each kind is found, hard cuts to the frame, and little else."""
    sources = [[one[:, :192] for one in textured(60, seed)] for seed in range(6)]
    film = join_pieces(sources, 12, worn=False, seed=0)
    cuts = cuts_of(clip, film.frames)
    found = [join for join in film.joins if any(join.first <= cut <= join.last for cut in cuts)]
    assert len(cuts) <= 12
    assert {join.kind for join in film.joins} == {join.kind for join in found}
    assert {join.first for join in film.joins if "cut" in join.kind} <= set(cuts)


def test_the_maker_knows_where_it_joined():
    flat = [[np.full((144, 192), level, np.uint8)] * 60 for level in (40, 200)]
    film = join_pieces(flat, 8, worn=False, seed=3)
    assert film.joins == join_pieces(flat, 8, worn=False, seed=3).joins
    levels = [int(np.median(one)) for one in film.frames]
    for join in film.joins:
        assert isinstance(join, Join)
        assert {levels[join.first - 1], levels[min(join.last, len(levels) - 1)]} <= {40, 200, 238}
        if join.kind == "cut":
            assert levels[join.first - 1] != levels[join.first]


# --- of a film ----------------------------------------------------------------------------------


@pytest.fixture
def film(tmp_path):
    """Three shots at a variable rate, the first a second long."""
    frames = textured(20, 0) + textured(15, 1) + textured(10, 2)
    times = np.cumsum([500] + [50] * 19 + [40] * 15 + [77] * 10).tolist()
    path = tmp_path / "film.mkv"
    return write_clip(path, frames, times=times, time_base=Fraction(1, 1000), rate=20)


def test_shots_know_their_frames_and_exact_times(film):
    calls = []
    index = find_shots(probe(film), lambda done, total: calls.append((done, total)))
    assert [(one.first, one.frames) for one in index.shots] == [(0, 20), (20, 15), (35, 10)]
    assert index.times == array("q", [frame.time for frame in read_frames(probe(film))])
    starts = [one.start for one in index.shots]
    assert starts == [0, Fraction(990, 1000), Fraction(1627, 1000)]
    assert [one.end for one in index.shots][:2] == starts[1:]
    assert [call[0] for call in calls] == list(range(1, 46))
    assert index.shot_of(19).first == 0
    assert index.shot_of(20).first == 20
    assert index.shot_of(44).first == 35
    assert index.shots[-1] == index.shots[2]


def test_a_film_without_a_cut_is_one_shot(tmp_path):
    index = find_shots(probe(write_clip(tmp_path / "one.mp4", moving_frames(30))))
    ((shot,),) = [list(index.shots)]
    assert (shot.first, shot.frames, shot.end) == (0, 30, Fraction(30, 25))


def test_a_film_of_one_frame_is_one_shot(tmp_path):
    index = find_shots(probe(write_clip(tmp_path / "one.mp4", moving_frames(1))))
    assert [(one.first, one.frames) for one in index.shots] == [(0, 1)]


def test_a_hundred_thousand_cuts_take_no_more_than_their_numbers(clip):
    cuts = array("q", range(5, 500_005, 5))
    index = FilmIndex(clip, array("q", range(500_005)), 500_005, cuts)
    assert len(index.shots) == 100_001
    assert index.shots[70_000].first == 350_000
    assert index.shot_of(350_003) == index.shots[70_000]
    assert [number for number, _ in spread(index.shots, 4)] == [1, 25_001, 50_001, 75_001]


def test_a_finder_holds_no_frames(clip):
    finder = ShotFinder(clip)
    held = []
    for number in range(200):
        finder.add(ClipFrame(scene(48, 64, seed=number), number, 1))
        held.append(sum(map(sys.getsizeof, finder._dissolves._small)))
    assert max(held) == held[50]


def test_without_pyscenedetect_it_is_said_what_to_install(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'colorize-hub\[video\]'"):
        find_shots(clip)


def test_what_cannot_be_decoded_is_said(tmp_path):
    clip = probe(write_clip(tmp_path / "film.mkv", moving_frames(10)))
    clip.path.write_bytes(clip.path.read_bytes()[:700])
    with pytest.raises(VideoError, match=r"film\.mkv"):
        find_shots(clip)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (Fraction(0), "00:00:00.000"),
        (Fraction(62_500, 1000), "00:01:02.500"),
        (Fraction(1001, 30_000), "00:00:00.033"),
        (Fraction(100 * 3600), "100:00:00.000"),
    ],
)
def test_time_codes(seconds, code):
    assert time_code(seconds) == code


def test_a_sheet_shows_a_frame_of_each_shot(film):
    index = find_shots(probe(film))
    whole, few = shot_sheet(index), shot_sheet(index, most=1)
    assert whole.width > 2 * few.width
    middles = [int(np.asarray(whole.convert("L"))[100, 12 + 252 * i + 120]) for i in range(3)]
    assert len(set(middles)) == 3
