"""The clip tab's endpoints, as `handlers` has the desk's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorize_hub.demo.film.clips import Clips
from colorize_hub.demo.messages import File, messages_for, path_of


class ClipHandlers:
    """One page's endpoints for clips. They hold nothing but the clips."""

    def __init__(self, clips: Clips, folders: Sequence[Path] | None = None) -> None:
        """Handles the events of one page.

        Args:
            clips: of the page.
            folders: clips are opened from these only; None opens any path.
        """
        self.clips = clips
        self._folders = folders

    def start_clip(
        self, clip: File, vividness: float | None = None, smoothing: float = 0.8, model: str = ""
    ) -> dict[str, Any]:
        """Begins to colour a clip, or waits in the queue: gives its job, to ask `clip_state` with.

        smoothing: 0 (each frame on its own) to 1 (steadiest); vividness: 0 to 1, or the model's.
        """
        path = path_of(clip, self._folders)
        with messages_for(path):
            smoothing = 0.8 if smoothing is None else smoothing
            if not 0 <= smoothing <= 1 or not 0 <= (vividness or 0) <= 1:
                raise ValueError("smoothing and vividness must be 0 to 1.")
            return self.clips.start(path, vividness, smoothing, model)

    def clip_state(self, job: str) -> dict[str, Any]:
        """Tells how far a clip is: waiting, working, done or failed. Ask once a second or so."""
        with messages_for():
            return self.clips.state(job)

    def clip_result(self, job: str) -> str:
        """The coloured clip, an MP4 that browsers play, once its state is done."""
        with messages_for():
            return str(self.clips.result(job))

    def cancel_clip(self, job: str) -> dict[str, Any]:
        """Stops a clip, and deletes what there is of it."""
        self.clips.cancel(job)
        return {"state": "cancelled"}
