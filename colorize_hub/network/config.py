"""ColorizerConfig: everything that decides what the network is and how its answer is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from reprlib import repr as short  # a config.json from elsewhere may hold a megabyte in one value
from typing import TypeGuard

FORMAT_VERSION = 6
ARCHITECTURE = "ColorNet"
OWN_ENCODER = "tf_efficientnet_lite0"  # every other one is built by timm
_LONGEST_NAME = 100
_LARGEST = 1000  # a coefficient of strength
_WIDEST = 4096  # a config.json from elsewhere must not be able to exhaust the memory


class ConfigError(ValueError):
    """A config.json that does not describe a colorizer this version can build."""


@dataclass(frozen=True)
class ColorizerConfig:
    """The whole of config.json.

    Attributes:
        encoder: name of a timm model that offers `features_only` with strides 4, 8, 16 and 32;
            one other than OWN_ENCODER needs the extra "encoders".
        decoder_channels: widths of the decoder at strides 32, 16, 8 and 4.
        bin_step: spacing of the ab palette in CIE units.
        size: working short side in pixels at inference.
        overview: short side in pixels at which a larger picture is seen once more, for the broad
            layout of its colours (see look.py); best the size of training. 0 for never.
        hint_attention: width of the attention from cells to hints (see attention.py), a multiple
            of 6; 0 for none.
        vividness: decoding sharpness 0..1 used when none is given (see palette.temperature).
        chroma_scale: factor on the decoded ab, calibrated together with vividness.
        strength: what says how strong the colours of a picture may be (see strength.py): a number
            for each of the decoder's last maps and one more; none for 1 everywhere.
        architecture: name of the network class.
        format_version: of config.json itself; from_dict reads older ones.
    """

    encoder: str = OWN_ENCODER
    decoder_channels: tuple[int, int, int, int] = (256, 192, 128, 64)
    bin_step: int = 10
    size: int = 256
    overview: int = 128
    hint_attention: int = 0
    vividness: float = 0.5
    chroma_scale: float = 1.0
    strength: tuple[float, ...] = ()
    architecture: str = ARCHITECTURE
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        channels = tuple(self.decoder_channels)
        object.__setattr__(self, "decoder_channels", channels)
        if not isinstance(self.encoder, str) or not 0 < len(self.encoder) <= _LONGEST_NAME:
            raise ConfigError(
                f"encoder must be the name of a timm model, got {short(self.encoder)}."
            )
        if self.architecture != ARCHITECTURE:
            raise ConfigError(
                f"config.json describes a network {short(self.architecture)}; this colorize_hub "
                f"builds {ARCHITECTURE}. It may need a newer version: pip install -U colorize-hub."
            )
        if len(channels) != 4 or not all(_is_int(c) and 0 < c <= _WIDEST for c in channels):
            raise ConfigError(
                f"decoder_channels must be 4 integers 1..{_WIDEST} (strides 32, 16, 8, 4), got "
                f"{short(channels)}."
            )
        for name, least, most in (("bin_step", 2, 50), ("size", 32, 2048)):
            value = getattr(self, name)
            if not _is_int(value) or not least <= value <= most:
                raise ConfigError(f"{name} must be an integer {least}..{most}, got {short(value)}.")
        if not _is_int(self.overview) or not 0 <= self.overview <= 2048 or self.overview % 32:
            raise ConfigError(
                f"overview must be a multiple of 32, 0..2048, got {short(self.overview)}."
            )
        width = self.hint_attention
        if not _is_int(width) or not 0 <= width <= _WIDEST or width % 6:
            raise ConfigError(
                f"hint_attention must be a multiple of 6, 0..{_WIDEST}, got {short(width)}."
            )
        for name, most in (("vividness", 1.0), ("chroma_scale", 4.0)):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= most:
                raise ConfigError(f"{name} must be a number 0..{most:g}, got {short(value)}.")
        self._check_strength()
        if not _is_int(self.format_version) or self.format_version != FORMAT_VERSION:
            raise ConfigError(
                f"config.json has format_version {short(self.format_version)}; this colorize_hub "
                f"reads 1..{FORMAT_VERSION}. Upgrade: pip install -U colorize-hub."
            )

    def _check_strength(self) -> None:
        expected = self.decoder_channels[-1] + 1
        fits = isinstance(self.strength, tuple) and len(self.strength) in (0, expected)
        if not fits or not all(_is_number(one) and abs(one) <= _LARGEST for one in self.strength):
            raise ConfigError(
                f"strength must be a list of {expected} numbers (one more than the last of "
                f"decoder_channels) from -{_LARGEST} to {_LARGEST}, or empty, got "
                f"{short(self.strength)}."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> ColorizerConfig:
        """Build a config from the parsed config.json, of this format or an older one.

        Raises:
            ConfigError: not a mapping, an unknown key, or a value of the wrong type or range.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"config.json must hold an object, got {type(values).__name__}.")
        values = _migrated(values)
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(
                f"config.json has unknown key {short(unknown[0])}; this colorize_hub knows "
                f"{', '.join(sorted(known))}. It may need a newer version."
            )
        channels = values.get("decoder_channels", cls.decoder_channels)
        if not isinstance(channels, list | tuple):
            raise ConfigError(
                f"decoder_channels must be a list of 4 integers, got {short(channels)}."
            )
        given = values.get("strength", cls.strength)
        strength = tuple(given) if isinstance(given, list | tuple) else given
        lists = {"decoder_channels": tuple(channels), "strength": strength}
        return cls(**{**values, **lists})  # pyright: ignore[reportArgumentType]

    def to_dict(self) -> dict[str, object]:
        """Return the content of config.json."""
        lists = {name: list(getattr(self, name)) for name in ("decoder_channels", "strength")}
        return {**asdict(self), **lists}


def _name_the_architecture(values: dict[str, object]) -> dict[str, object]:
    """Format 1 knew one network and did not name it."""
    return {"architecture": ARCHITECTURE} | values


def _without_affinity(values: dict[str, object]) -> dict[str, object]:
    """Format 2 could ask for a learned map by which hints spread; no published model had one."""
    return {name: value for name, value in values.items() if (name, value) != ("affinity", 0)}


def _without_overview(values: dict[str, object]) -> dict[str, object]:
    """Models of format 3 saw a picture once, and were calibrated so."""
    return {"overview": 0} | values


def _without_attention(values: dict[str, object]) -> dict[str, object]:
    """Up to format 4 hints were spread by kriging alone."""
    return {"hint_attention": 0} | values


def _without_strength(values: dict[str, object]) -> dict[str, object]:
    """Up to format 5 the colours of every picture were as strong as decoded."""
    return {"strength": []} | values


# How a config.json of format n becomes one of format n + 1.
_MIGRATIONS: dict[int, Callable[[dict[str, object]], dict[str, object]]] = {
    1: _name_the_architecture,
    2: _without_affinity,
    3: _without_overview,
    4: _without_attention,
    5: _without_strength,
}


def _migrated(values: Mapping[str, object]) -> dict[str, object]:
    current = dict(values)
    version = current.get("format_version", FORMAT_VERSION)
    while _is_int(version) and (migrate := _MIGRATIONS.get(version)):
        version += 1
        current = migrate(current) | {"format_version": version}
    return current


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
