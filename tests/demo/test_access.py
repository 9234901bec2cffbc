"""Who may do what: signed in or not, at this machine or not."""

import json

import httpx
import pytest

from colorize_hub import loading
from colorize_hub.demo import build_demo
from colorize_hub.web.prints import example_path
from tests.proxy import proxy_before
from tests.serving import free_port

PHOTO = {"path": str(example_path("black-canyon"))}


@pytest.fixture(scope="module")
def folder(tiny_network, tmp_path_factory):
    return str(loading.save(tiny_network, tmp_path_factory.mktemp("private") / "model"))


def use_model(address, name, **headers):
    """What a visitor is told who names a model."""
    call = f"{address}/gradio_api/call/use_model"
    event = httpx.post(call, json={"data": [name]}, headers=headers).json()["event_id"]
    return json.loads(httpx.get(f"{call}/{event}").text.splitlines()[1].removeprefix("data: "))


def render(address, model, **headers):
    asked = {"photo": PHOTO, "hints": "", "model": model}
    return httpx.post(f"{address}/desk/render", json=asked, headers=headers, timeout=60)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_who_sits_at_the_machine_names_any_folder(page, folder, host):
    address = f"http://{host}:{page.server_port}"
    assert use_model(address, folder, Origin=address)[0]["model"] == folder
    assert render(address, folder).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Host": "colour.example.org"},
        {"Origin": "https://colour.example.org"},
        {"Origin": "null"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_others_get_one_answer_whether_a_folder_exists_or_not(page, folder, headers):
    address = page.local_url.rstrip("/")
    refused = '{name} is not a model of the Hub; write "user/model".'
    for name in (folder, f"{folder}-gone"):
        assert use_model(address, name, **headers)["error"] == refused.format(name=name)
        answer = render(address, name, **headers)
        assert answer.status_code == 400
        assert answer.json()["error"] == refused.format(name=name)


def test_a_proxy_that_leaves_no_header_makes_strangers(page, folder):
    with proxy_before(page.server_port) as outside:
        assert "is not a model of the Hub" in use_model(outside, folder)["error"]


@pytest.fixture
def guarded(tiny_colorizer):
    demo = build_demo(tiny_colorizer)
    demo.launch(
        server_name="127.0.0.1",
        server_port=free_port(),
        auth=("ann", "secret"),
        prevent_thread_lock=True,
        quiet=True,
    )
    yield demo.local_url.rstrip("/")
    demo.close(verbose=False)


def test_own_routes_let_in_whom_gradio_lets_in(guarded):
    for path in ("/desk/render", "/live/join?visitor=ann"):
        assert httpx.post(guarded + path, json={}).status_code == 401
        assert httpx.post(guarded + path, cookies={"access-token-x": "y"}).status_code == 401
    with httpx.Client(base_url=guarded) as visitor:
        wrong = visitor.post("/login", data={"username": "ann", "password": "guess"})
        assert wrong.status_code == 400
        assert visitor.post("/live/join?visitor=ann").status_code == 401
        visitor.post("/login", data={"username": "ann", "password": "secret"})
        assert visitor.post("/live/join?visitor=ann").json() == {"place": 0, "fresh": True}
        asked = {"photo": PHOTO, "hints": ""}
        answer = visitor.post("/desk/render", json=asked, timeout=60)
        assert answer.headers["content-type"] == "image/jpeg"
