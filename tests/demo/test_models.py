"""The page's models: few are held, and strangers learn nothing of the disk."""

import threading

import pytest

from colorize_hub import loading
from colorize_hub.demo.arguments import RequestError
from colorize_hub.demo.models import ModelShelf
from colorize_hub.loading import ModelError


def test_a_model_is_loaded_once_and_few_are_held(tiny_colorizer, tiny_network, tmp_path):
    shelf = ModelShelf(tiny_colorizer)
    assert shelf.get("") is shelf.get("  ") is shelf.get(None) is tiny_colorizer
    names = [str(loading.save(tiny_network, tmp_path / name)) for name in "abc"]
    first = shelf.get(names[0])
    assert shelf.get(names[0]) is first
    assert shelf.holds(names[0])
    for name in names[1:]:
        shelf.get(name)
    assert not shelf.holds(names[0])
    assert shelf.get(names[0]) is not first
    with pytest.raises(ModelError):
        shelf.get(str(tmp_path / "nothing"))
    assert shelf.get("") is tiny_colorizer


def test_many_who_want_a_model_at_once_get_one(tiny_colorizer, tiny_network, tmp_path):
    shelf, folder = ModelShelf(tiny_colorizer), str(loading.save(tiny_network, tmp_path / "model"))
    found = []
    visitors = [threading.Thread(target=lambda: found.append(shelf.get(folder))) for _ in range(6)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize("strangers", [False, True])
def test_strangers_get_one_answer_whether_a_folder_exists_or_not(
    tiny_colorizer, tiny_network, tmp_path, monkeypatch, strangers
):
    shelf = ModelShelf(tiny_colorizer, strangers=strangers)
    folder = loading.save(tiny_network, tmp_path / "user" / "model")
    monkeypatch.chdir(tmp_path)

    def told(name):
        with pytest.raises(ModelError) as refused:
            shelf.get(name, local=strangers)  # where all are strangers, none is local
        told = str(refused.value).replace(name, "NAME")
        return told.replace(name.replace("/", "--"), "NAME")

    no_names = {told(name) for name in (str(folder), "~", "/etc/passwd", "/nowhere", "../user")}
    assert no_names == {'NAME is not a model of the Hub; write "user/model".'}
    assert told("user/model") == told("user/nothing")
    assert shelf.get("", local=False) is tiny_colorizer
    if not strangers:
        assert shelf.get("user/model", local=True).config == tiny_network.config


def test_everybody_can_use_what_the_owner_offers(tiny_colorizer, tiny_network, tmp_path):
    offered, secret = tmp_path / "offered", tmp_path / "secret"
    loading.save(tiny_network, offered / "portraits")
    loading.save(tiny_network, secret)
    (offered / "link").symlink_to(secret)
    shelf = ModelShelf(tiny_colorizer, offered)
    assert shelf.get("portraits", local=False).config == tiny_network.config
    for name in (str(secret), "../secret", "link", "portraits/../../secret", "gone"):
        with pytest.raises(ModelError, match=r"is not a model of the Hub"):
            shelf.get(name, local=False)


def test_a_folder_that_is_not_there_is_not_offered(tiny_colorizer, tmp_path):
    with pytest.raises(NotADirectoryError, match=r"There is no folder .*gone to offer"):
        ModelShelf(tiny_colorizer, tmp_path / "gone")


@pytest.mark.parametrize("name", [7, ["user/model"], "a" * 501])
def test_what_is_no_name_is_refused(tiny_colorizer, name):
    with pytest.raises(RequestError, match="model "):
        ModelShelf(tiny_colorizer).get(name)
