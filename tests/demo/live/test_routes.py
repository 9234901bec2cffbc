"""The routes of the live picture: joined, streamed, shared, left."""

import asyncio
import json
import struct
import threading

import httpx
from starlette.applications import Starlette

from colorize_hub.demo.live.routes import LiveRoutes, pack
from colorize_hub.demo.models import ModelShelf
from tests.pictures.jpegs import jpeg, pixels
from tests.scenes import scene


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


async def anybody(request):
    return True


def routes_for(models, **options):
    return LiveRoutes(models, anybody, lambda request: True, **options)


def on_server(routes, story):
    async def play():
        transport = httpx.ASGITransport(app=Starlette(routes=routes.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://live") as client:
            await story(*(Viewer(client, name) for name in ("ann", "bob", "cem")))

    asyncio.run(play())


def test_viewer_joins_streams_and_leaves_nothing_behind(tiny_colorizer):
    routes = routes_for(ModelShelf(tiny_colorizer))

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
        assert len(routes) == len(routes.queue) == 0

    on_server(routes, story)


def test_two_viewers_share_fairly(tiny_colorizer):
    routes = routes_for(ModelShelf(tiny_colorizer))
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
        def get(self, name, local=True):
            if name == "far/away":
                assert loaded.wait(60)
            return tiny_colorizer

    routes, picture = routes_for(SlowShelf(tiny_colorizer)), jpeg(scene(64, 96))

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
    now = 0.0
    routes = routes_for(ModelShelf(tiny_colorizer), clock=lambda: now)

    async def story(ann, bob, cem):
        nonlocal now
        await ann.join()
        routes.sweep()
        assert len(routes) == 1
        now = 21.0
        routes.sweep()
        assert len(routes) == len(routes.queue) == 0

    on_server(routes, story)


def test_nonsense_gets_an_answer_and_the_stream_goes_on(tiny_colorizer):
    routes = routes_for(ModelShelf(tiny_colorizer))

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
