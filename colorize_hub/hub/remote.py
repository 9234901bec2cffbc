"""Talking to the Hub: a client that says who asks, patience on a bad day, errors in plain words.

huggingface_hub is imported when a repo is asked for: it costs more than 0.1 s, and a folder needs
none of it.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_WAITS = (0.5, 2.0)  # seconds before the second and the third try
_PASSING = {408, 429, 500, 502, 503, 504}
_OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Answer = TypeVar("Answer")


class DamagedFileError(OSError):
    """A download whose content is not what the Hub says it is."""


def hub_client(token: str | bool | None) -> HfApi:
    """Return a client that tells the Hub which library asks."""
    from huggingface_hub import HfApi

    return HfApi(token=token, library_name="colorize-hub", library_version=__version__)


def check_repo_id(name: str, kind: str = "model") -> None:
    """Refuse what cannot be "user/model".

    Raises:
        ModelNotFoundError: it cannot.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    reason = None
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        reason = error
    if reason or "/" not in name:
        raise ModelNotFoundError(
            f"There is no folder {name!r} here, and it cannot be a repo on the Hub, whose name "
            f'is written "user/{kind}".'
        ) from reason


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Ask again, twice, when the Hub fails in a way that passes: 5xx, 429, a broken connection."""
    for seconds in _WAITS:
        try:
            return ask()
        except Exception as error:  # what a client raises shares no base
            if not _passes(error):
                raise
        time.sleep(seconds)
    return ask()


@contextmanager
def hub_errors(
    repo_id: str, revision: str | None, file: str | None = None, kind: str = "model"
) -> Iterator[None]:
    """Turn whatever the Hub's client raises into one ModelError that says what to do.

    Args:
        repo_id: the repo that the client is asked about.
        revision: of it; None is main.
        file: asked for, if any.
        kind: model, dataset or space.

    Raises:
        ModelNotFoundError: no such repo, revision or file.
        ModelError: anything else the client raises.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # of the client, httpx, hf_xet or the disk: they share no base
        raise _explain(error, repo_id, revision or "main", file, kind) from error


def _passes(error: BaseException) -> bool:
    """Whether the same request may well succeed in a moment."""
    if isinstance(error, DamagedFileError):
        return True
    status = _status(error)
    if status is not None:
        return status in _PASSING
    if type(error).__name__ == "OfflineModeIsEnabled":
        return False
    cut_off = type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore")
    if cut_off or isinstance(error, ConnectionError | TimeoutError):
        return True
    return error.__cause__ is not None and _passes(error.__cause__)


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _explain(
    error: Exception, repo_id: str, revision: str, file: str | None, kind: str
) -> ModelError:
    from huggingface_hub import constants, errors

    sign_in = "run `hf auth login` or pass token="
    match error:
        case errors.GatedRepoError():
            page = f"{constants.ENDPOINT}/{'' if kind == 'model' else kind + 's/'}{repo_id}"
            return ModelError(f"{repo_id} is gated: accept its terms at {page}, then {sign_in}.")
        case errors.RepositoryNotFoundError():
            folder = "" if file is None else ", and there is no folder of that name here"
            return ModelNotFoundError(
                f"The Hub shows no {kind} repo {repo_id}{folder}. If the repo is private, "
                f"{sign_in}."
            )
        case errors.RevisionNotFoundError():
            return ModelNotFoundError(
                f"{repo_id} has no revision {revision}; name a branch, a tag or a full commit hash."
            )
        case errors.RemoteEntryNotFoundError():
            return ModelNotFoundError(
                f"{repo_id} has no file {file} at revision {revision}. A model repo is made by "
                f"`colorize-hub push`; only safetensors weights are read, never a pickle."
            )
    status = _status(error)
    reason = _reason(error)
    if status in (401, 403):
        return ModelError(
            f"The Hub refused access to {repo_id} ({reason}): {sign_in}, with a token that may "
            f"{'write' if file is None else 'read'} there."
        )
    if status == 412:
        return ModelError(
            f"Somebody else pushed to {repo_id} meanwhile; nothing was published and the files "
            f"here are unchanged. Look at what came, then push again."
        )
    if _is_out_of_space(error):
        return ModelError(
            f"{file or 'a file'} of {repo_id} could not be stored: {reason} Free some room, or "
            f"set HF_HOME to a folder on a larger disk."
        )
    if isinstance(error, DamagedFileError):
        return ModelError(f"{file} of {repo_id} at revision {revision} is damaged: {reason}")
    if file is not None:
        return ModelError(
            f"{file} of {repo_id} at revision {revision} is not in this machine's cache and could "
            f"not be fetched: {reason} Load it once while the Hub can be reached, or load a folder."
        )
    return ModelError(f"The Hub did not take the files for {repo_id}: {reason}")


def _is_out_of_space(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _OUT_OF_SPACE:
        return True
    return error.__cause__ is not None and _is_out_of_space(error.__cause__)


def _reason(error: Exception) -> str:
    """Return the first line of what the client says, as a sentence."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line if line.endswith((".", "!", "?")) else f"{line}."
