"""Seats for the live picture, and its routes: joined, streamed, shared, left."""

import asyncio
import json
import struct
import threading
import time

import httpx
from starlette.applications import Starlette

from colorize_hub.demo.live.routes import LiveRoutes, pack
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.queue import Line
from tests.pictures.jpegs import jpeg, pixels
from tests.scenes import scene

# --- seats ---------------------------------------------------------------------------------------


def test_third_waits_and_gets_in_when_one_leaves():
    line = Line(seats=2, kept_s=20, waiting_s=5)
    assert [line.join(who) for who in ("a", "b", "c", "d")] == [0, 0, 1, 2]
    assert line.join("c") == 1
    line.leave("a")
    assert line.join("d") == 1
    assert [line.join("c"), line.join("d")] == [0, 1]


def test_who_is_not_heard_of_loses_the_seat_or_the_place():
    line = Line(seats=1, kept_s=0.05, waiting_s=0.05)
    assert [line.join("a"), line.join("b"), line.join("c")] == [0, 1, 2]
    time.sleep(0.06)
    assert line.join("c") == 0
    assert len(line) == 1


# --- routes --------------------------------------------------------------------------------------


class Viewer:
    def __init__(self, client, name):
        self.client, self.name = client, name

    async def join(self):
        return (await self.client.post(f"/live/join?visitor={self.name}")).json()

    async def frame(self, number, picture, **wish):
        body = pack({"frame": number, **wish}, picture)
        return await self.client.post(f"/live/frame?visitor={self.name}", content=body)

    async def leave(self):
        await self.client.post(f"/live/leave?visitor={self.name}")


def on_server(routes, story):
    async def play():
        transport = httpx.ASGITransport(app=Starlette(routes=routes.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://live") as client:
            await story(*(Viewer(client, name) for name in ("ann", "bob", "cem")))

    asyncio.run(play())


def test_viewer_joins_streams_and_leaves_nothing_behind(tiny_colorizer):
    routes = LiveRoutes(ModelShelf(tiny_colorizer))

    async def story(ann, bob, cem):
        assert await ann.join() == {"place": 0, "fresh": True}
        assert await ann.join() == {"place": 0, "fresh": False}
        answer = await ann.frame(7, jpeg(scene(64, 96)), vividness=0.5)
        (length,) = struct.unpack(">I", answer.content[:4])
        assert json.loads(answer.content[4 : 4 + length])["frame"] == 7
        assert pixels(answer.content[4 + length :]).shape == (64, 96, 3)
        assert [(await one.join())["place"] for one in (bob, cem)] == [0, 1]
        assert (await cem.frame(1, jpeg(scene(64, 96)))).status_code == 409
        await ann.leave()
        assert (await cem.join())["place"] == 0
        assert len(routes) == 2
        await bob.leave()
        await cem.leave()
        assert len(routes) == len(routes.line) == 0

    on_server(routes, story)


def test_two_viewers_share_fairly(tiny_colorizer):
    routes = LiveRoutes(ModelShelf(tiny_colorizer))
    done = []

    async def watch(viewer):
        for number in range(12):
            assert (await viewer.frame(number, jpeg(scene(64, 96)))).status_code == 200
            done.append(viewer.name)

    async def story(ann, bob, cem):
        for viewer in (ann, bob):
            await viewer.join()
        await asyncio.gather(watch(ann), watch(bob))

    on_server(routes, story)
    assert 4 <= done[:12].count("ann") <= 8


def test_model_that_one_viewer_waits_for_does_not_stop_the_other(tiny_colorizer):
    loaded = threading.Event()

    class SlowShelf(ModelShelf):
        def get(self, name):
            if name == "far/away":
                assert loaded.wait(60)
            return tiny_colorizer

    routes, picture = LiveRoutes(SlowShelf(tiny_colorizer)), jpeg(scene(64, 96))

    async def story(ann, bob, cem):
        for viewer in (ann, bob):
            await viewer.join()
        waiting = asyncio.create_task(ann.frame(1, picture, model="far/away"))
        assert (await bob.frame(1, picture)).status_code == 200
        assert not waiting.done()
        loaded.set()
        assert (await waiting).status_code == 200

    on_server(routes, story)


def test_viewer_who_vanished_is_forgotten(tiny_colorizer):
    routes = LiveRoutes(ModelShelf(tiny_colorizer), kept_s=0.3)

    async def story(ann, bob, cem):
        await ann.join()
        assert len(routes) == 1
        for _ in range(40):
            await asyncio.sleep(0.1)
            if not len(routes):
                break
        assert len(routes) == len(routes.line) == 0

    on_server(routes, story)


def test_nonsense_gets_an_answer_and_the_stream_goes_on(tiny_colorizer):
    routes = LiveRoutes(ModelShelf(tiny_colorizer))

    async def story(ann, bob, cem):
        await ann.join()
        for body in (b"", b"\0\0\0\2[]", b"\xff\xff\xff\xffabc", pack({"frame": 1}, b"text")):
            answer = await ann.client.post("/live/frame?visitor=ann", content=body)
            assert answer.status_code == 400
            assert answer.json()["error"]
        answer = await ann.client.post("/live/frame?visitor=ann", content=b"\0" * 5_000_000)
        assert "4 MB" in answer.json()["error"]
        assert (await ann.frame(2, jpeg(scene(64, 96)))).status_code == 200
        assert (await ann.client.post("/live/join")).status_code == 400

    on_server(routes, story)
