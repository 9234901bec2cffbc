"""The models of a page: the one it was built with, and those its visitors asked for."""

import os
import threading
from collections import OrderedDict

from colorize_hub.hub.remote import check_repo_id
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import ModelNotFoundError, load


class ModelShelf:
    """Holds a few models; all visitors share them, and none of them has state."""

    def __init__(self, own: Colorizer, guests: int = 2, folders: bool = True) -> None:
        """Puts the page's own model on the shelf, for good.

        Args:
            own: the model that has the empty name.
            guests: how many others are held; the one not used for longest goes first.
            folders: whether folders of this machine can be named too. Not where strangers visit:
                they would learn what is on the disk.
        """
        self._own = own
        self.folders = folders
        self._guests: OrderedDict[str, Colorizer] = OrderedDict()
        self._capacity = guests
        self._lock = threading.Lock()
        self._loading = threading.Lock()  # one at a time: a model takes memory twice while it loads

    def get(self, name: str) -> Colorizer:
        """The model of that name, loaded if it is not on the shelf.

        Args:
            name: "user/model" on the Hub, or a folder of this machine where the shelf allows it;
                empty is the page's own.

        Raises:
            ModelError: there is no such model, or it cannot be used; the message says why.
        """
        name = name.strip()
        if not name:
            return self._own
        found = self._find(name)
        if found is None:
            if not self.folders:
                _refuse_folders(name)
            with self._loading:
                found = self._find(name) or self._keep(name, load(name))
        return found

    def _find(self, name: str) -> Colorizer | None:
        with self._lock:
            if name in self._guests:
                self._guests.move_to_end(name)
            return self._guests.get(name)

    def _keep(self, name: str, colorizer: Colorizer) -> Colorizer:
        with self._lock:
            self._guests[name] = colorizer
            while len(self._guests) > self._capacity:
                self._guests.popitem(last=False)
        return colorizer


def _refuse_folders(name: str) -> None:
    """Lets only names of the Hub pass, with one message for all else, be it there or not."""
    try:
        check_repo_id(name)
    except ModelNotFoundError:
        named = False
    else:
        named = not os.path.lexists(name)  # `load` would take the folder
    if not named:
        raise ModelNotFoundError(f'{name} is not a model of the Hub; write "user/model".')
