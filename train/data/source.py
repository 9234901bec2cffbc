"""Pictures from `datasets`: opened from any source, cleaned and decoded once."""

import glob
import io
import os
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import datasets
import numpy as np
from datasets import config
from datasets.exceptions import DatasetNotFoundError
from fsspec.core import url_to_fs
from PIL import Image, ImageOps

_LEAST_SIDE = 64
_LEAST_COLOURFULNESS = 10.0  # Hasler-Suesstrunk, 8-bit; greyer pictures teach grey


def cores() -> int:
    """Count the CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_dataset(
    data: str,
    split: str,
    column: str | None,
    streaming: bool,
    config_name: str | None = None,
) -> datasets.Dataset | datasets.IterableDataset:
    """Open pictures as a dataset with the single column "image", still encoded.

    Args:
        data: Hub dataset id, folder of pictures or of parquet files, or a parquet file.
        split: for Hub datasets; files on disk are all one split.
        column: image column; None finds it.
        streaming: an IterableDataset instead of a map-style one.
        config_name: of a Hub dataset that has several configurations; None takes the only one.

    Raises:
        FileNotFoundError: data looks like a path and is not there, or the Hub does not show it.
        ValueError: no such split or configuration, no image column, or more than one and none
            named.
    """
    source, files = _source(data)
    if files and config_name is not None:
        raise ValueError(f"--config-name is for datasets of the Hub; {data} is here on disk.")
    try:
        opened = datasets.load_dataset(
            source,
            config_name,
            data_files=files,
            split="train" if files else split,
            streaming=streaming,
        )
    except (OSError, ValueError) as error:
        raise _explained(error, data) from error
    if opened.features is None:
        raise ValueError(f"{data} does not tell its columns while it streams; drop --streaming.")
    column = column or _image_column(opened.features, data)
    _check_column(opened.features, column, data)
    if isinstance(opened, datasets.IterableDataset):
        opened = opened.decode(False)  # streams from the Hub decode by themselves, before any cast
    opened = opened.select_columns([column])
    if column != "image":
        opened = opened.rename_column(column, "image")
    return opened.cast_column("image", datasets.Image(decode=False))


def _explained(error: OSError | ValueError, data: str) -> OSError | ValueError:
    """Return what to do about a dataset of the Hub that does not open."""
    reason = " ".join(str(error).split())
    sign_in = "run `hf auth login`, or set HF_TOKEN"
    if "gated" in reason:
        return PermissionError(
            f"--data: {data} is gated: accept its terms at {config.HF_ENDPOINT}/datasets/{data}, "
            f"then {sign_in}."
        )
    if isinstance(error, DatasetNotFoundError):
        return FileNotFoundError(
            f"--data: {data} is no file or folder here and no dataset that the Hub shows. Check "
            f"the name; if it is private, {sign_in}."
        )
    if "Config name is missing" in reason or "BuilderConfig" in reason:
        listed = reason.partition("vailable")[2].partition("[")[2].partition("]")[0]
        names = listed.replace("'", "")
        return ValueError(f"{data} has configurations; name one by --config-name: {names}.")
    if "split" in reason:
        return ValueError(f"--split: {reason}")
    return type(error)(f"--data: {data} cannot be opened: {reason}")


def _source(data: str) -> tuple[str, str | list[str] | None]:
    """Return what load_dataset calls it: builder and files, or a Hub id and None."""
    path = Path(data)
    if path.is_file():
        if path.suffix != ".parquet":
            raise ValueError(f"--data: {data} is a file but no .parquet; give the folder it is in.")
        return "parquet", str(path)
    if path.is_dir():
        parquet = sorted(map(str, path.glob("*.parquet")))
        return ("parquet", parquet) if parquet else ("imagefolder", f"{glob.escape(data)}/**")
    if path.is_absolute() or data.startswith((".", "~")) or data.count("/") > 1 or not path.name:
        raise FileNotFoundError(f"--data: {data} is neither a file nor a folder here.")
    return data, None


def _check_column(features: datasets.Features, column: str, data: str) -> None:
    if column not in features:
        raise ValueError(
            f"--column: {data} has no column {column!r}; it has {', '.join(features)}."
        )
    kind = features[column]
    plain_bytes = isinstance(kind, datasets.Value) and "binary" in kind.dtype
    encoded = isinstance(kind, dict) and "bytes" in kind
    if not (isinstance(kind, datasets.Image) or plain_bytes or encoded):
        raise ValueError(f"--column: {column!r} of {data} holds no pictures but {kind}.")


def _image_column(features: datasets.Features, data: str) -> str:
    named = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    if len(named) == 1:
        return named[0]
    if not named and "image" in features:
        return "image"
    raise ValueError(
        f"{data} has {len(named)} image columns ({', '.join(named) or 'none found'}) among "
        f"{', '.join(features)}; name one with --column."
    )


def decode_picture(encoded: dict[str, object] | None, short_side: int) -> np.ndarray | str:
    """Decode one row to (H, W, 3) uint8 of at most this short side, or say why it is dropped.

    Returns:
        The picture, or "broken", "small" or "grey".
    """
    try:
        with _open_encoded(encoded) as file, Image.open(file) as opened:
            opened.draft("RGB", (short_side, short_side))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except Exception:  # decoders raise anything on broken files, struct.error and KeyError too
        return "broken"
    short = min(picture.size)
    if short < _LEAST_SIDE:
        return "small"
    if short > short_side:
        width, height = (round(side * short_side / short) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    rgb = np.asarray(picture)
    return "grey" if _colorfulness(rgb) < _LEAST_COLOURFULNESS else rgb


def _open_encoded(encoded: dict[str, object] | None) -> BinaryIO:
    if encoded is None:
        raise ValueError("empty row")
    if isinstance(encoded["bytes"], bytes):
        return io.BytesIO(encoded["bytes"])
    path = str(encoded["path"])
    if "://" not in path:
        return open(path, "rb")
    filesystem, path = url_to_fs(path)  # on the Hub or in an archive, while streaming
    return filesystem.open(path, "rb")


def _colorfulness(rgb: np.ndarray) -> float:
    red, green, blue = (rgb[::2, ::2, c].astype(np.float32) for c in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


class Pictures:
    """Decoded pictures, memory-mapped from the datasets cache, grey and broken ones left out.

    Attributes:
        dropped: how many were left out, by reason.
    """

    def __init__(self, dataset: datasets.Dataset, short_side: int) -> None:
        decoded = dataset.map(
            _decode_rows,
            batched=True,
            batch_size=64,
            num_proc=cores() if len(dataset) > 1000 else None,
            fn_kwargs={"short_side": short_side},
            remove_columns=dataset.column_names,
            features=datasets.Features(
                rgb=datasets.Value("large_binary"),
                height=datasets.Value("int32"),
                outcome=datasets.Value("string"),
            ),
            writer_batch_size=256,
            desc="decoding pictures (once)",
        )
        outcome = np.asarray(decoded.data.column("outcome"))
        self.dropped = Counter(str(reason) for reason in outcome[outcome != "kept"])
        self._kept = np.flatnonzero(outcome == "kept")
        self._decoded = decoded
        if not len(self._kept):
            raise ValueError(f"No usable picture in the data; dropped: {dict(self.dropped)}.")

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8."""
        row = self._decoded[int(self._kept[index])]
        return np.frombuffer(row["rgb"], np.uint8).reshape(row["height"], -1, 3)

    def split(self, validation: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Shuffled indices for (training, validation); at most a fifth is held out."""
        order = np.random.default_rng(seed).permutation(len(self))
        held = min(validation, len(self) // 5)
        return order[held:], order[:held]


def _decode_rows(rows: dict[str, list], short_side: int) -> dict[str, list]:
    decoded = [decode_picture(row, short_side) for row in rows["image"]]
    kept = [picture if isinstance(picture, np.ndarray) else None for picture in decoded]
    return {
        "rgb": [b"" if picture is None else picture.tobytes() for picture in kept],
        "height": [0 if picture is None else len(picture) for picture in kept],
        "outcome": [d if isinstance(d, str) else "kept" for d in decoded],
    }
