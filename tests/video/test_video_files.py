"""Films that are damaged, none, in the way, or long: told clearly, and kept in bounds."""

import threading
import weakref
from pathlib import Path

import av
import numpy as np
import pytest

from colorize_hub import Hint
from colorize_hub.video import FilmHint, FilmHints, FilmMoment, VideoError, colorize_video
from tests.video.clips import moving_frames, write_clip

LOSSLESS = {"codec": "ffv1"}


# --- damage, and what is no film --------------------------------------------------------------


def cut(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


def test_of_a_film_cut_off_what_can_be_read_is_written(colour_film, tmp_path):
    begins = {"container_options": {"movflags": "faststart"}, "options": {"g": "1"}}
    for name, options in (("a.mp4", begins), ("a.mkv", LOSSLESS)):
        source = cut(write_clip(tmp_path / name, moving_frames(50), **options), 0.5)
        report, new = colour_film(source)
        assert 10 < report.frames == len(new.frames) < 40
        assert "breaks off" in " ".join(report.warnings)


def write_text(path):
    path.write_text("Once upon a time\n" * 100)


def write_sound(path):
    with av.open(str(path), "w") as film:
        stream = film.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def write_picture(path):
    from PIL import Image

    Image.new("L", (64, 48)).save(path)


def write_playlist(path):
    film = write_clip(path.with_name("private.ts"), moving_frames(3), codec="mpeg2video")
    path.write_text(f"#EXTM3U\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n")


def write_concat(path):
    write_clip(path.with_name("private.mp4"), moving_frames(3))
    path.write_text("ffconcat version 1.0\nfile private.mp4\n")


def write_half_an_mp4(path):
    cut(write_clip(path, moving_frames(3)), 0.5)  # its index is at the end


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("story.txt", write_text, "not a film"),
        ("story.mp4", write_text, "not a film"),
        ("empty.mp4", Path.touch, "not a film"),
        ("still.png", write_picture, "not a film; for a picture there is the command photo"),
        ("still.jpg", write_picture, "not a film; for a picture there is the command photo"),
        ("song.m4a", write_sound, "no picture that can be decoded, only audio"),
        ("half.mp4", write_half_an_mp4, "not a film that can be read"),
        ("list.m3u8", write_playlist, "not a film"),
        ("list.mp4", write_concat, "not a film"),
    ],
)
def test_what_is_no_film_is_said_to_be_none(tiny_colorizer, tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(VideoError, match=message):
        colorize_video(tiny_colorizer, tmp_path / name, tmp_path / "out.mp4")
    assert not list(tmp_path.glob("out.mp4*"))


# --- files -----------------------------------------------------------------------------------


def test_the_film_itself_is_never_written_to(tiny_colorizer, tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames(2))
    before = source.read_bytes()
    (tmp_path / "same.mp4").hardlink_to(source)
    for target in (source, tmp_path / "same.mp4"):
        with pytest.raises(FileExistsError, match="is the film itself"):
            colorize_video(tiny_colorizer, source, target, overwrite=True)
    assert source.read_bytes() == before


def test_a_file_that_is_there_is_kept_unless_told(colour_film, tiny_colorizer, tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames(2))
    target = tmp_path / "old.mp4.color.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="add --overwrite"):
        colorize_video(tiny_colorizer, source, target)
    assert target.read_bytes() == b"precious"
    _, new = colour_film(source, overwrite=True)
    assert len(new.frames) == 2


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        ("new.avi", VideoError, "expected a name ending in .mp4"),
        ("nowhere/new.mp4", FileNotFoundError, "create the folder"),
        ("album.mp4", IsADirectoryError, "is a folder"),
    ],
)
def test_a_target_that_cannot_be(tiny_colorizer, tmp_path, target, error, message):
    source = write_clip(tmp_path / "old.mp4", moving_frames(2))
    (tmp_path / "album.mp4").mkdir()
    with pytest.raises(error, match=message):
        colorize_video(tiny_colorizer, source, tmp_path / target)


@pytest.mark.parametrize(
    "setting", [{"smoothing": 2}, {"look_ahead": -1}, {"vividness": 3}, {"size": 5}]
)
def test_a_wrong_setting_leaves_nothing_behind(tiny_colorizer, tmp_path, setting):
    source = write_clip(tmp_path / "old.mp4", moving_frames(2))
    with pytest.raises(ValueError, match=next(iter(setting))):
        colorize_video(tiny_colorizer, source, tmp_path / "new.mp4", **setting)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"]


def test_names_may_look_like_addresses(tiny_colorizer, tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames(2)).rename(tmp_path / "http: 100%.mp4")
    report = colorize_video(tiny_colorizer, source, tmp_path / "pipe:1 %03d.mp4", size=32)
    assert report.target.exists()


def test_a_folder_with_other_things_is_not_worked_in(tiny_colorizer, tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames(2))
    (tmp_path / "new.mp4.part").mkdir()
    (tmp_path / "new.mp4.part" / "diary.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="holds other things"):
        colorize_video(tiny_colorizer, source, tmp_path / "new.mp4", overwrite=True)
    assert (tmp_path / "new.mp4.part" / "diary.txt").read_text() == "precious"


# --- long films ------------------------------------------------------------------------------


class Watched:
    """A colorizer that counts the frames alive; it hands on what the real one gives."""

    def __init__(self, colorizer):
        self.config, self.engine, self._colorizer = colorizer.config, colorizer.engine, colorizer
        self.alive = self.most = 0

    def colorize_frames(self, frames, **options):
        def watched():
            for frame in frames:
                self.alive += 1
                self.most = max(self.most, self.alive)
                weakref.finalize(frame.image, self._forget)
                yield frame

        return self._colorizer.colorize_frames(watched(), **options)

    def _forget(self):
        self.alive -= 1


@pytest.mark.parametrize("marks", [0, 2])
def test_few_frames_are_alive_however_long_the_film(tiny_colorizer, tmp_path, marks):
    watched, at = Watched(tiny_colorizer), FilmMoment(frame=30)
    hints = FilmHints(tuple(FilmHint(at, Hint(9 + i, 9, (200, 30, 40))) for i in range(marks)))
    source = write_clip(tmp_path / "long.mp4", moving_frames(60, 32, 32))
    report = colorize_video(watched, source, tmp_path / "new.mp4", hints, size=32, look_ahead=4)
    assert report.frames == 60
    assert watched.most <= 4 + 8


def test_progress_is_told_and_its_error_stops_the_work(colour_film, tiny_colorizer, tmp_path):
    source = write_clip(tmp_path / "old.mp4", moving_frames())
    told = []
    colour_film(source, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(i + 1, 12) for i in range(12)]

    def cancel(done, total):
        if done == 3:
            raise RuntimeError("the visitor left")

    threads = threading.active_count()
    with pytest.raises(RuntimeError, match="the visitor left"):
        colorize_video(tiny_colorizer, source, tmp_path / "no.mp4", size=32, on_progress=cancel)
    assert threading.active_count() == threads
    assert not (tmp_path / "no.mp4").exists()
