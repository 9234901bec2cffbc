"""The ImageNet classifier whose features KID compares; never a part of a colorizer."""

from pathlib import Path

import timm
import torch
from timm.data.config import resolve_data_config
from torch import Tensor

from colorize_hub.inference.colorizer import Colorizer
from train.network.encoder_weights import load_encoder_weights


class Classifier:
    """A pretrained classifier, cut off before its last layer."""

    def __init__(self, name: str, weights: str, device: torch.device) -> None:
        """Build it.

        Args:
            name: of a timm model.
            weights: "imagenet" (timm's, from the Hub) or a local .safetensors or .pth file.
            device: where to compute.

        Raises:
            ConnectionError: the Hub does not give the weights.
            FileNotFoundError: there is no such weights file.
            ValueError: timm has no such model, or the file does not fit it.
        """
        if not timm.is_model(name):
            raise ValueError(f"--kid-encoder: timm has no model {name!r}; see timm.list_models().")
        if weights != "imagenet" and not Path(weights).is_file():
            raise FileNotFoundError(f"--kid-weights: there is no file {weights}.")
        self._network = timm.create_model(name, pretrained=False)
        try:
            load_encoder_weights(self._network, name, weights)
        except ValueError as error:
            if weights != "imagenet":
                raise
            reason = str(error.__cause__ or error).rstrip(".")
            raise ConnectionError(
                f"the weights of {name} could not be fetched from the Hub ({reason}); "
                "give a local file with --kid-weights FILE."
            ) from error
        self._network.eval().to(device)
        self._device = device
        described = resolve_data_config({}, model=self._network)
        self._mean = torch.tensor(described["mean"], device=device).reshape(3, 1, 1)
        self._std = torch.tensor(described["std"], device=device).reshape(3, 1, 1)

    @torch.inference_mode()
    def features(self, rgb: Tensor) -> Tensor:
        """Pooled features, (B, 3, H, W) uint8 sRGB to (B, D) on the CPU; sizes stay as they are."""
        pictures = (rgb.to(self._device).float() / 255 - self._mean) / self._std
        maps = self._network.forward_features(pictures)  # pyright: ignore
        return self._network.forward_head(maps, pre_logits=True).cpu()  # pyright: ignore


def open_classifier(name: str, weights: str, colorizer: Colorizer) -> Classifier | None:
    """Load the classifier for KID; None, and the reason printed, if there are no weights.

    Args:
        name: of a timm model, as --kid-encoder gives it.
        weights: "imagenet", "none" or a file, as --kid-weights gives it.
        colorizer: the model to be judged, which must be built on another encoder.

    Raises:
        FileNotFoundError: there is no such weights file.
        ValueError: the classifier is the model's own encoder, is unknown, or does not fit.
    """
    if weights == "none":
        print("KID is left out: --kid-weights none.")
        return None
    if name == colorizer.config.encoder:
        raise ValueError(
            f"--kid-encoder {name} is the encoder of the model itself, which would judge its own "
            "work; name another timm model."
        )
    try:
        return Classifier(name, weights, torch.device(colorizer.device))
    except ConnectionError as error:
        print(f"KID is left out: {error}")
        return None
