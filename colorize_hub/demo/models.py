"""The models of a page: the one it was built with, and those its visitors asked for."""

import os
import threading
from pathlib import Path

from cachetools import LRUCache

from colorize_hub.demo.arguments import text
from colorize_hub.hub.remote import check_repo_id
from colorize_hub.hub.sources import ON_THE_HUB
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import ModelNotFoundError, load

MOST_NAME = 500  # characters of a model's name
_HELD = 2  # besides the page's own


class ModelShelf:
    """Holds a few models; all visitors share them, and none of them has state."""

    def __init__(
        self, own: Colorizer, folder: str | Path | None = None, strangers: bool = False
    ) -> None:
        """Keep the page's own model for good.

        Args:
            own: the model that has the empty name.
            folder: visitors can name folders beneath it; None offers them none.
            strangers: whether every visitor is one, even who seems to sit at this machine.

        Raises:
            NotADirectoryError: there is no such folder.
        """
        if folder is not None and not Path(folder).is_dir():
            raise NotADirectoryError(f"There is no folder {folder} to offer models from.")
        self._own = own
        self._folder = None if folder is None else Path(folder).resolve()
        self.strangers = strangers
        self._others: LRUCache[str, Colorizer] = LRUCache(_HELD)
        self._lock = threading.Lock()
        self._loading = threading.Lock()  # one at a time: a model takes memory twice while it loads

    @property
    def offers_folders(self) -> bool:
        """Whether every visitor can name some."""
        return self._folder is not None

    def get(self, name: object, local: bool = True) -> Colorizer:
        """Return the model of that name, loaded if it is not held.

        Args:
            name: "user/model" on the Hub, or a folder: beneath the one that the page offers, or
                any of this machine for who is local. Empty is the page's own.
            local: whether a person at this machine asks. Others learn nothing of its disk.

        Raises:
            RequestError: the name is no text.
            ModelError: there is no such model, or it cannot be used; the message says why.
        """
        wanted = text(name, "model", MOST_NAME).strip()
        if not wanted:
            return self._own
        source = self._source(wanted, local)
        found = self._held(source)
        if found is None:
            with self._loading:
                found = self._held(source) or load(source)
                with self._lock:
                    self._others[source] = found
        return found

    def holds(self, name: object, local: bool = True) -> bool:
        """Whether `get` has the model at hand; arguments and errors as there."""
        wanted = text(name, "model", MOST_NAME).strip()
        return not wanted or self._held(self._source(wanted, local)) is not None

    def _held(self, source: str) -> Colorizer | None:
        with self._lock:
            return self._others.get(source)

    def _source(self, name: str, local: bool) -> str:
        """Return what to load for a name."""
        if self._folder is not None:
            folder = (self._folder / name).resolve()
            if folder.is_relative_to(self._folder) and os.path.isdir(folder):
                return str(folder)
        if local and not self.strangers:
            return name
        try:
            check_repo_id(name)
        except ModelNotFoundError:
            raise ModelNotFoundError(
                f'{name} is not a model of the Hub; write "user/model".'
            ) from None
        return ON_THE_HUB + name
