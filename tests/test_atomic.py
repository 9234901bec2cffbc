"""A file is the old one or the new one, whatever ends the writing; never a part, never litter."""

import os

import pytest

from colorize_hub.atomic import atomic_path, remove_leftovers, write_atomically


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.txt"
    path.write_text("old")
    return path


def test_a_file_is_replaced_when_the_new_one_is_whole(old):
    with atomic_path(old) as partial:
        partial.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("end", [OSError("disk full"), KeyboardInterrupt(), SystemExit(3)])
def test_whatever_ends_the_writing_leaves_what_was_there(old, end):
    def write():
        with atomic_path(old) as partial:
            partial.write_text("ne")
            raise end

    with pytest.raises(type(end)):
        write()
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


def test_what_was_never_written_is_an_error(old):
    with pytest.raises(FileNotFoundError), atomic_path(old):
        pass
    assert old.read_text() == "old"


def test_two_writers_of_one_file_do_not_meet(old):
    with atomic_path(old) as first, atomic_path(old) as second:
        first.write_text("first")
        second.write_text("second")
    assert old.read_text() == "first"  # ended last
    assert list(old.parent.iterdir()) == [old]


def test_the_new_file_may_grow_in_another_folder(old, tmp_path):
    (tmp_path / "scratch").mkdir()
    with atomic_path(old, tmp_path / "scratch", durable=True) as partial:
        partial.write_text("new")
        assert partial.parent == tmp_path / "scratch"
    assert old.read_text() == "new"
    assert not list((tmp_path / "scratch").iterdir())


def test_names_that_are_no_utf8_or_as_long_as_they_may_be_are_written(tmp_path):
    for name in (os.fsdecode(b"M\xfcnchen.json"), "x" * 255):
        write_atomically(tmp_path / name, "größer\n")
        assert (tmp_path / name).read_bytes() == "größer\n".encode()
    assert len(list(tmp_path.iterdir())) == 2


def test_text_that_cannot_be_written_leaves_what_was_there(old):
    with pytest.raises(UnicodeEncodeError):
        write_atomically(old, "M\udcfcnchen")
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


def test_only_old_leftovers_are_removed(tmp_path):
    old, new, other = (tmp_path / f".{c * 16}.partial" for c in "01x")
    for path, time in ((old, 1000), (new, 3000), (other, 1000)):
        path.touch()
        os.utime(path, (time, time))
    remove_leftovers(tmp_path, before=2000)
    assert set(tmp_path.iterdir()) == {new, other}
