"""Films whose colouring was interrupted, killed, and gone on with: every frame once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from colorize_hub.loading import save
from colorize_hub.video import VideoError, VideoInterrupted, colorize_video
from tests.video.clips import moving_frames, read_clip, sound_of, write_clip

ROOT = Path(__file__).parents[2]

KILLED = """
import os, signal, sys
from colorize_hub import load
from colorize_hub.video import writer as clip_writer
from colorize_hub.video import colorize_video
clip_writer.SEGMENT_FRAMES = 8
def die(done, total):
    if done == 21:
        os.kill(os.getpid(), signal.SIGKILL)
colorize_video(load(sys.argv[1], device="cpu"), "old.mp4", "new.mp4", size=32, on_progress=die)
"""


def interrupt(done, total):
    if done == 20:
        raise KeyboardInterrupt


@pytest.fixture
def film(tmp_path):
    return write_clip(tmp_path / "old.mp4", moving_frames(40, step=1), sound=1.6)


def test_an_interrupted_film_plays_as_far_as_it_got_and_is_gone_on_with(
    tiny_colorizer, film, tmp_path
):
    whole, target = tmp_path / "whole.mp4", tmp_path / "new.mp4"
    colorize_video(tiny_colorizer, film, whole, size=32)
    with pytest.raises(VideoInterrupted) as stop:
        colorize_video(tiny_colorizer, film, target, size=32, on_progress=interrupt)
    part = read_clip(target)
    assert 20 <= stop.value.report.frames == len(part.frames) < 40
    assert part.times == read_clip(film).times[: len(part.times)]
    samples, _ = sound_of(target)
    assert abs(len(samples) / 48000 - float(part.seconds)) < 0.05

    with pytest.raises(FileExistsError, match="--resume"):
        colorize_video(tiny_colorizer, film, target, size=32)
    report = colorize_video(tiny_colorizer, film, target, size=32, resume=True)
    assert report.frames == 40
    assert report.new_frames == 40 - len(part.frames)
    new, expected = read_clip(target), read_clip(whole)
    assert new.times == expected.times
    apart = np.abs(np.subtract(new.frames, expected.frames, dtype=float))
    assert apart.mean() < 3  # steady over the seam too
    assert not (tmp_path / "new.mp4.part").exists()


@pytest.mark.slow
def test_a_killed_run_is_gone_on_with(tiny_network, tiny_colorizer, film, tmp_path):
    model = save(tiny_network, tmp_path / "model")
    command = [sys.executable, "-c", KILLED, str(model)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert result.returncode == -signal.SIGKILL, result.stderr
    target = tmp_path / "new.mp4"
    assert not target.exists()
    report = colorize_video(tiny_colorizer, film, target, size=32, resume=True)
    assert report.frames == 40
    assert 40 - 24 <= report.new_frames <= 40 - 16  # whole segments of 8 were kept
    assert read_clip(target).times == read_clip(film).times


def test_a_damaged_piece_is_made_anew(tiny_colorizer, film, tmp_path):
    with pytest.raises(VideoInterrupted):
        colorize_video(tiny_colorizer, film, tmp_path / "new.mp4", size=32, on_progress=interrupt)
    (piece,) = (tmp_path / "new.mp4.part").glob("*.mp4")
    piece.write_bytes(piece.read_bytes()[:100])
    report = colorize_video(tiny_colorizer, film, tmp_path / "new.mp4", size=32, resume=True)
    assert (report.frames, report.new_frames) == (40, 40)
    assert read_clip(tmp_path / "new.mp4").times == read_clip(film).times


def test_other_settings_or_another_film_are_refused(tiny_colorizer, film, tmp_path):
    target = tmp_path / "new.mp4"
    with pytest.raises(VideoInterrupted):
        colorize_video(tiny_colorizer, film, target, size=32, on_progress=interrupt)
    with pytest.raises(VideoError, match="another smoothing"):
        colorize_video(tiny_colorizer, film, target, size=32, smoothing=0.5, resume=True)
    other = write_clip(tmp_path / "other.mp4", moving_frames(5))
    with pytest.raises(VideoError, match="another source"):
        colorize_video(tiny_colorizer, other, target, size=32, resume=True)
    report = colorize_video(tiny_colorizer, other, target, size=32, overwrite=True)
    assert report.frames == report.new_frames == 5
