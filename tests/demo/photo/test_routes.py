"""Renders over HTTP: the picture that the endpoint gives, or a sentence."""

import asyncio
import base64
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette

from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.photo.desk import Desk
from colorize_hub.demo.photo.handlers import Handlers
from colorize_hub.demo.photo.routes import RenderRoute
from colorize_hub.demo.workers import Workers
from colorize_hub.web.prints import EXAMPLES_FOLDER, example_path

PHOTO = {"path": str(example_path("black-canyon"))}
HINTS = json.dumps([{"x": 30, "y": 20, "rgb": [220, 20, 20], "radius": 9}])


def same_picture(file, url):
    """Equal but for how many threads added up the sums."""
    other = base64.b64decode(url.partition(",")[2])
    one, two = (np.asarray(Image.open(io.BytesIO(each)), int) for each in (file, other))
    return one.shape == two.shape and np.abs(one - two).max() <= 4


async def anybody(request):
    return True


@pytest.fixture
def handlers(tiny_colorizer, tmp_path):
    return Handlers(Desk(tmp_path), ModelShelf(tiny_colorizer), (EXAMPLES_FOLDER,))


@pytest.fixture
def ask(handlers, tiny_colorizer):
    route = RenderRoute(handlers, Workers(tiny_colorizer.engine), anybody)

    def post(*bodies):
        """All answers; the requests go out together."""

        async def play():
            transport = httpx.ASGITransport(app=Starlette(routes=route.routes()))
            async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
                posts = (client.post("/desk/render", content=json.dumps(one)) for one in bodies)
                return await asyncio.gather(*posts)

        return asyncio.run(play())

    return post


def test_render_is_the_picture_of_the_endpoint(ask, handlers):
    for _ in range(2):  # a photo that is not open yet, and one that is
        (answer,) = ask({"photo": PHOTO, "hints": HINTS})
        assert answer.headers["content-type"] == "image/jpeg"
        assert same_picture(answer.content, handlers.render(PHOTO, HINTS)["after"])


def test_of_one_visitors_clicks_the_newest_is_rendered_for_sure(ask, handlers):
    handlers.open_photo(PHOTO)
    works = [json.dumps([{"x": 10 * x, "y": 20, "rgb": [220, 20, 20]}]) for x in range(9)]
    answers = ask(*({"photo": PHOTO, "hints": hints, "visitor": "ann"} for hints in works))
    assert {answer.status_code for answer in answers} == {200, 204}
    assert same_picture(answers[-1].content, handlers.render(PHOTO, works[-1])["after"])
    apart = ask(*({"photo": PHOTO, "hints": one, "visitor": one[:30]} for one in works))
    assert {answer.status_code for answer in apart} == {200}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "must be an object"),
        ({}, "Drop a photo"),
        ({"photo": 7}, "A file is named"),
        ({"photo": {"path": "/etc/passwd"}}, "passwd is no longer kept"),
        ({"photo": PHOTO, "hints": 7}, "hints must be text"),
        ({"photo": PHOTO, "hints": "["}, "not JSON"),
        ({"photo": PHOTO, "model": 7}, "model must be text"),
        ({"photo": PHOTO, "visitor": 7}, "visitor must be text"),
        ({"photo": PHOTO, "hints": HINTS.replace("30", "99999")}, "outside"),
    ],
)
def test_mistakes_get_a_sentence(ask, body, words):
    (answer,) = ask(body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
