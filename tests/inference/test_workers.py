"""Pictures side by side: in order, lazily, torch alone in each thread, errors in their place."""

import threading
from functools import partial

import pytest
import torch

from colorize_hub.engines.threads import use_threads
from colorize_hub.inference import workers as module

side_by_side = partial(module.side_by_side, use_threads=use_threads)


@pytest.fixture
def three_threads():
    usual = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(usual)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_order(workers):
    together = min(workers, 2)  # the first of each pair ends after the second
    ended = [threading.Event() for _ in range(8)]

    def late(number):
        if together == 2 and number % 2 == 0:
            assert ended[number + 1].wait(20)
        ended[number].set()
        return number * number

    assert list(side_by_side(late, range(8), workers)) == [n * n for n in range(8)]
    assert list(side_by_side(late, [], workers)) == []


def test_items_are_worked_on_at_the_same_time():
    both = threading.Barrier(2, timeout=20)
    assert sorted(side_by_side(lambda _: both.wait(), range(4), 2)) == [0, 0, 1, 1]


def test_torch_is_alone_in_each_worker_and_unchanged_elsewhere(three_threads):
    assert list(side_by_side(lambda _: torch.get_num_threads(), range(4), 2)) == [1] * 4
    assert list(side_by_side(lambda _: torch.get_num_threads(), range(2), 1)) == [3] * 2
    assert torch.get_num_threads() == 3
    seen = []

    def alone():
        use_threads(1)
        seen.append(torch.get_num_threads())

    for work in (alone, lambda: seen.append(torch.get_num_threads())):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [1, 3]


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (3, 4)])
def test_items_are_read_as_they_are_needed(workers, most):
    read = []
    items = (read.append(number) or number for number in range(20))
    results = side_by_side(lambda number: number, items, workers)
    assert read == []
    for count in range(5):
        assert next(results) == count
        assert len(read) == count + most
    results.close()


def test_an_error_comes_in_its_place_and_ends_the_threads():
    def check(number):
        if number == 3:
            raise ValueError("three")
        return number

    before, results = threading.active_count(), side_by_side(check, range(9), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert threading.active_count() == before
