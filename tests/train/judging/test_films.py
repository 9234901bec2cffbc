"""Films to judge on: clips come as they are, and moving stills move as they say."""

import av
import numpy as np
import pytest

from tests.train.training_fixtures import picture
from train.judging.films import moving_still, read_clip
from train.judging.flicker import warping_error
from train.judging.pictures import to_batch


def write_clip(path, frames, rate=10):
    """(H, W, 3) uint8 frames as H.264, nearly lossless."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "4"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("seed", range(3))
def test_a_moving_still_moves_by_its_flow(seed):
    film = moving_still(np.asarray(picture(seed, 128, 160)), seed, frames=6)
    assert [frame.shape for frame in film.frames] == [(112, 140, 3)] * 6
    assert (film.flow.shape, film.seen.shape) == ((5, 2, 112, 140), (5, 112, 140))
    assert film.flow.abs().max() > 0.2
    assert film.seen.float().mean() > 0.9
    rgb = to_batch(film.frames)
    along = warping_error(rgb, film.flow, film.seen)
    assert along < 1e-4
    assert along < 0.2 * warping_error(rgb, -film.flow, film.seen)


def test_the_window_stays_inside_the_picture():
    white = np.full((128, 160, 3), 255, np.uint8)
    for seed in range(20):
        assert all(frame.min() == 255 for frame in moving_still(white, seed, 4).frames)


def test_a_clip_is_its_middle_with_the_flow_found(tmp_path):
    wide = np.asarray(picture(1, 128, 192))
    path = write_clip(tmp_path / "pan.mkv", [wide[:, 2 * t : 2 * t + 128] for t in range(12)])
    film = read_clip(path, most=6)
    assert film.name == "pan.mkv"
    assert [frame.shape for frame in film.frames] == [(256, 256, 3)] * 6
    assert abs(float(film.flow[:, 0, 40:-40, 40:-40].median()) + 4) < 0.5  # 2 pixels, enlarged
    middle = film.frames[0][::2, ::2].astype(int)
    distance = [np.abs(middle - wide[:, 2 * t : 2 * t + 128]).mean() for t in range(12)]
    assert np.argmin(distance) == 3
    assert warping_error(to_batch(film.frames), film.flow, film.seen) < 1e-3


def test_a_clip_too_short_to_judge_is_an_error(tmp_path):
    path = write_clip(tmp_path / "short.mp4", [np.asarray(picture(1, 64, 64))] * 4)
    with pytest.raises(ValueError, match=r"needs 5 frames; got 4 of .*short\.mp4"):
        read_clip(path, most=9)
