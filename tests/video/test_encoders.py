"""The encoder of a film: the first that works, and the same one to its end."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from colorize_hub.video import VideoError, encoders
from colorize_hub.video import writer as clip_writer
from colorize_hub.video.encoders import ENCODERS, Encoder, working_encoder
from colorize_hub.video.writer import SegmentWriter, find_segments, segment_packets
from tests.video.clips import moving_frames, read_clip, write_clip
from tests.video.test_writer import CLIP

BASE = Fraction(1, 3600)
X264 = ENCODERS[-1]
# It opens nowhere: the options are not its own. It stands for a GPU that is not there.
BROKEN = Encoder("libx264", {"preset": "no such preset"})
OTHER = Encoder("mpeg4", {"g": "12"})  # stands for one in hardware


def write(folder, frames, first=0):
    writer = SegmentWriter(folder, replace(CLIP, time_base=BASE), first)
    for time in range(frames):
        writer.write(np.full((33, 47, 3), 90, np.uint8), (first + time) * 3600, 3600)
    writer.close()


def codecs(folder):
    import av

    names = []
    for segment in find_segments(folder):
        with av.open(str(segment.path)) as film:
            names.append(film.streams.video[0].codec_context.name)
    return names


def test_hardware_comes_first_and_x264_last():
    assert [one.name for one in ENCODERS] == ["h264_nvenc", "h264_videotoolbox", "libx264"]


def test_one_that_does_not_open_is_passed_over():
    missing = Encoder("h264_of_tomorrow", {})
    assert working_encoder(48, 64, BASE, encoders=[missing, BROKEN, OTHER, X264]) == OTHER
    assert working_encoder(48, 64, BASE, encoders=[BROKEN, X264]) == X264
    with pytest.raises(VideoError, match=r"No encoder of H\.264 takes a picture of 64 x 48"):
        working_encoder(48, 64, BASE, encoders=[missing, BROKEN])


def test_this_machine_has_one():
    assert working_encoder(34, 48, BASE) in ENCODERS


def test_a_film_whose_hardware_fails_is_written_all_the_same(
    tiny_colorizer, tmp_path, monkeypatch, colour_film
):
    monkeypatch.setattr(encoders, "ENCODERS", (BROKEN, X264))
    report, new = colour_film(write_clip(tmp_path / "old.mp4", moving_frames(3)))
    assert report.frames == len(new.frames) == 3


def test_a_film_goes_on_with_the_encoder_that_it_was_begun_with(tmp_path, monkeypatch):
    monkeypatch.setattr(clip_writer, "SEGMENT_FRAMES", 2)
    monkeypatch.setattr(encoders, "ENCODERS", (OTHER, X264))
    write(tmp_path, 2)
    monkeypatch.setattr(encoders, "ENCODERS", (X264, OTHER))
    write(tmp_path, 2, first=2)
    assert codecs(tmp_path) == ["mpeg4", "mpeg4"]
    assert len(list(segment_packets(find_segments(tmp_path), CLIP))) == 4
    monkeypatch.setattr(encoders, "ENCODERS", (X264,))
    with pytest.raises(VideoError, match="begun with the encoder mpeg4, which does not work here"):
        write(tmp_path, 2, first=4)
    assert read_clip(find_segments(tmp_path)[0].path).frames[0].shape == (34, 48, 3)
