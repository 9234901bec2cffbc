"""What `colorize_video` writes, in a real browser: it plays to its end, with its sound."""

import functools
import http.server
import threading
from fractions import Fraction

import pytest

from colorize_hub.video import colorize_video
from tests.video.clips import moving_frames, write_clip

pytestmark = pytest.mark.browser

PLAY = """async () => {
    const video = document.createElement("video");
    video.src = "/new.mp4";
    video.muted = true;
    document.body.append(video);
    const end = new Promise((resolve) => {
        video.onended = () => resolve("ended");
        video.onerror = () => resolve(video.error.message);
    });
    await video.play();
    const how = await end;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const [red, green, blue] = context.getImageData(30, 20, 1, 1).data;
    return {
        how,
        size: [video.videoWidth, video.videoHeight],
        seconds: video.duration,
        heard: video.webkitAudioDecodedByteCount > 0,
        chroma: Math.max(red, green, blue) - Math.min(red, green, blue),
    };
}"""


def test_a_film_of_an_odd_size_and_rate_plays_to_its_end(chromium, tiny_colorizer, tmp_path):
    times = [0, 10, 100, 105, 300, 310, 500, 501, 700, 710, 900, 960]
    source = write_clip(
        tmp_path / "old.mov",
        moving_frames(12, 47, 63),
        codec="mjpeg",
        pix_fmt="yuvj420p",
        times=times,
        time_base=Fraction(1, 1000),
        sound=1.0,
        sound_codec="pcm_s16le",
    )
    colorize_video(tiny_colorizer, source, tmp_path / "new.mp4", size=32)
    folder = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        played = page.evaluate(PLAY)
        page.close()
        server.shutdown()
    assert played["how"] == "ended"
    assert played["size"] == [64, 48]
    assert played["seconds"] == pytest.approx(1, abs=0.1)
    assert played["heard"]
    assert played["chroma"] > 5
