"""Frames of a film as they should be seen and timed, whatever the file says or does not say."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from colorize_hub.video.reader import ClipFacts, measured, probe, read_frames
from colorize_hub.video.reader import _later as later
from tests.video.clips import moving_frames, write_clip


def test_a_film_tells_what_it_is(tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames(7), rate=Fraction(24000, 1001))
    clip = probe(source)
    assert clip == ClipFacts(
        path=source,
        time_base=clip.time_base,
        rate=Fraction(24000, 1001),
        frames=7,
        seconds=7 * Fraction(1001, 24000),
        height=48,
        width=64,
        aspect=Fraction(1),
    )


def test_grey_frames_come_as_they_are_and_coloured_ones_as_rgb(tmp_path):
    grey, colored = moving_frames(3), moving_frames(3, channels=3)
    for pix_fmt in ("gray", "yuv420p", "yuv422p10le", "bgr0"):
        source = write_clip(tmp_path / f"{pix_fmt}.mkv", grey, codec="ffv1", pix_fmt=pix_fmt)
        frames = list(read_frames(probe(source)))
        shape = (48, 64, 3) if pix_fmt == "bgr0" else (48, 64)
        for frame, expected in zip(frames, grey, strict=True):
            assert frame.pixels.shape == shape
            expected = expected if frame.pixels.ndim == 2 else expected[..., None]
            apart = frame.pixels.astype(int) - expected
            assert np.abs(apart).max() <= 2  # 219 levels for 256
            assert abs(apart.mean()) < 0.6
    source = write_clip(tmp_path / "film.mkv", colored, codec="ffv1", pix_fmt="yuv444p")
    for frame, expected in zip(read_frames(probe(source)), colored, strict=True):
        assert np.abs(frame.pixels.astype(int) - expected).mean() < 2


def test_a_film_in_a_mirror_is_turned_about(tmp_path):
    (grey,) = moving_frames(1)
    source = tmp_path / "selfie.mp4"
    with av.open(str(source), "w") as film:
        video = film.add_stream("libx264", rate=25, options={"crf": "1"})
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        video.set_display_rotation(0, hflip=True)
        film.mux(video.encode(av.VideoFrame.from_ndarray(grey, format="gray")))
        film.mux(video.encode(None))
    (frame,) = read_frames(probe(source))
    assert np.abs(frame.pixels.astype(int) - grey[:, ::-1]).mean() < 2


def test_skipped_frames_are_counted_not_sought(tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames())
    clip = probe(source)
    whole, rest = list(read_frames(clip)), list(read_frames(clip, skip=5))
    assert [frame.time for frame in rest] == [frame.time for frame in whole][5:]
    assert np.array_equal(rest[0].pixels, whole[5].pixels)


def test_a_cover_is_not_a_film(tmp_path):
    """Music in MP4 holds its cover as a picture track."""
    source = tmp_path / "song.mp4"
    with av.open(str(source), "w") as film:
        streams = [film.add_stream(codec, rate=25) for codec in ("mjpeg", "libx264")]
        for stream, side in zip(streams, (64, 32), strict=True):
            stream.height = stream.width = side
        streams[0].pix_fmt, streams[1].pix_fmt = "yuvj420p", "yuv420p"
        streams[0].disposition = av.stream.Disposition.attached_pic
        for stream, side in zip(streams, (64, 32), strict=True):
            black = av.VideoFrame.from_ndarray(np.zeros((side, side), np.uint8), format="gray")
            film.mux(stream.encode(black))
            film.mux(stream.encode(None))
    with av.open(str(source)) as film:
        assert any(one.disposition & av.stream.Disposition.attached_pic for one in film.streams)
    assert probe(source).height == 32


@pytest.mark.parametrize(
    ("time", "last", "expected"),
    [
        (None, None, 0),  # nothing known
        (7, None, 7),
        (None, 100, 140),  # no time: one frame later
        (140, 100, 140),
        (100, 100, 101),  # twice the same time
        (60, 100, 101),  # out of order
        (0, 90_000, 90_040),  # the clock began anew
    ],
)
def test_times_always_rise(time, last, expected):
    assert later(time, last, length=40, second=1000) == expected


RAMP = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
LOSSLESS_HEVC = {"x265-params": "lossless=1:log-level=none"}
LIMITED, FULL = 1, 2
GREYS = ("gray", "gray10le", "gray16le")


def write_grey(path, codec, pix_fmt, color_range, options):
    """A ramp from black to white in the levels that the range has; `color_range` None is unsaid."""
    levels = np.rint(16 + RAMP / 255 * 219) if color_range == LIMITED else RAMP
    wide = 2 if "10" in pix_fmt else 8 if "16" in pix_fmt else 0
    pixels = levels.astype(np.uint16 if wide else np.uint8) << wide
    with av.open(str(path), "w") as film:
        video = film.add_stream(codec, rate=25, options=options)
        video.height, video.width = RAMP.shape
        video.pix_fmt = pix_fmt
        frame = av.VideoFrame.from_ndarray(pixels, format=pix_fmt)
        if color_range:
            video.codec_context.color_range = frame.color_range = color_range
        film.mux(video.encode(frame))
        film.mux(video.encode(None))
    return path


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "color_range", "options"),
    [
        *(("ffv1", kind, said, {}) for kind in ("gray", "gray10le") for said in (None, 1, 2)),
        *(("ffv1", "gray16le", said, {}) for said in (None, 1, 2)),
        *(
            ("libx265", kind, said, LOSSLESS_HEVC)
            for kind in ("gray", "gray10le")
            for said in (1, 2)
        ),
    ],
)
def test_grey_has_the_range_that_it_says(tmp_path, codec, pix_fmt, color_range, options):
    source = write_grey(tmp_path / "old.mkv", codec, pix_fmt, color_range, options)
    (frame,) = read_frames(probe(source))
    assert np.abs(frame.pixels.astype(int) - RAMP).max() <= 2


@pytest.mark.parametrize("said", ["limited", "full"])
def test_monochrome_av1_has_the_range_that_it_says(tmp_path, said):
    """PyAV encodes no monochrome AV1; Pillow does, and an AVIF is an MP4 of one frame of it."""
    options = {"subsampling": "4:0:0", "range": said, "quality": 100}
    Image.fromarray(RAMP).convert("RGB").save(tmp_path / "old.avif", **options)
    with av.open(str(tmp_path / "old.avif")) as film:
        assert next(film.decode(video=0)).format.name == "gray"
    (frame,) = read_frames(probe(tmp_path / "old.avif"))
    assert np.abs(frame.pixels.astype(int) - RAMP).max() <= 2


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("live.webm", {"codec": "libvpx", "container_options": {"live": "1"}}),
        (
            "parts.mp4",
            {"container_options": {"movflags": "frag_keyframe+empty_moov"}, "options": {"g": "5"}},
        ),
        ("whole.mp4", {}),
        ("bare.h264", {}),
        ("tv.ts", {"codec": "mpeg2video"}),
    ],
)
def test_what_a_film_does_not_say_is_measured(tmp_path, name, options):
    """As browsers record: a WebM without a duration, an MP4 in fragments."""
    source = write_clip(tmp_path / name, moving_frames(50, 32, 32, step=1), **options)
    clip = probe(source)
    if name == "live.webm":
        assert (clip.seconds, clip.frames) == (None, None)
    found = measured(clip)
    assert found == replace(clip, frames=50, seconds=found.seconds)
    assert found.seconds == pytest.approx(2, abs=0.05)


def test_of_a_film_cut_off_what_is_there_is_measured(tmp_path):
    source = write_clip(tmp_path / "old.mkv", moving_frames(50), codec="ffv1")
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    found = measured(probe(source))
    assert 20 <= found.frames <= 30
    assert 0.8 <= found.seconds <= 1.2
