"""Work ahead in a thread: same results, same errors, bounded, and it stops when told to."""

import threading

import pytest

from colorize_hub.video.pipeline import ahead


def test_results_come_in_order_from_another_thread():
    def numbers():
        for i in range(50):
            yield i, threading.get_ident()

    results = list(ahead(numbers(), depth=2))
    assert [i for i, _ in results] == list(range(50))
    assert {thread for _, thread in results} != {threading.get_ident()}


def test_an_error_is_raised_where_the_results_are_taken():
    def numbers():
        yield 1
        raise OSError("the disk is full")

    taken = ahead(numbers())
    assert next(taken) == 1
    with pytest.raises(OSError, match="the disk is full"):
        next(taken)


def test_only_a_few_results_wait():
    made = []

    def numbers():
        for i in range(1000):
            made.append(i)
            yield i

    taken = ahead(numbers(), depth=3)
    for i in taken:
        assert len(made) <= i + 6
        if i == 100:
            break
    taken.close()
    assert len(made) < 110


def test_closing_it_closes_the_generator_and_ends_the_thread():
    closed_in = []

    def numbers():
        try:
            yield from range(1000)
        finally:
            closed_in.append(threading.current_thread())

    taken = ahead(numbers(), depth=1)
    next(taken)
    taken.close()
    assert closed_in != [threading.current_thread()]
    assert not closed_in[0].is_alive()


def test_pipelines_chain():
    def doubled(numbers):
        for i in numbers:
            yield 2 * i

    threads = threading.active_count()
    chain = ahead(doubled(ahead(i for i in range(100))))
    assert [next(chain) for _ in range(3)] == [0, 2, 4]
    chain.close()
    assert threading.active_count() == threads
