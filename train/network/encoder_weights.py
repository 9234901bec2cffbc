"""Where a backbone's pretrained weights come from."""

from pathlib import Path
from pickle import UnpicklingError

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn


def load_encoder_weights(encoder: nn.Module, name: str, source: str) -> None:
    """Fill a timm backbone with pretrained weights, in place.

    Args:
        encoder: features_only model or classifier of timm.
        name: its timm name, used to ask the Hub.
        source: "imagenet" (timm's weights, from the Hub), "none" (leave it random), or a local
            .safetensors or .pth file. Keys are matched by name or else, for other packagings of
            the same architecture, one after the other with every shape checked.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the weights do not fit the backbone.
    """
    if source == "none":
        return
    if source == "imagenet":
        try:
            pretrained = timm.create_model(name, pretrained=True)
        except Exception as error:
            raise ValueError(
                f"The ImageNet weights of {name} could not be fetched from the Hub ({error}). "
                "Give a local file with --encoder-weights FILE, or start from nothing with "
                "--encoder-weights none."
            ) from error
        weights = pretrained.state_dict()
    else:
        weights = _read_weights(Path(source))
    encoder.load_state_dict(_match(encoder.state_dict(), weights, source))


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"--encoder-weights: there is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(f"--encoder-weights: {path} cannot be read ({error}).") from error
    if isinstance(weights, dict) and isinstance(weights.get("state_dict"), dict):
        weights = weights["state_dict"]
    if not isinstance(weights, dict) or not all(isinstance(w, Tensor) for w in weights.values()):
        raise ValueError(f"--encoder-weights: {path} should hold a state_dict: tensors by name.")
    return weights


def _match(wanted: dict[str, Tensor], given: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return the given tensors under the wanted names; the given may go on (with a classifier)."""
    if wanted.keys() <= given.keys():
        matched = {key: given[key] for key in wanted}
    else:
        matched = dict(zip(wanted, given.values(), strict=False))
    for key, tensor in wanted.items():
        if key not in matched or matched[key].shape != tensor.shape:
            got = tuple(matched[key].shape) if key in matched else "nothing"
            raise ValueError(
                f"The weights of {source} do not fit the encoder: {key} should be "
                f"{tuple(tensor.shape)}, got {got}. Are they of another architecture?"
            )
    return matched
