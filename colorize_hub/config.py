"""ColorizerConfig: everything that decides what the network is and how its answer is decoded."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

FORMAT_VERSION = 1
_WIDEST = 4096  # a config.json from elsewhere must not be able to exhaust the memory


class ConfigError(ValueError):
    """A config.json that does not describe a colorizer this version can build."""


@dataclass(frozen=True)
class ColorizerConfig:
    """The whole of config.json.

    Attributes:
        encoder: name of a timm model that offers `features_only` with strides 4, 8, 16 and 32.
        decoder_channels: widths of the decoder at strides 32, 16, 8 and 4.
        bin_step: spacing of the ab palette in CIE units.
        size: working short side in pixels at inference.
        vividness: decoding sharpness 0..1 used when the caller gives none (see bins.temperature).
        chroma_scale: factor on the decoded ab, calibrated together with vividness.
        format_version: of config.json itself.
    """

    encoder: str = "tf_efficientnet_lite0"
    decoder_channels: tuple[int, int, int, int] = (256, 192, 128, 64)
    bin_step: int = 10
    size: int = 256
    vividness: float = 0.5
    chroma_scale: float = 1.0
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        channels = tuple(self.decoder_channels)
        object.__setattr__(self, "decoder_channels", channels)
        if not isinstance(self.encoder, str) or not self.encoder:
            raise ConfigError(f"encoder must be the name of a timm model, got {self.encoder!r}.")
        if len(channels) != 4 or not all(_is_int(c) and 0 < c <= _WIDEST for c in channels):
            raise ConfigError(
                f"decoder_channels must be 4 integers 1..{_WIDEST} (strides 32, 16, 8, 4), got "
                f"{channels}."
            )
        for name, least, most in (("bin_step", 2, 50), ("size", 32, 2048)):
            value = getattr(self, name)
            if not _is_int(value) or not least <= value <= most:
                raise ConfigError(f"{name} must be an integer {least}..{most}, got {value!r}.")
        for name, most in (("vividness", 1.0), ("chroma_scale", 4.0)):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= most:
                raise ConfigError(f"{name} must be a number 0..{most:g}, got {value!r}.")
        if self.format_version != FORMAT_VERSION:
            raise ConfigError(
                f"config.json has format_version {self.format_version!r}; this colorize_hub reads "
                f"{FORMAT_VERSION}. Upgrade: pip install -U colorize-hub."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "ColorizerConfig":
        """Build a config from the parsed config.json.

        Raises:
            ConfigError: not a mapping, an unknown key, or a value of the wrong type or range.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"config.json must hold an object, got {type(values).__name__}.")
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(
                f"config.json has unknown key {unknown[0]!r}; this colorize_hub knows "
                f"{', '.join(sorted(known))}. It may need a newer version."
            )
        channels = values.get("decoder_channels", cls.decoder_channels)
        if not isinstance(channels, list | tuple):
            raise ConfigError(f"decoder_channels must be a list of 4 integers, got {channels!r}.")
        return cls(**{**values, "decoder_channels": tuple(channels)})  # pyright: ignore[reportArgumentType]

    def to_dict(self) -> dict[str, object]:
        """The content of config.json."""
        return {**asdict(self), "decoder_channels": list(self.decoder_channels)}


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
