"""The page's endpoints, called wrongly: each mistake gets a sentence, and the log stays empty."""

import html
import json
import logging
import re

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from colorize_hub.web.prints import example_path

PRINT = str(example_path("black-canyon"))
PHOTO = {"path": PRINT, "meta": {"_type": "gradio.FileData"}}
CLIP = {"path": "/nowhere/film.mp4", "meta": PHOTO["meta"]}
NAN = float("nan")

WRONG = [
    ("open_photo", [None, "", ""], "Drop a photo"),
    ("open_photo", [7, "", ""], "open_photo takes 3 values"),
    ("open_photo", [{"path": 7}, "", ""], "open_photo takes 3 values"),
    ("open_photo", [{"path": "/etc/passwd"}, "", ""], "passwd is no longer kept here"),
    ("open_photo", [{"path": "/etc/passwd", "meta": PHOTO["meta"]}, "", ""], "no longer kept"),
    ("open_photo", [{"path": "/a\0b"}, "", ""], "no longer kept"),
    ("open_photo", [PHOTO], r"open_photo takes 3 values \(Photo, Hints, JSON, Model\)"),
    ("open_photo", [], "open_photo takes 3 values"),
    ("open_photo", [PHOTO, {"marks": []}, ""], "hints must be text, got {'marks'"),
    ("render", [PHOTO, "[" * 100_000, ""], "hints are not JSON"),
    ("render", [PHOTO, " " * 4_000_001, ""], "hints has 4000001 characters; at most 4000000"),
    ("render", [PHOTO, json.dumps([{"x": 1, "y": 1, "rgb": [1, 2, 3]}] * 10_001), ""], "more than"),
    ("render", [PHOTO, '{"take": 1000000000000000000000000000000}', ""], "take must be a whole"),
    ("render", [PHOTO, "", ["model"]], "model must be text"),
    ("render", [PHOTO, "", "/etc"], "the folder /etc has no file config.json"),
    ("suggest_colours", [PHOTO, "x", 1, ""], "x must be a number .*, got 'x'"),
    ("suggest_colours", [PHOTO, 1, None, ""], "y must be a number .*, got None"),
    ("suggest_colours", [PHOTO, 1e300, 1, ""], "x must be a number"),
    ("suggest_colours", [PHOTO, -1, 1, ""], "outside the photo"),
    ("suggest_colours", [PHOTO, 1], "suggest_colours takes 4 values"),
    ("unsure", ["x", ""], "unsure takes 2 values"),
    ("variations", [PHOTO, "", 10**30, ""], "seed must be a whole number"),
    ("variations", [PHOTO, "", -1, ""], "seed must be a whole number"),
    ("variations", [PHOTO, "", 1.5, ""], r"seed must be a whole number .*, got 1\.5"),
    ("variations", [PHOTO, "", "8", ""], "seed must be a whole number"),
    ("borrow_palette", [PHOTO, None, "", ""], "Drop a photo"),
    ("borrow_palette", [PHOTO, {"path": "/etc/passwd"}, "", ""], "no longer kept"),
    ("read_hints", ["", "wide", 60], "width must be a whole number"),
    ("read_hints", ["", 90, 0], "height must be a whole number"),
    ("read_hints", [7, 90, 60], "hints must be text, got 7"),
    ("use_model", [{}], "model must be text"),
    ("use_model", ["x" * 1000], "model has 1000 characters"),
    ("use_model", ["a\0b"], "a"),
    ("colorize_with_hints", [PHOTO, "", "much", ""], "vividness must be a number 0..1, got 'much'"),
    ("colorize_with_hints", [PHOTO, "", True, ""], "vividness must be a number"),
    ("colorize", [PHOTO, 7], "vividness must be a number 0..1, got 7"),
    ("colorize", [PHOTO, -0.1], "vividness must be a number"),
    ("start_clip", [None, None, 0.8, "", ""], "Drop a photo"),
    ("start_clip", [CLIP, None, 0.8, "", ""], "no longer kept"),
    ("start_clip", [{"path": "film.mp4"}, None, 0.8, "", ""], "start_clip takes 5 values"),
    ("start_clip", [PHOTO, None, 0.8, "", ""], "no longer kept"),  # a print, but no upload
    ("clip_state", ["nothing"], "no longer kept"),
    ("clip_state", [{"a": 1}], "job must be text"),
    ("clip_result", [7], "job must be text, got 7"),
    ("cancel_clip", ["x" * 101], "job has 101 characters"),
    ("resume_clip", ["nothing"], "no longer kept"),
    ("open_film", [CLIP], "no longer kept"),
    ("film_shots", [None], "Drop a photo"),
    ("film_frame", [CLIP, -1], "no longer kept"),
    ("read_film_hints", [CLIP, "{}"], "no longer kept"),
]
NOT_A_NUMBER = [
    ("suggest_colours", [PHOTO, NAN, 1, ""], "x must be a number"),
    ("variations", [PHOTO, "", NAN, ""], "seed must be a whole number"),
    ("read_hints", ["", NAN, 60], "width must be a whole number"),
    ("colorize", [PHOTO, NAN], "vividness must be a number"),
]


@pytest.fixture(scope="module")
def client(page):
    return Client(page.local_url, verbose=False)


@pytest.fixture(autouse=True)
def quiet(caplog, capfd):
    """Nothing that a visitor sends is a fault of the server."""
    caplog.set_level(logging.WARNING)
    yield
    assert not [one.getMessage() for one in caplog.records if one.name.startswith("colorize_hub")]
    assert "Traceback" not in "".join(capfd.readouterr())


def post(page, name, body):
    address = f"{page.local_url}gradio_api/call/{name}"
    return httpx.post(address, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(("name", "values", "words"), WRONG + NOT_A_NUMBER)
def test_a_mistake_over_http_gets_a_sentence(page, name, values, words):
    asked = post(page, name, json.dumps({"data": values}))
    assert asked.status_code == 200, asked.text
    address = f"{page.local_url}gradio_api/call/{name}/{asked.json()['event_id']}"
    event, data, *_ = httpx.get(address, timeout=60).text.splitlines()
    assert event == "event: error"
    told = json.loads(data.removeprefix("data: "))["error"]
    assert re.search(words, html.unescape(told))
    assert "Traceback" not in told


# Gradio's client sends files itself, and counts the values.
COUNTED = [one for one in WRONG if one[1] and one[1][0] == PHOTO and "takes" not in one[2]]
FROM_THE_CLIENT = [one for one in COUNTED if one[0] != "start_clip"] + [
    one for one in WRONG if one[0] in ("read_hints", "use_model", "clip_state", "clip_result")
]


@pytest.mark.parametrize(("name", "values", "words"), FROM_THE_CLIENT)
def test_a_mistake_of_a_client_gets_a_sentence(client, name, values, words):
    values = [handle_file(PRINT) if value == PHOTO else value for value in values]
    with pytest.raises(AppError, match=words):
        client.predict(*values, api_name=f"/{name}")


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("no_such_endpoint", '{"data": []}', "no_such_endpoint"),
        ("v2/no_such_endpoint", "{}", "no_such_endpoint"),
        ("v2/suggest_colours", json.dumps({"x": 1}), "photo"),
        ("v2/suggest_colours", json.dumps({"photo": PHOTO, "z": 1}), "z"),
        ("colorize", "{", "JSON"),
        ("colorize", "{}", "data"),
        ("colorize", '{"data": 7}', "list"),
    ],
)
def test_a_malformed_request_is_refused_in_words(page, name, body, words):
    refused = post(page, name, body)
    assert 400 <= refused.status_code < 500
    assert words in refused.text
