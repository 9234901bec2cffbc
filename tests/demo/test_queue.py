"""Seats and turns: first come, first served, and the newest wish of each."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from colorize_hub.demo.queue import ReplacedError, SeatQueue, TurnQueue


def test_third_waits_and_gets_in_when_one_leaves():
    queue = SeatQueue(seats=2, kept_s=20, waiting_s=5)
    assert [queue.join(who) for who in ("a", "b", "c", "d")] == [0, 0, 1, 2]
    assert queue.join("c") == 1
    queue.leave("a")
    assert queue.join("d") == 1
    assert [queue.join("c"), queue.join("d")] == [0, 1]


def test_who_is_not_heard_of_loses_the_seat_or_the_place():
    now = 0.0
    queue = SeatQueue(seats=1, kept_s=20, waiting_s=5, clock=lambda: now)
    assert [queue.join("a"), queue.join("b"), queue.join("c")] == [0, 1, 2]
    now = 4.0
    assert queue.join("c") == 2
    now = 8.0
    assert queue.heard("a")
    assert queue.join("c") == 1  # b's place is lost
    now = 29.0
    assert queue.join("c") == 0
    assert len(queue) == 1


class Desk:
    """Jobs that end when they are told to, at most `at_once` of them together."""

    def __init__(self, at_once):
        self.begun = []
        self.doors = {}
        self.queue = TurnQueue(ThreadPoolExecutor(at_once), at_once)

    def ask(self, visitor, name):
        self.doors[name] = threading.Event()

        def job():
            self.begun.append(name)
            assert self.doors[name].wait(60)
            if name == "bad":
                raise ValueError(name)
            return name

        return asyncio.create_task(self.queue.result(visitor, job))

    def end(self, *names):
        for name in names:
            self.doors[name].set()


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


def test_newer_jobs_of_a_visitor_take_the_place_of_those_that_wait():
    async def story():
        desk = Desk(at_once=1)
        first = desk.ask("ann", "first")
        await until(lambda: desk.begun)
        older, other, newer = (
            desk.ask(*one) for one in (("ann", "older"), ("bob", "b"), ("ann", "newer"))
        )
        with pytest.raises(ReplacedError):
            await older
        desk.end("first", "b", "newer")
        assert [await one for one in (first, other, newer)] == ["first", "b", "newer"]
        assert desk.begun == ["first", "b", "newer"]  # one who has just had a turn lets others pass

    asyncio.run(story())


def test_a_visitor_has_one_turn_at_a_time():
    async def story():
        desk = Desk(at_once=2)
        tasks = [desk.ask("ann", "one")]
        await until(lambda: desk.begun)
        tasks += [desk.ask("ann", "two"), desk.ask("bob", "b")]
        await until(lambda: len(desk.begun) == 2)
        assert desk.begun == ["one", "b"]
        desk.end("one", "two", "b")
        assert await asyncio.gather(*tasks) == ["one", "two", "b"]

    asyncio.run(story())


def test_what_fails_is_told_and_the_next_job_is_done():
    async def story():
        desk = Desk(at_once=1)
        bad = desk.ask("ann", "bad")
        await until(lambda: desk.begun)
        good = desk.ask("ann", "good")
        desk.end("bad", "good")
        with pytest.raises(ValueError, match="bad"):
            await bad
        assert await good == "good"

    asyncio.run(story())
