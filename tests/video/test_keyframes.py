"""Keyframes: finished frames give their colours to their shots, and bad ones are named."""

import numpy as np
import pytest
from PIL import Image

from colorize_hub.video import VideoError, colorize_video, read_keyframes
from colorize_hub.video.cuts import find_shots
from colorize_hub.video.keyframes import PLACES, places_of, track_keyframes
from colorize_hub.video.reader import probe
from tests.inference.moving import texture
from tests.scenes import decided
from tests.video.clips import read_clip, write_clip
from tests.video.test_hinted_film import HEIGHT, WIDTH, redness

COUNT, STEP = 24, 2


def shot(count=COUNT, seed=0):
    """A pan over a wide texture."""
    wide = texture(HEIGHT, WIDTH + STEP * count, seed)
    return [np.ascontiguousarray(wide[:, STEP * t : STEP * t + WIDTH]) for t in range(count)]


def painted(grey, left=(200, 60, 60), right=(60, 80, 200)):
    """The frame in two colours, red on its left half and blue on its right one."""
    level = grey[..., None] / 255
    tint = np.where((np.arange(grey.shape[1]) < grey.shape[1] // 2)[None, :, None], left, right)
    return (level * 0.5 * 255 + tint * 0.5 * (0.4 + level)).clip(0, 255).astype(np.uint8)


@pytest.fixture
def film(tmp_path):
    frames = shot() + shot(seed=9)
    return write_clip(tmp_path / "old.mkv", frames, codec="ffv1", pix_fmt="gray")


@pytest.fixture
def index(film):
    return find_shots(probe(film))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "keyframes"
    folder.mkdir()
    return folder


def saved(folder, name, pixels):
    path = folder / name
    Image.fromarray(pixels).save(path)
    return path


def test_names_say_which_frame_by_number_or_time_code(folder):
    for name in ("frame-000012.png", "7.png", "00-01-02.500.png", "1-00-00.jpg"):
        saved(folder, name, painted(shot(1)[0]))
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_text("not one to be read")
    moments = {one.path.name: one.moment for one in read_keyframes(folder)}
    assert moments["frame-000012.png"].frame == 12
    assert moments["7.png"].frame == 7
    assert moments["00-01-02.500.png"].time == "00:01:02.500"
    assert moments["1-00-00.jpg"].time == "1:00:00"
    assert len(moments) == 4


@pytest.mark.parametrize("name", ["red.png", "frame-.png", "00-75-02.png", "-3.png"])
def test_a_name_that_says_no_frame_is_refused(folder, name):
    saved(folder, name, painted(shot(1)[0]))
    with pytest.raises(VideoError, match="does not say which frame it is; name it as frame-000012"):
        read_keyframes(folder)


def test_what_cannot_be_used_is_named(folder, tmp_path):
    with pytest.raises(VideoError, match="holds no keyframe; expected pictures such as"):
        read_keyframes(folder)
    with pytest.raises(FileNotFoundError, match="no folder of keyframes"):
        read_keyframes(tmp_path / "none")
    path = folder / "frame-1.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(VideoError, match=r"The keyframe .*frame-1\.png cannot be read: "):
        read_keyframes(folder)
    with pytest.raises(NotADirectoryError, match="is a file"):
        read_keyframes(path)
    saved(folder, "frame-1.png", shot(1)[0])
    with pytest.raises(VideoError, match="has no colour; give a finished picture in colour"):
        read_keyframes(folder)


@pytest.mark.parametrize(
    ("name", "pixels", "said"),
    [
        ("frame-48.png", painted(shot(1)[0]), "no frame 48"),
        ("frame-3.png", painted(shot(1)[0])[:80], "is another shape than the film's 192 x 128"),
        ("frame-3.png", painted(shot(1, seed=4)[0]), "does not show frame 3 of old.mkv"),
    ],
)
def test_a_keyframe_of_another_film_is_refused(index, folder, name, pixels, said):
    saved(folder, name, pixels)
    with pytest.raises(VideoError, match=said):
        track_keyframes(index, read_keyframes(folder))


def test_places_lie_all_over_and_have_the_colours_of_the_picture(index):
    picture = painted(shot(1)[0])
    hints = places_of(picture.repeat(2, 0).repeat(2, 1), index)
    assert 0.7 * PLACES < len(hints) < 1.4 * PLACES
    x, y = np.array([(hint.x, hint.y) for hint in hints]).T
    assert np.histogram2d(x, y, 4, [[0, WIDTH], [0, HEIGHT]])[0].min() >= 3
    apart = [np.abs(picture[int(h.y), int(h.x)] - np.array(h.rgb)).max() for h in hints]
    assert max(apart) <= 2


def test_two_keyframes_blend_by_time(index, folder):
    frames = shot()
    for number in (2, 18):
        saved(folder, f"frame-{number}.png", painted(frames[number]))
    tracked = track_keyframes(index, read_keyframes(folder))
    lives = np.zeros((2, COUNT))
    for one in tracked:
        lives[int(one.frame == 18), one.first : one.first + len(one.seen)] += one.seen
    first, second = lives
    assert second[:3].max() == first[18:].max() == 0
    assert abs(first[10] - second[10]) < 0.25 * PLACES
    assert (np.diff(first[2:18]) <= 3).all()
    assert (first + second).min() > 0.6 * PLACES


def test_a_film_takes_the_colours_of_its_keyframe_to_the_cut(tiny_config, film, folder, tmp_path):
    saved(folder, "frame-12.png", painted(shot()[12]))
    target = tmp_path / "new.mp4"
    grey = decided(tiny_config, 0, 0)
    colorize_video(grey, film, target, keyframes=read_keyframes(folder), size=64)
    shown = read_clip(target).frames
    border = WIDTH // 2 - STEP * (np.arange(COUNT) - 12)  # between red and blue
    for number in range(COUNT):
        assert redness(shown[number], border[number] - 40, 64) > 15
        assert redness(shown[number], border[number] + 40, 64) < 15
    assert max(abs(redness(one, 60, 64)) for one in shown[COUNT:]) < 2
