"""Films of many visitors: they wait for each other; what does not belong is said, nothing lost."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from colorize_hub.demo.film import films
from colorize_hub.video.reader import measured, probe
from tests.browser.desk_page import DeskPage
from tests.browser.film_page import FilmPage

pytestmark = pytest.mark.browser


def test_cancel_stops_and_others_wait(
    visit: Callable[..., Page], tab: FilmPage, film: Path, long_film: Path, kept_files: Path
) -> None:
    tab.open(long_film)
    tab.colour()
    expect(tab.status()).to_contain_text("Frame ")
    other = FilmPage(visit())
    other.open(film)
    other.colour()
    expect(other.status()).to_contain_text("Another film is being coloured. You are next.")
    tab.page.click("#film-cancel")
    expect(tab.page.locator("#film-start")).to_be_visible()
    other.done()
    assert not list(kept_files.rglob("long-color.mp4*"))


def test_page_that_closes_makes_room(
    visit: Callable[..., Page], tab: FilmPage, film: Path, long_film: Path
) -> None:
    tab.open(long_film)
    tab.colour()
    expect(tab.status()).to_contain_text("Frame ")
    tab.page.goto("about:blank")
    other = FilmPage(visit())
    other.open(film)
    other.colour()
    other.done()


def test_what_is_no_film_is_said_and_the_page_goes_on(
    tab: FilmPage, film: Path, tmp_path: Path
) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("This is not a film.")
    tab.page.set_input_files("#film-file", text)
    expect(tab.page.locator("#message p")).to_contain_text("notes.mp4")
    assert str(tmp_path) not in tab.page.locator("#message p").inner_text()
    tab.open(film)
    tab.colour()
    tab.done()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"hints": [], "size": [8, 8]}, "for a film of 8 x 8 pixels"),
        ({"hints": [{"frame": 99, "x": 1, "y": 1, "rgb": [1, 2, 3]}]}, "There is no frame 99"),
        ({"hints": [{"frame": 1, "x": 999, "y": 1, "rgb": [1, 2, 3]}]}, "outside the film's"),
        ([], 'Expected an object with a list of "hints"'),
    ],
)
def test_work_of_another_film_is_refused_and_nothing_is_lost(
    tab: FilmPage, film: Path, tmp_path: Path, document: object, message: str
) -> None:
    tab.open(film)
    tab.mark(0.3, 0.4)
    path = tmp_path / "other.json"
    path.write_text(json.dumps(document))
    tab.page.set_input_files("#film-hints", path)
    expect(tab.page.locator("#message p")).to_contain_text(message)
    expect(tab.desk.marks()).to_have_count(1)
    expect(tab.lives()).to_have_count(1)


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
    tab: FilmPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = tmp_path / "recorded.webm"
    recorded.write_bytes(bytes(tab.page.evaluate(RECORD)))
    assert 3 < measured(probe(recorded)).frames <= 41  # nothing in it says how many
    with monkeypatch.context() as patch:
        patch.setattr(films, "MOST_FRAMES", 3)
        tab.page.set_input_files("#film-file", recorded)
        expect(tab.page.locator("#message p")).to_contain_text("recorded.webm has ")
        expect(tab.page.locator("#message p")).to_contain_text("up to 3 can be coloured here")
    tab.open(recorded)
    tab.colour()
    tab.done()


def test_a_photo_that_is_dropped_goes_to_the_photo_tab(
    tab: FilmPage, film: Path, photo: Path
) -> None:
    tab.open(film)
    desk = DeskPage(tab.page)
    tab.page.set_input_files("#file", photo)
    expect(tab.page.locator("#tab-photo")).to_have_attribute("aria-selected", "true")
    expect(tab.page.locator("#caption")).to_contain_text(photo.name)
    assert desk.pixels().shape[1] == 1024
