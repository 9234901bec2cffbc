"""The models of a page: the one it was built with, and those its visitors asked for."""

import threading
from collections import OrderedDict

from colorize_hub.colorizer import Colorizer
from colorize_hub.hub import load


class ModelShelf:
    """Holds a few models; all visitors share them, and none of them has state."""

    def __init__(self, own: Colorizer, guests: int = 2) -> None:
        """Puts the page's own model on the shelf, for good.

        Args:
            own: the model that has the empty name.
            guests: how many others are held; the one not used for longest goes first.
        """
        self._own = own
        self._guests: OrderedDict[str, Colorizer] = OrderedDict()
        self._capacity = guests
        self._lock = threading.Lock()
        self._loading = threading.Lock()  # one at a time: a model takes memory twice while it loads

    def get(self, name: str) -> Colorizer:
        """The model of that name, loaded if it is not on the shelf.

        Args:
            name: "user/model" on the Hub, or a folder of this machine; empty is the page's own.

        Raises:
            ModelError: there is no such model, or it cannot be used; the message says why.
        """
        name = name.strip()
        if not name:
            return self._own
        found = self._find(name)
        if found is None:
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
