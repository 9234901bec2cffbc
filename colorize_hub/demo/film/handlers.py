"""The film tab's endpoints, as `handlers` has the desk's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorize_hub.demo.access import at_the_machine
from colorize_hub.demo.arguments import number, text, whole
from colorize_hub.demo.film.clips import Clips
from colorize_hub.demo.film.films import Films
from colorize_hub.demo.film.previews import preview_film, shot_picture
from colorize_hub.demo.film.tracks import MarkTracks, marks_on
from colorize_hub.demo.film.work import film_hints, read_film_work, write_film_work
from colorize_hub.demo.messages import File, messages_for, path_of
from colorize_hub.demo.models import ModelShelf
from colorize_hub.demo.photo.pictures import jpeg_url
from colorize_hub.inference.colorizer import Colorizer

_LONGEST_JOB = 100  # characters


class ClipHandlers:
    """One page's endpoints for clips. They hold nothing but the clips and the models."""

    def __init__(
        self,
        clips: Clips,
        films: Films,
        models: ModelShelf,
        folders: Sequence[Path] | None = None,
    ) -> None:
        """Handle the events of one page.

        Args:
            clips: of the page.
            films: of the page.
            models: of the page.
            folders: clips are opened from these only; None opens any path.
        """
        self.clips = clips
        self._films = films
        self._models = models
        self._folders = folders

    def start_clip(
        self,
        clip: File,
        vividness: float | None = None,
        smoothing: float = 0.8,
        model: str = "",
        hints: str = "",
        visitor: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Begin to colour a clip, or wait in the queue; give its job, to ask `clip_state` with.

        smoothing: 0 (each frame on its own) to 1 (steadiest); vividness: 0 to 1, or the model's.
        hints: colours that stay through their shots, JSON as `colorize-hub video --hints` takes it.
        """
        path = path_of(clip, self._folders)
        with messages_for(path):
            if vividness is not None:
                vividness = number(vividness, "vividness", 0, 1)
            smoothing = 0.8 if smoothing is None else number(smoothing, "smoothing", 0, 1)
            fixed, index = None, None
            if hints:
                index = self._films.index(path)
                fixed = film_hints(read_film_work(hints, index).marks, index)
            colorizer = self._model(model, visitor)
            return self.clips.start(path, vividness, smoothing, colorizer, fixed, index)

    def clip_state(self, job: str) -> dict[str, Any]:
        """Tell how far a clip is: waiting, working, done or failed. Ask once a second or so."""
        with messages_for():
            return self.clips.state(_job(job))

    def clip_result(self, job: str) -> str:
        """Return the coloured clip, an MP4 that browsers play, once its state is done."""
        with messages_for():
            return str(self.clips.result(_job(job)))

    def pause_clip(self, job: str) -> dict[str, Any]:
        """Stop a clip half-way, and keep what there is of it for an hour."""
        with messages_for():
            self.clips.pause(_job(job))
        return {"state": "paused"}

    def resume_clip(self, job: str) -> dict[str, Any]:
        """Go on with a clip that stopped half-way: its state, as `clip_state` tells it."""
        with messages_for():
            return self.clips.resume(_job(job))

    def cancel_clip(self, job: str) -> dict[str, Any]:
        """Stop a clip, and delete what there is of it."""
        with messages_for():
            self.clips.cancel(_job(job))
        return {"state": "cancelled"}

    def _model(self, model: str, visitor: gr.Request | None) -> Colorizer:
        return self._models.get(model, visitor is None or at_the_machine(visitor.request))


class FilmHandlers:
    """One page's endpoints for looking at films and fixing their colours."""

    def __init__(
        self, films: Films, models: ModelShelf, folders: Sequence[Path], kept: Path
    ) -> None:
        """Handle the events of one page.

        Args:
            films: of the page.
            models: of the page.
            folders: films are opened from these only.
            kept: folder for previews; the page clears it.
        """
        self._films, self._models = films, models
        self._folders, self._kept = folders, kept / "previews"
        self._tracks = MarkTracks()

    def open_film(self, film: File) -> dict[str, Any]:
        """Open a film and begin to read it: its width, height, frames, about, and seconds."""
        path = path_of(film, self._folders)
        with messages_for(path):
            clip = self._films.open(path).clip
            return {
                "width": clip.shown[0],
                "height": clip.shown[1],
                "frames": clip.frames,
                "rate": float(clip.rate),
                "seconds": None if clip.seconds is None else float(clip.seconds),
            }

    def film_shots(self, film: File) -> dict[str, Any]:
        """Tell how far a film is read, and its shots: [first frame, frames, start, end] of each.

        state is "reading", with the shots so far, "done" or "failed". Start and end are seconds.
        """
        path = path_of(film, self._folders)
        with messages_for(path):
            return self._films.open(path).state()

    def film_frame(self, film: File, frame: int) -> str:
        """Return one frame, exactly, as a PNG file: a photo for the other endpoints."""
        path = path_of(film, self._folders)
        with messages_for(path):
            return str(self._films.frame_file(path, whole(frame, "frame", 0)))

    def film_marks(self, film: File, hints: str, frame: int) -> list[dict[str, Any]]:
        """Follow the marks of a frame's shot: where each lives, and where it is on that frame.

        hints is the work of the page as JSON. Each mark has mark, its number; frame; lives, runs of
        frames [first, last]; rgb; radius; and points on the frame, none where it is not seen.
        """
        path = path_of(film, self._folders)
        with messages_for(path):
            index = self._films.index(path)
            work = read_film_work(hints, index)
            return marks_on(self._tracks, index, work, self._number(frame, len(index.times)))

    def shot_picture(
        self,
        film: File,
        hints: str,
        frame: int,
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Return a frame in colour with its marks, small: picture, a JPEG data URL."""
        path = path_of(film, self._folders)
        with messages_for(path):
            index = self._films.index(path)
            work = read_film_work(hints, index)
            number = self._number(frame, len(index.times))
            colorizer = self._model(model, visitor)
            picture = shot_picture(colorizer, index, self._tracks, work, number)
            return {"picture": jpeg_url(picture)}

    def preview_shot(
        self,
        film: File,
        hints: str,
        frame: int,
        model: str = "",
        visitor: gr.Request | None = None,
    ) -> str:
        """Colour the shot around a frame quickly and small, 10 seconds of it at most: an MP4."""
        path = path_of(film, self._folders)
        with messages_for(path):
            index = self._films.index(path)
            work = read_film_work(hints, index)
            number = self._number(frame, len(index.times))
            colorizer = self._model(model, visitor)
            made = preview_film(colorizer, index, self._tracks, work, number, self._kept)
            return str(made)

    def read_film_hints(self, film: File, hints: str) -> dict[str, Any]:
        """Check saved hints against a film: the work of the page, its marks by frame numbers."""
        path = path_of(film, self._folders)
        with messages_for(path):
            index = self._films.index(path)
            return write_film_work(read_film_work(hints, index), index)

    def _number(self, frame: object, frames: int) -> int:
        return whole(frame, "frame", 0, frames - 1)

    def _model(self, model: str, visitor: gr.Request | None) -> Colorizer:
        return self._models.get(model, visitor is None or at_the_machine(visitor.request))


def _job(name: object) -> str:
    return text(name, "job", _LONGEST_JOB)
