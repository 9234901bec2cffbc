"""A model as a folder or a repo on the Hugging Face Hub: loaded strictly, saved, pushed.

Both hold config.json, which decides the whole network, and model.safetensors; never a pickle. A
repo is read at one commit, and no weight is used before all of them fit the network of config.json.
"""

import json
import os
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from colorize_hub.colorizer import Colorizer
from colorize_hub.config import ColorizerConfig, ConfigError
from colorize_hub.network import ColorNet
from colorize_hub.sources import (
    CARD,
    CONFIG,
    WEIGHTS,
    Folder,
    ModelError,
    ModelNotFoundError,
    Source,
    check_repo_id,
    find,
    hub_client,
    hub_errors,
)

__all__ = ["ModelError", "ModelNotFoundError", "load", "push", "save"]

BUNDLED = Path(__file__).parent / "models" / "default"
PUSHED = (CONFIG, WEIGHTS, CARD, "metrics.json", "samples.jpg")

_WEB_PAGE = "It is a web page: download the file itself, not the page that shows it."
_IMPOSTORS = {
    b"<!doctype": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"version https://git-lfs": "It is a Git LFS pointer: fetch the file with `git lfs pull`.",
    b"pk\x03\x04": "It is a zip archive or a pickle; only safetensors is read.",
}
_LISTED = 3  # tensors named in an error


def load(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    device: str | torch.device | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Colorizer:
    """Load a model, ready to colour.

    Args:
        name_or_path: a folder as `save` writes it, or "user/model" on the Hub; a folder of that
            name goes first. None loads the model that comes with the package.
        revision: branch, tag or commit hash of the repo; None is its main branch.
        device: where to compute; None lets the Colorizer choose.
        token: for private and gated repos; None uses the one of `hf auth login`.
        local_files_only: use what is cached and ask no server.

    Raises:
        ModelNotFoundError: there is no such folder, file, repo or revision.
        ModelError: the model is there but cannot be used, or the Hub cannot be reached.
    """
    source = find(
        BUNDLED if name_or_path is None else name_or_path, revision, token, local_files_only
    )
    config = _read_config(source)
    return Colorizer(_read_network(source, config), device=device)


def save(network: ColorNet, folder: str | os.PathLike[str], *, card: str | None = None) -> Path:
    """Write a model to a folder: config.json, model.safetensors (float32) and, if given, README.md.

    Each file is replaced as a whole. Equal weights give equal bytes.

    Args:
        network: on any device, in any precision.
        folder: made if missing; other files in it stay.
        card: text of README.md, see model_card.render_model_card.

    Returns:
        The folder.

    Raises:
        ModelError: there is a file where the folder should be.
    """
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ModelError(f"save writes a folder, but {folder} is a file; name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(network.config.to_dict(), indent=2, sort_keys=True) + "\n"
    _replace(folder / WEIGHTS, _weights_bytes(network))
    _replace(folder / CONFIG, config.encode())
    if card is not None:
        _replace(folder / CARD, card.encode())
    return folder


def push(
    folder: str | os.PathLike[str],
    repo_id: str,
    *,
    private: bool = False,
    token: str | bool | None = None,
    revision: str | None = None,
) -> str:
    """Publish a saved folder on the Hub, in one commit, after loading it as a user would.

    config.json, model.safetensors and README.md go up, and metrics.json and samples.jpg if present;
    other files of the repo stay.

    Args:
        folder: from `save`, with a card.
        repo_id: "user/model"; made if it does not exist.
        private: for a repo that is made now.
        token: None uses the one of `hf auth login`.
        revision: branch to push to, made if it does not exist; None is main.

    Returns:
        The URL of the commit.

    Raises:
        ModelNotFoundError: a file is missing from the folder, or the repo cannot be seen.
        ModelError: the folder does not load, the Hub refuses, or somebody else pushed meanwhile.
    """
    from huggingface_hub import CommitOperationAdd

    source = Folder(Path(folder).expanduser())
    source.file(CARD)
    load(source.path, device="cpu")
    check_repo_id(repo_id)
    files = [source.path / name for name in PUSHED if (source.path / name).is_file()]
    api = hub_client(token)
    with hub_errors(repo_id, revision):
        api.create_repo(repo_id, private=private, exist_ok=True)
        if revision is not None:
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        commit = api.create_commit(
            repo_id,
            [CommitOperationAdd(path.name, path) for path in files],
            commit_message="Push model with colorize_hub",
            revision=revision,
            parent_commit=api.model_info(repo_id, revision=revision).sha,
        )
    return commit.commit_url


def _read_config(source: Source) -> ColorizerConfig:
    path = source.file(CONFIG)
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{CONFIG} of {source} is not JSON: {error}. {_impostor(path)}") from error
    try:
        return ColorizerConfig.from_dict(values)
    except ConfigError as error:
        raise ModelError(f"{CONFIG} of {source} cannot be used: {error}") from error


def _read_network(source: Source, config: ColorizerConfig) -> ColorNet:
    path = source.file(WEIGHTS)
    try:
        tensors = safetensors.torch.load_file(path)
    except (SafetensorError, KeyError) as error:
        raise ModelError(
            f"{WEIGHTS} of {source} is not a whole safetensors file: {error}. {_impostor(path)}"
        ) from error
    try:
        network = ColorNet(config)
    except ConfigError as error:
        raise ModelError(f"{CONFIG} of {source} cannot be used: {error}") from error
    misfits = _misfits(tensors, network.state_dict())
    if misfits:
        raise ModelError(f"{WEIGHTS} of {source} does not fit its {CONFIG}: {'; '.join(misfits)}.")
    network.load_state_dict(tensors, strict=True)
    return network.eval()


def _misfits(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> list[str]:
    """What keeps tensors from being a network's weights, in words; nothing if they can be."""
    shared = sorted(tensors.keys() & expected.keys())
    same = [name for name in shared if _describe(tensors[name]) == _describe(expected[name])]
    findings = {
        "missing": sorted(expected.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - expected.keys()),
        "of another shape or type": [
            f"{name} is {_describe(tensors[name])}, expected {_describe(expected[name])}"
            for name in sorted(set(shared) - set(same))
        ],
        "not finite": [name for name in same if not tensors[name].isfinite().all()],
    }
    return [
        f"{len(names)} {finding} ({', '.join(names[:_LISTED])}{', ...' * (len(names) > _LISTED)})"
        for finding, names in findings.items()
        if names
    ]


def _describe(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype}".replace("torch.", "")


def _impostor(path: Path) -> str:
    """A hint at what a broken file really is."""
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    known = (hint for magic, hint in _IMPOSTORS.items() if start.startswith(magic))
    return next(known, "Download or save it again.")


def _weights_bytes(network: ColorNet) -> bytes:
    """The network in safetensors, with a header that is always in the same order.

    safetensors orders the metadata at random, so one network would have many hashes.
    """
    tensors = {
        name: value.detach().to("cpu", torch.float32 if value.is_floating_point() else None)
        for name, value in network.state_dict().items()
    }
    metadata = {"architecture": type(network).__name__, "format": "pt"}
    data = safetensors.torch.save({n: t.contiguous() for n, t in tensors.items()}, metadata)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end]) | {"__metadata__": metadata}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    return len(text).to_bytes(8, "little") + text + data[end:]


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
