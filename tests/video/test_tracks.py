"""What stands beside the picture of a film: sound, subtitles, chapters and metadata are kept."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.video.clips import moving_frames, packets_of, sound_of, write_clip

LOSSLESS = {"codec": "ffv1"}


def test_sound_that_browsers_play_is_copied_byte_by_byte(colour_film, tmp_path):
    source = write_clip(tmp_path / "talkie.mp4", moving_frames(), sound=0.5)
    report, new = colour_film(source)
    assert new.codecs == ["h264", "aac"]
    assert packets_of(report.target, "audio") == packets_of(source, "audio")


def test_other_sound_becomes_aac(colour_film, tmp_path):
    options = {"sound": 1.0, "sound_codec": "ac3", **LOSSLESS}
    source = write_clip(tmp_path / "dvd.mkv", moving_frames(25), **options)
    report, new = colour_film(source)
    assert new.codecs == ["h264", "aac"]
    samples, _ = sound_of(report.target)
    assert abs(len(samples) / 48000 - 1) < 0.05
    spectrum = np.abs(np.fft.rfft(samples[10_000:34_000]))
    assert abs(np.argmax(spectrum) * 2 - 440) < 4  # the tone


def test_sound_longer_than_the_picture_is_kept_whole(colour_film, tmp_path):
    source = write_clip(tmp_path / "credits.mp4", moving_frames(5), sound=2.0)
    report, new = colour_film(source)
    assert new.seconds == Fraction(1, 5)
    assert packets_of(report.target, "audio") == packets_of(source, "audio")
    assert report.warnings == ()


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "mov_text"), ("mkv", "subrip")])
def test_subtitles_are_kept(colour_film, tmp_path, suffix, codec):
    lines = [(0, 200, "Rosebud"), (300, 460, "Snow globe")]
    source = write_clip(
        tmp_path / f"kane.{suffix}", moving_frames(), subtitles=lines, subtitle_codec=codec
    )
    report, new = colour_film(source)
    assert new.codecs == ["h264", "mov_text"]
    with av.open(str(report.target)) as film:
        texts = film.streams.subtitles[0]
        shown = [
            (int(packet.pts * packet.time_base * 1000), packet.decode()[0].dialogue.decode())
            for packet in film.demux(texts)
            if packet.size > 2  # the pauses between them are packets too
        ]
    assert shown == [(0, "Rosebud"), (300, "Snow globe")]


def test_metadata_and_chapters_are_kept(colour_film, tmp_path):
    source = tmp_path / "kane.mkv"
    facts = {"title": "Citizen Kane", "comment": "a print", "DIRECTOR": "Welles"}
    write_clip(source, moving_frames(), sound=0.4, metadata=facts)
    chaptered = tmp_path / "chapters.mkv"
    half, whole = (
        {"start": a, "end": b, "time_base": Fraction(1, 1000)} for a, b in ((0, 240), (240, 480))
    )
    with av.open(str(source)) as old, av.open(str(chaptered), "w") as new:
        streams = [new.add_stream_from_template(stream) for stream in old.streams]
        streams[1].metadata["language"] = "fre"
        new.metadata.update(old.metadata)
        new.set_chapters(
            [{"id": 1, "metadata": {"title": "Snow"}, **half}, {"id": 2, "metadata": {}, **whole}]
        )
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    report, new = colour_film(chaptered)
    kept = {key.lower(): value for key, value in new.metadata.items()}
    assert {key.lower(): value for key, value in facts.items()}.items() <= kept.items()
    with av.open(str(report.target)) as film:
        assert film.streams.audio[0].language == "fre"
        chapters = [(one["start"] * one["time_base"], one["metadata"]) for one in film.chapters()]
    assert chapters[0] == (0, {"title": "Snow"})
    assert chapters[1][0] == Fraction(24, 100)


def test_what_does_not_fit_into_the_new_film_is_said(colour_film, tmp_path):
    source = tmp_path / "two.mkv"
    with av.open(str(source), "w") as film:
        streams = [film.add_stream("ffv1", rate=25) for _ in range(2)]
        for stream in streams:
            stream.height, stream.width, stream.pix_fmt = 32, 32, "gray"
        for stream in streams:
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32), np.uint8), format="gray")
            film.mux(stream.encode(frame))
            film.mux(stream.encode(None))
    report, new = colour_film(source)
    assert new.codecs == ["h264"]
    assert report.warnings == ("A track was left out, as it does not fit in: video, ffv1.",)
