"""The clip tab's endpoints, as `handlers` has the desk's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_hub.demo.access import at_the_machine
from colorize_hub.demo.arguments import number, text
from colorize_hub.demo.film.clips import Clips
from colorize_hub.demo.messages import File, messages_for, path_of
from colorize_hub.demo.models import ModelShelf

_LONGEST_JOB = 100  # characters


class ClipHandlers:
    """One page's endpoints for clips. They hold nothing but the clips and the models."""

    def __init__(
        self, clips: Clips, models: ModelShelf, folders: Sequence[Path] | None = None
    ) -> None:
        """Handle the events of one page.

        Args:
            clips: of the page.
            models: of the page.
            folders: clips are opened from these only; None opens any path.
        """
        self.clips = clips
        self._models = models
        self._folders = folders

    def start_clip(
        self,
        clip: File,
        vividness: float | None = None,
        smoothing: float = 0.8,
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Begins to colour a clip, or waits in the queue: gives its job, to ask `clip_state` with.

        smoothing: 0 (each frame on its own) to 1 (steadiest); vividness: 0 to 1, or the model's.
        """
        path = path_of(clip, self._folders)
        with messages_for(path):
            if vividness is not None:
                vividness = number(vividness, "vividness", 0, 1)
            smoothing = 0.8 if smoothing is None else number(smoothing, "smoothing", 0, 1)
            local = visitor is None or at_the_machine(visitor.request)
            colorizer = self._models.get(model, local)
            return self.clips.start(path, vividness, smoothing, colorizer)

    def clip_state(self, job: str) -> dict[str, Any]:
        """Tells how far a clip is: waiting, working, done or failed. Ask once a second or so."""
        with messages_for():
            return self.clips.state(_job(job))

    def clip_result(self, job: str) -> str:
        """Return the coloured clip, an MP4 that browsers play, once its state is done."""
        with messages_for():
            return str(self.clips.result(_job(job)))

    def cancel_clip(self, job: str) -> dict[str, Any]:
        """Stop a clip, and delete what there is of it."""
        with messages_for():
            self.clips.cancel(_job(job))
        return {"state": "cancelled"}


def _job(name: object) -> str:
    return text(name, "job", _LONGEST_JOB)
