"""From a run to the Hub: its record, checkpoints in the background, the finished model."""

import json
import logging
import platform
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

from colorize_hub.atomic import write_atomically
from colorize_hub.errors import ModelError
from colorize_hub.hub.commits import commit_files, open_branch
from colorize_hub.hub.remote import check_repo_id, hub_client, hub_errors
from colorize_hub.hub.sources import CARD, CONFIG, METRICS, WEIGHTS
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.weights import weights_bytes
from colorize_hub.publish.model_card import render_model_card
from colorize_hub.publish.provenance import PROVENANCE, Provenance, read_provenance
from colorize_hub.publish.release import TRAINING, push
from colorize_hub.version import __version__
from train.data.examples import Examples, TrainingData
from train.run.config import TrainConfig

BRANCH = "checkpoints"

_LIBRARIES = ("torch", "timm", "datasets", "accelerate", "huggingface_hub")

logger = logging.getLogger(__name__)


class Uploader:
    """Sends a run's models to a repo on the Hub.

    Checkpoints go up in a thread, one at a time; one that falls due while another is on its way is
    left out. What goes wrong with them is logged and never stops the run.
    """

    def __init__(self, config: TrainConfig) -> None:
        """Make the repo, so that a missing token is found before hours of training.

        Raises:
            ModelError: the Hub refuses.
        """
        self._repo_id = str(config.push)
        self._config = config
        self._client = hub_client(None)
        self._sending: Future[None] | None = None
        check_repo_id(self._repo_id)
        with hub_errors(self._repo_id, config.revision):
            open_branch(self._client, self._repo_id, private=config.private)

    def wants(self, step: int) -> bool:
        """Whether a checkpoint of this step should be sent."""
        every = self._config.push_every
        return every > 0 and step % every == 0 and step < self._config.steps

    def send(self, step: int, network: ColorNet) -> None:
        """Send a checkpoint to the branch `checkpoints`, and return at once."""
        if self._sending is not None and not self._sending.done():
            logger.warning("The checkpoint of step %d is not sent: one is on its way.", step)
            return
        files = {
            WEIGHTS: weights_bytes(network),
            CONFIG: _as_json(network.config.to_dict()),
            TRAINING: _as_json({"step": step, "arguments": _arguments(self._config)}),
        }
        self._sending = self._client.run_as_future(self._commit, step, files)

    def finish(self, folder: Path) -> None:
        """Wait for the checkpoint on its way, then publish the finished model.

        Raises:
            ModelError: the Hub does not take it; the folder stays as it is.
        """
        if self._sending is not None:
            self._sending.result()
        _write_card(folder, self._repo_id)
        revision = self._config.revision
        release = push(folder, self._repo_id, private=self._config.private, revision=revision)
        logger.info("Published %s", release.url)

    def _commit(self, step: int, files: dict[str, bytes]) -> None:
        try:
            with hub_errors(self._repo_id, BRANCH):
                parent = open_branch(self._client, self._repo_id, revision=BRANCH)
                done = commit_files(
                    self._client,
                    self._repo_id,
                    files,
                    parent=parent,
                    message=f"Checkpoint of step {step}",
                    revision=BRANCH,
                )
            logger.info("Sent the checkpoint of step %d: %s", step, done.commit_url)
        except ModelError as error:
            logger.warning("The checkpoint of step %d was not sent: %s", step, error)


def write_record(config: TrainConfig, seconds: float, data: TrainingData, folder: Path) -> None:
    """Write training.json, how the model was trained, and provenance.json if there is none.

    Args:
        config: of the run.
        seconds: spent in training.
        data: trained on.
        folder: of the finished model.
    """
    record: dict[str, object] = {
        "arguments": _arguments(config),
        "data": data.description,
        "pictures_seen": config.steps * config.batch,
        "training_hours": round(seconds / 3600, 3),
        "versions": {"python": platform.python_version(), **_versions()},
    }
    write_atomically(folder / TRAINING, _as_json(record))
    if (folder / PROVENANCE).exists():
        return
    name = _public(config.data)
    count = data.source.pictures if isinstance(data.source, Examples) else config.pictures
    provenance = Provenance(
        model_name=(config.push or config.output.name).rpartition("/")[2],
        repo_id=config.push,
        data=[(name, count, "see the dataset" if name == config.data else "not stated")],
        pictures_seen=config.steps * config.batch,
        training_hours=round(seconds / 3600, 3),
        encoder_weights=_encoder_weights(config),
        license="unknown",
        hub_datasets=[name] if name == config.data and "/" in name else [],
    )
    write_atomically(folder / PROVENANCE, _as_json(provenance.to_dict()))


def _write_card(folder: Path, repo_id: str) -> None:
    """Return a first card from the run's own facts; train.publish writes a fuller one."""
    if (folder / CARD).exists() or not (folder / METRICS).exists():
        return
    metrics = json.loads((folder / METRICS).read_bytes())
    config = ColorizerConfig.from_dict(json.loads((folder / CONFIG).read_bytes()))
    card = render_model_card(config, metrics, read_provenance(folder / PROVENANCE))
    write_atomically(folder / CARD, card)


def _arguments(config: TrainConfig) -> dict[str, object]:
    """Return the flags of the run, without paths of this computer."""
    hidden = {"output", "resume", "push", "push_every", "private", "revision", "log"}
    values: dict[str, object] = {
        field.name: getattr(config, field.name)
        for field in fields(config)
        if field.name not in hidden
    }
    values["data"], values["encoder_weights"] = map(_public, (config.data, config.encoder_weights))
    return {k: _public(str(v)) if isinstance(v, Path) else v for k, v in values.items()}


def _public(name: str) -> str:
    """Return a path by its last part; anything else as it is."""
    return Path(name).name if Path(name).exists() else name


def _encoder_weights(config: TrainConfig) -> str:
    known = {"none": "random weights", "imagenet": "timm's ImageNet weights"}
    return known.get(config.encoder_weights, _public(config.encoder_weights))


def _versions() -> dict[str, str]:
    return {"colorize-hub": __version__} | {name: version(name) for name in _LIBRARIES}


def _as_json(values: Mapping[str, object]) -> bytes:
    return f"{json.dumps(values, indent=2)}\n".encode()
