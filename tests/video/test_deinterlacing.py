"""Interlaced films: no combs, in either order of the fields; every frame at its time."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.filter import Graph

from colorize_hub.video.opening import open_film
from colorize_hub.video.reader import probe, read_frames

SAID = "It is interlaced; each frame was deinterlaced with FFmpeg's bwdif."
FIELDS = {"flags": "+ildct+ilme"}
CODECS = [
    ("mpeg2video", "mpg", "yuv420p", FIELDS),
    ("mpeg2video", "mkv", "yuv422p", FIELDS),
    ("libx264", "mp4", "yuv420p", FIELDS | {"crf": "5"}),
    ("ffv1", "mkv", "gray", {}),
    ("prores_ks", "mov", "yuv422p10le", FIELDS),
]


def bar(moment, height=64, width=96):
    """A white bar on grey that moves 4 pixels a field."""
    pixels = np.full((height, width), 60, np.uint8)
    pixels[:, 4 + 4 * moment : 16 + 4 * moment] = 200
    return pixels


def woven(count, order):
    """Frames of two fields each; the second is half a frame later."""
    frames = []
    for number in range(count):
        first, second = bar(2 * number), bar(2 * number + 1)
        frame = first.copy()
        later = slice(1, None, 2) if order == "tff" else slice(0, None, 2)
        frame[later] = second[later]
        frames.append(frame)
    return frames


def write(path, marked, codec="ffv1", pix_fmt="gray", options=None, times=None):
    """Write (frame, order) as a film, in milliseconds; the order is "tff", "bff" or "prog"."""
    base = Fraction(1, 1000)
    with av.open(str(path), "w") as film:
        video = film.add_stream(codec, rate=25, options=options or {})
        video.height, video.width = marked[0][0].shape
        video.pix_fmt = pix_fmt
        if times:
            video.codec_context.time_base = base
        for number, (pixels, order) in enumerate(marked):
            frame = av.VideoFrame.from_ndarray(pixels, format="gray").reformat(format=pix_fmt)
            frame.pts = times[number] if times else number
            frame.time_base = base if times else Fraction(1, 25)
            film.mux(video.encode(as_marked(frame, order)))
        film.mux(video.encode())
    return path


def as_marked(frame, order):
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(source, graph.add("setfield", order), graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def read(path):
    said = []
    return list(read_frames(probe(path), warn=said.append)), said


def decoded_times(path):
    with open_film(path) as film:
        return [frame.pts for frame in film.decode(film.streams.video[0])]


def combs(pixels):
    """How far rows lie from the mean of those above and below them, in levels."""
    pixels = pixels.astype(int)
    return np.abs(2 * pixels[1:-1] - pixels[:-2] - pixels[2:]).mean() / 2


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(("codec", "ending", "pix_fmt", "options"), CODECS)
def test_the_earlier_field_becomes_the_picture(tmp_path, order, codec, ending, pix_fmt, options):
    frames = woven(8, order)
    path = write(
        tmp_path / f"tv.{ending}", [(one, order) for one in frames], codec, pix_fmt, options
    )
    found, said = read(path)
    assert said == [SAID]
    assert [frame.time for frame in found] == decoded_times(path)
    for number, frame in enumerate(found):
        assert combs(frame.pixels) < combs(frames[number]) / 4
        earlier, later = (
            np.abs(frame.pixels.astype(int) - bar(moment)).mean()
            for moment in (2 * number, 2 * number + 1)
        )
        assert earlier < 2.5 < 5 < later


def test_frames_that_are_whole_pictures_stay_as_they_are(tmp_path):
    """Without a filter or between interlaced frames."""
    whole = [(bar(n), "prog") for n in range(6)]
    found, said = read(write(tmp_path / "film.mkv", whole))
    assert said == []
    assert all(np.array_equal(one.pixels, bar(n)) for n, one in enumerate(found))

    combed = woven(12, "tff")
    mixed = [(combed[n], "tff") if n in (4, 5, 8) else (bar(n), "prog") for n in range(12)]
    found, said = read(write(tmp_path / "mixed.mkv", mixed))
    assert said == [SAID]
    assert len(found) == 12
    for number, frame in enumerate(found):
        if number in (4, 5, 8):
            assert combs(frame.pixels) < 0.5
        else:
            assert np.array_equal(frame.pixels, bar(number))


def test_times_are_exact_however_uneven(tmp_path):
    times = [0, 40, 41, 120, 1000, 1007]
    path = write(tmp_path / "tv.mkv", [(one, "bff") for one in woven(6, "bff")], times=times)
    found, _ = read(path)
    assert [frame.time * probe(path).time_base * 1000 for frame in found] == times


def test_one_frame_is_enough(tmp_path):
    found, said = read(write(tmp_path / "tv.mkv", [(woven(1, "tff")[0], "tff")]))
    assert (len(found), said) == (1, [SAID])


def test_a_film_gone_on_with_has_the_same_frames(tmp_path):
    path = write(tmp_path / "tv.mkv", [(one, "tff") for one in woven(8, "tff")])
    clip = probe(path)
    whole, rest = list(read_frames(clip)), list(read_frames(clip, skip=3))
    for one, other in zip(whole[3:], rest, strict=True):
        assert one.time == other.time
        assert np.array_equal(one.pixels, other.pixels)


def test_frames_of_another_size_begin_anew(tmp_path):
    """A stream whose pictures change their size half-way, as broadcasts do."""
    path = tmp_path / "tv.ts"
    parts = []
    for name, height in (("a", 64), ("b", 48)):
        frames = [(one[:height], "tff") for one in woven(5, "tff")]
        part = write(tmp_path / f"{name}.ts", frames, "mpeg2video", "yuv420p", FIELDS)
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    found, said = read(path)
    assert said == [SAID]
    assert len(found) == len(decoded_times(path)) > 5
    assert {frame.pixels.shape for frame in found} == {(64, 96)}
    assert max(combs(frame.pixels) for frame in found) < 1


def test_a_film_is_coloured_without_its_combs_and_told_so(colour_film, tmp_path):
    frames = woven(6, "tff")
    path = write(
        tmp_path / "tv.mkv", [(one, "tff") for one in frames], "mpeg2video", "yuv420p", FIELDS
    )
    report, new = colour_film(path)
    assert report.warnings == (SAID,)
    assert len(new.frames) == 6
    assert max(map(combs, new.luma)) < 1
