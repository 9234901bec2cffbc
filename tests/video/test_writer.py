"""Pieces of a film: whole ones are found again, frame by frame and tick by tick."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from colorize_hub.video import writer as clip_writer
from colorize_hub.video.reader import ClipFacts
from colorize_hub.video.writer import SegmentWriter, find_segments, segment_packets

CLIP = ClipFacts(Path("old.mkv"), Fraction(1, 90_000), Fraction(25), 10, None, 33, 47, Fraction(1))
TIMES = [-7, 13, 3600, 3601, 7200, 100_000, 100_003, 200_000, 300_000, 300_001]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Ten frames in pieces of four."""
    monkeypatch.setattr(clip_writer, "SEGMENT_FRAMES", 4)
    writer = SegmentWriter(tmp_path, CLIP)
    for time in TIMES:
        writer.write(np.full((33, 47, 3), 90, np.uint8), time, 3600)
    writer.close()
    return tmp_path


def test_pieces_are_found_in_order_with_exact_times(folder):
    segments = find_segments(folder)
    assert [(one.first, one.frames, one.time) for one in segments] == [
        (0, 4, -7),
        (4, 4, 7200),
        (8, 2, 300_000),
    ]
    packets = list(segment_packets(segments, CLIP))
    assert [packet.pts for packet in packets] == TIMES
    assert {packet.time_base for packet in packets} == {CLIP.time_base}
    assert packets[-1].duration == 3600


def test_what_comes_after_a_lost_or_broken_piece_goes_too(folder):
    first, second, _ = find_segments(folder)
    second.path.write_bytes(second.path.read_bytes()[:50])
    (folder / "unfinished.mp4").write_bytes(b"half")
    assert find_segments(folder) == [first]
    assert [path.name for path in folder.iterdir()] == [first.path.name]


def test_writing_goes_on_where_the_pieces_end(folder):
    writer = SegmentWriter(folder, CLIP, first=10)
    writer.write(np.full((33, 47, 3), 90, np.uint8), 400_000, 3600)
    writer.close()
    segments = find_segments(folder)
    assert [one.first for one in segments] == [0, 4, 8, 10]
    assert [packet.pts for packet in segment_packets(segments, CLIP)] == [*TIMES, 400_000]
