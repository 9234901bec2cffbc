"""The clip tab: a film goes up, comes back in colour and is played; cancelled, refused, awaited."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from colorize_hub.demo.film import clips
from colorize_hub.video.reader import measured, probe
from tests.browser.clip_page import ClipPage
from tests.browser.desk_page import chroma
from tests.video.clips import moving_frames, write_clip

pytestmark = pytest.mark.browser


@pytest.fixture
def clip(page: Page) -> ClipPage:
    return ClipPage(page)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return Path(write_clip(tmp_path / "Großvater 1931.mp4", moving_frames(10, 120, 160), sound=0.4))


def test_clip_is_played_and_saved_in_colour(clip: ClipPage, film: Path, tmp_path: Path) -> None:
    clip.open(film)
    assert chroma(clip.pixels()) < 3
    clip.colour()
    clip.done()
    assert clip.pixels().shape == (120, 160, 3)
    assert chroma(clip.pixels()) > 4
    with clip.page.expect_download() as download:
        clip.page.click("#clip-download")
    assert download.value.suggested_filename == "Großvater 1931-color.mp4"
    saved = tmp_path / "saved.mp4"
    download.value.save_as(saved)
    with av.open(str(saved)) as made:
        assert made.streams.video[0].frames == 10
        assert len(made.streams.audio) == 1


def test_versions_can_be_compared(clip: ClipPage, film: Path) -> None:
    clip.open(film)
    clip.colour()
    clip.done()
    clip.page.locator("#clip-steadiness").fill("0")
    expect(clip.page.locator("#clip-steadiness-value")).to_have_text("off")
    clip.colour()
    versions = clip.page.locator("#clip-versions button")
    expect(versions).to_have_text(["Original", "Steady 80%", "Steady off"])
    expect(versions.nth(2)).to_have_attribute("aria-pressed", "true")
    versions.nth(0).click()
    assert chroma(clip.pixels()) < 3
    expect(clip.page.locator("#clip-download")).to_be_hidden()


def test_cancel_stops_and_others_wait(
    visit: Callable[..., Page], clip: ClipPage, film: Path, tmp_path: Path, kept_files: Path
) -> None:
    clip.open(Path(write_clip(tmp_path / "long.mp4", moving_frames(2500, 64, 96, step=1))))
    clip.colour()
    expect(clip.page.locator("#clip-status")).to_contain_text("Frame ")
    other = ClipPage(visit())
    other.open(film)
    other.colour()
    expect(other.page.locator("#clip-status")).to_contain_text(
        "Another clip is being coloured. You are next."
    )
    clip.page.click("#clip-cancel")
    expect(clip.page.locator("#clip-start")).to_be_visible()
    other.done()
    assert not list(kept_files.rglob("long-color.mp4*"))


def test_page_that_closes_stops_its_clip(
    visit: Callable[..., Page], clip: ClipPage, film: Path, tmp_path: Path
) -> None:
    clip.open(Path(write_clip(tmp_path / "long.mp4", moving_frames(2500, 64, 96, step=1))))
    clip.colour()
    expect(clip.page.locator("#clip-status")).to_contain_text("Frame ")
    clip.page.goto("about:blank")
    other = ClipPage(visit())
    other.open(film)
    other.colour()
    other.done()


def test_what_is_no_film_is_said_and_the_page_goes_on(
    clip: ClipPage, film: Path, tmp_path: Path
) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("This is not a film.")
    clip.page.once("console", lambda message: None)
    clip.open(text)
    expect(clip.page.locator("#clip-words")).to_contain_text("cannot play notes.mp4")
    clip.colour()
    expect(clip.page.locator("#message p")).to_contain_text("notes.mp4")
    assert str(tmp_path) not in clip.page.locator("#message p").inner_text()
    clip.open(film)
    clip.colour()
    clip.done()


RECORD = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 96, height: 64 });
  const paint = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: 'video/webm;codecs=vp8' });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((done) => (recorder.onstop = done));
  recorder.start();
  for (let frame = 0; frame < 40; frame++) {
    paint.fillStyle = frame % 2 ? 'silver' : 'gray';
    paint.fillRect(2 * frame, 0, 30, 64);
    await new Promise(requestAnimationFrame);
  }
  recorder.stop();
  await ended;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
}"""


def test_a_recording_of_a_browser_keeps_to_the_limit(
    clip: ClipPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = tmp_path / "recorded.webm"
    recorded.write_bytes(bytes(clip.page.evaluate(RECORD)))
    assert 3 < measured(probe(recorded)).frames <= 41  # nothing in it says how many
    clip.open(recorded)
    with monkeypatch.context() as patch:
        patch.setattr(clips, "MOST_FRAMES", 3)
        clip.colour()
        expect(clip.page.locator("#message p")).to_contain_text("recorded.webm has ")
        expect(clip.page.locator("#message p")).to_contain_text("up to 3 can be coloured here")
    clip.colour()
    clip.done()
