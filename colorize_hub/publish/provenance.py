"""Where a model comes from, as a person states it: provenance.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any

PROVENANCE = "provenance.json"
_ROW = ("name", "pictures", "licence")


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from.

    provenance.json is an object with these names; the last five may be left out, and a row of
    `data` is {"name": ..., "pictures": ..., "licence": ...} there.

    Attributes:
        model_name: title of the card.
        repo_id: "user/model"; None for a model that is only a folder.
        data: training data as (name, number of pictures, licence).
        pictures_seen: pictures shown to the network in training, repeats counted.
        training_hours: wall-clock hours.
        encoder_weights: what the encoder started from, with its licence.
        license: of these weights, as the Hub spells it.
        hub_datasets: ids of the training data that is on the Hub.
        hardware: what it was trained on, such as "two CPU cores".
        notes: sentences for the card's training section.
    """

    model_name: str
    repo_id: str | None
    data: Sequence[tuple[str, int, str]]
    pictures_seen: int
    training_hours: float
    encoder_weights: str
    license: str = "apache-2.0"
    hub_datasets: Sequence[str] = ()
    hardware: str = ""
    notes: str = ""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Build it from the parsed provenance.json.

        Raises:
            ValueError: a name is missing or unknown, or a value is of the wrong type.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"{PROVENANCE} must hold an object, got {type(values).__name__}.")
        known = {field.name for field in fields(cls)}
        needed = ("model_name", "data", "pictures_seen", "training_hours", "encoder_weights")
        unknown, missing = sorted(values.keys() - known), [n for n in needed if n not in values]
        if unknown or missing:
            trouble = f"has unknown name {unknown[0]!r}" if unknown else f"lacks {missing[0]!r}"
            raise ValueError(f"{PROVENANCE} {trouble}; it holds {', '.join(sorted(known))}.")
        for name in ("model_name", "encoder_weights", "license", "hardware", "notes"):
            _check(name, values.get(name, ""), str, "text")
        _check("repo_id", values.get("repo_id") or "", str, "text or null")
        _check("pictures_seen", values["pictures_seen"], int, "a whole number")
        _check("training_hours", values["training_hours"], int | float, "a number of hours")
        _check("data", values["data"], list, "a list of rows")
        _check("hub_datasets", values.get("hub_datasets", []), list, "a list of dataset ids")
        data = tuple(_row(row) for row in values["data"])
        return cls(**{"repo_id": None, **values, "data": data})

    def to_dict(self) -> dict[str, object]:
        """Return the content of provenance.json."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        rows = [dict(zip(_ROW, row, strict=True)) for row in self.data]
        return {**plain, "data": rows, "hub_datasets": list(self.hub_datasets)}


def read_provenance(path: str | PathLike[str]) -> Provenance:
    """Read a provenance.json.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON, or not as `Provenance` describes it.
    """
    try:
        return Provenance.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}") from error


def _row(row: object) -> tuple[str, int, str]:
    if not isinstance(row, Mapping) or set(row) != set(_ROW):
        raise ValueError(f"a row of data holds {', '.join(_ROW)} and nothing else, got {row!r}.")
    _check("name of a row of data", row["name"], str, "text")
    _check("pictures of a row of data", row["pictures"], int, "a whole number")
    _check("licence of a row of data", row["licence"], str, "text")
    return row["name"], row["pictures"], row["licence"]


def _check(name: str, value: object, kind: Any, wanted: str) -> None:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError(f"{name} must be {wanted}, got {value!r}.")
