"""Real films, written by the tests: what becomes of their pictures and times."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from colorize_hub.colour.lab import rgb_to_lab, rgb_to_lightness
from tests.video.clips import moving_frames, read_clip, sound_of, write_clip

LOSSLESS = {"codec": "ffv1"}


def lightness(pixels):
    """L* of (H, W) grey or (H, W, 3) RGB of uint8."""
    pixels = pixels[..., None].repeat(3, -1) if pixels.ndim == 2 else pixels
    return rgb_to_lightness(torch.from_numpy(pixels / np.float32(255)).movedim(-1, 0))[0]


def assert_lightness_is_kept(frames, sources):
    for frame, source in zip(frames, sources, strict=True):
        assert (lightness(frame) - lightness(source)).abs().mean() < 2


def chroma(pixels):
    ab = rgb_to_lab(torch.from_numpy(pixels / np.float32(255)).movedim(-1, 0))[1:]
    return float(ab.norm(dim=0).mean())


# --- the picture -----------------------------------------------------------------------------


def test_a_grey_film_comes_back_in_colour_and_plays_in_a_browser(colour_film, tmp_path):
    grey = moving_frames()
    source = write_clip(tmp_path / "old.mp4", grey)
    before = source.read_bytes()
    report, new = colour_film(source)
    assert (report.frames, report.new_frames, report.warnings) == (12, 12, ())
    assert (report.height, report.width) == (48, 64)
    assert source.read_bytes() == before
    assert (new.codecs, new.pix_fmt) == (["h264"], "yuv420p")
    written = report.target.read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")  # plays while it loads
    assert min(map(chroma, new.frames)) > 3
    assert_lightness_is_kept(new.frames, grey)
    assert new.times == read_clip(source).times


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mkv", {"codec": "ffv1", "sound": 0.5, "sound_codec": "flac"}),
        ("film.webm", {"codec": "libvpx-vp9", "sound": 0.5, "sound_codec": "libopus"}),
        ("film.avi", {"codec": "mpeg4", "sound": 0.5, "sound_codec": "pcm_s16le"}),
        ("film.mpg", {"codec": "mpeg1video", "sound": 0.5, "sound_codec": "mp2"}),
        ("ten_bit.mp4", {"pix_fmt": "yuv420p10le"}),
        ("ten_bit.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}),
        ("full_range.mp4", {"pix_fmt": "yuvj420p"}),
        ("grey.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
        ("rgb.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}),
        ("alpha.mkv", {"codec": "ffv1", "pix_fmt": "yuva420p"}),
    ],
)
def test_every_kind_of_film(colour_film, tmp_path, name, options):
    source = write_clip(tmp_path / name, moving_frames(6), **options)
    old = read_clip(source)
    _, new = colour_film(source)
    assert new.pix_fmt == "yuv420p"
    assert_lightness_is_kept(new.frames, old.frames)
    start = old.times[0] if name.endswith("mpg") else 0
    assert [time - new.times[0] for time in new.times] == [time - start for time in old.times]
    assert new.codecs == (["h264", new.codecs[1]] if "sound" in options else ["h264"])


def test_a_film_in_colour_keeps_what_one_sees_of_its_lightness(colour_film, tmp_path):
    colored = moving_frames(4, channels=3)
    source = write_clip(tmp_path / "film.mkv", colored, codec="ffv1", pix_fmt="yuv444p")
    for recolor in (False, True):
        _, new = colour_film(source, recolor=recolor, overwrite=recolor)
        assert_lightness_is_kept(new.frames, read_clip(source).frames)


def test_an_odd_size_repeats_its_last_row_and_column(colour_film, tmp_path):
    grey = moving_frames(3, 47, 63)
    report, new = colour_film(write_clip(tmp_path / "odd.mkv", grey, **LOSSLESS))
    assert (report.height, report.width) == (47, 63)
    padded = [np.pad(frame, ((0, 1), (0, 1)), "edge") for frame in grey]
    assert_lightness_is_kept(new.frames, padded)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_what_a_player_would_turn_is_turned(colour_film, tmp_path, degrees):
    grey = moving_frames(2)
    source = write_clip(tmp_path / "phone.mp4", grey, rotation=degrees, options={"crf": "5"})
    with av.open(str(source)) as film:
        assert next(film.decode(video=0)).rotation % 360 == degrees  # counter-clockwise
    report, new = colour_film(source)
    assert (report.height, report.width) == np.rot90(grey[0], degrees // 90).shape
    assert_lightness_is_kept(new.frames, [np.rot90(frame, degrees // 90) for frame in grey])
    with av.open(str(report.target)) as film:
        assert next(film.decode(video=0)).rotation == 0


def test_one_frame_is_a_film(colour_film, tmp_path):
    report, new = colour_film(write_clip(tmp_path / "one.mp4", moving_frames(1)))
    assert (report.frames, len(new.frames), new.seconds) == (1, 1, Fraction(1, 25))


def test_pixels_that_are_not_square_stay_so(colour_film, tmp_path):
    wide = {"aspect": Fraction(16, 11), **LOSSLESS}
    for rotation, aspect in ((0, Fraction(16, 11)), (90, Fraction(11, 16))):
        name = tmp_path / f"pal{rotation}.mp4"
        source = write_clip(
            name, moving_frames(2), **wide | {"codec": "libx264"}, rotation=rotation
        )
        report, _ = colour_film(source)
        with av.open(str(report.target)) as film:
            assert film.streams.video[0].sample_aspect_ratio == aspect


def test_steady_colour_can_be_switched_off(colour_film, tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames(8, step=5))
    _, steady = colour_film(source, smoothing=0.8)
    _, single = colour_film(source, overwrite=True)
    assert np.abs(np.subtract(steady.frames[-1], single.frames[-1], dtype=float)).mean() > 0.2


# --- times -----------------------------------------------------------------------------------


def test_a_variable_frame_rate_is_kept_exactly(colour_film, tmp_path):
    times = [0, 3, 20, 21, 90, 91, 92, 500, 505, 511, 1003, 1004]
    options = {"times": times, "time_base": Fraction(1, 1000), **LOSSLESS}
    _, new = colour_film(write_clip(tmp_path / "phone.mkv", moving_frames(), **options))
    assert new.times == [Fraction(time, 1000) for time in times]


def test_ntsc_times_are_exact(colour_film, tmp_path):
    rate = Fraction(30000, 1001)
    _, new = colour_film(write_clip(tmp_path / "tv.mp4", moving_frames(5), rate=rate))
    assert new.times == [i / rate for i in range(5)]
    assert new.seconds == 5 / rate


def test_a_film_that_begins_late_begins_at_once_with_sound_in_step(colour_film, tmp_path):
    source = write_clip(
        tmp_path / "tv.ts", moving_frames(25), codec="mpeg2video", sound=1.0, sound_codec="mp2"
    )
    old = read_clip(source)
    assert old.times[0] > 0
    _, sound_start = sound_of(source)
    report, new = colour_film(source)
    _, new_sound_start = sound_of(report.target)
    apart = (new.times[0] - new_sound_start) - (old.times[0] - sound_start)
    assert abs(apart) < Fraction(1, 1000)
    assert min(new.times[0], new_sound_start) == 0
