"""model.safetensors: what a network's weights must look like, read strictly, written to the bit.

A file from elsewhere is data that may lie. The network of its config.json is first built without
memory, on the meta device; size, header, names, shapes and types of the file have to fit it before
a weight is read, and all weights have to be finite before one is used.
"""

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.overrides import TorchFunctionMode

from colorize_hub.errors import ModelError
from colorize_hub.hub.sources import CONFIG, WEIGHTS, Source, impostor
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig, ConfigError

_MOST_PARAMETERS = 300_000_000
_MOST_HEADER = 2**21  # bytes; that of a large backbone has a tenth
_LISTED = 3  # tensors named in an error
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_DTYPES |= {"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8"}
_SETTERS = {"uniform_", "normal_", "erfinv_", "mul_", "div_", "add_", "sub_", "clamp_", "fill_"}
_SETTERS |= {"zero_", "copy_"}


def read_network(source: Source, config: ColorizerConfig) -> ColorNet:
    """Return the network of a config with the weights of a source, in eval mode.

    Raises:
        ModelNotFoundError: there is no weights file.
        ModelError: the config asks for what cannot be built, or the weights do not fit it.
    """
    network = _blank(source, config)
    expected = network.state_dict()
    bytes_of_tensors = sum(tensor.nbytes for tensor in expected.values())
    path = source.file(WEIGHTS, 8 + _MOST_HEADER + bytes_of_tensors)
    tensors = read_tensors(path, source, expected)
    network.load_state_dict(tensors, strict=True, assign=True)
    if any(tensor.is_meta for tensor in chain(network.parameters(), network.buffers())):
        network = ColorNet(config)  # it computes something that is not stored
        network.load_state_dict(tensors, strict=True)
    return network.eval()


def weights_bytes(network: ColorNet, half: bool = False) -> bytes:
    """Return the network in safetensors, with a header that is always in the same order.

    safetensors orders the metadata at random, so one network would have many hashes.

    Args:
        network: of any precision and layout.
        half: store float16, of half the size.

    Raises:
        ValueError: half, and a weight is larger than float16 can hold.
    """
    kept = torch.float16 if half else torch.float32
    tensors = {
        name: value.detach().to("cpu", kept if value.is_floating_point() else None)
        for name, value in network.state_dict().items()
    }
    if half and (large := [n for n, value in tensors.items() if not value.isfinite().all()]):
        raise ValueError(
            f"half: {', '.join(large[:_LISTED])} has weights beyond 65504, the largest in float16; "
            "save it with half=False."
        )
    metadata = {"architecture": type(network).__name__, "format": "pt"}
    data = safetensors.torch.save({n: t.contiguous() for n, t in tensors.items()}, metadata)
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end]) | {"__metadata__": metadata}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    return len(text).to_bytes(8, "little") + text + data[end:]


def _blank(source: Source, config: ColorizerConfig) -> ColorNet:
    """Return the network without memory: every tensor has its shape and type, none has values."""
    try:
        with torch.device("meta"), _WithoutValues():
            network = ColorNet(config)
    except ConfigError as error:
        raise ModelError(f"{CONFIG} of {source} cannot be used: {error}") from error
    parameters = sum(parameter.numel() for parameter in network.parameters())
    if parameters > _MOST_PARAMETERS:
        raise ModelError(
            f"{CONFIG} of {source} cannot be used: it describes a network of {parameters:,} "
            f"parameters; at most {_MOST_PARAMETERS:,} are allowed."
        )
    return network


class _WithoutValues(TorchFunctionMode):
    """Leaves out what only sets values: on the meta device there are none, and it takes seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """See TorchFunctionMode."""
        changed = args[0] if args and getattr(func, "__name__", "") in _SETTERS else None
        if isinstance(changed, Tensor) and changed.is_meta:
            return changed
        return func(*args, **(kwargs or {}))


def read_tensors(path: Path, source: Source, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, which must be exactly the expected ones.

    Args:
        path: of the file.
        source: where it comes from, for messages.
        expected: their names, shapes and types; values are not looked at. Instead of float32 a
            file may hold float16.

    Raises:
        ModelError: the file is broken or lies, a tensor is missing, unexpected or of another shape
            or type, or a value is not finite.
    """
    try:
        _check_header_size(path)
        with safe_open(path, "pt") as file:
            names = file.keys()
            found = {name: _described(file.get_slice(name)) for name in names}
            misfits = _misfits(found, {name: _describe(t) for name, t in expected.items()})
            tensors = {} if misfits else {n: _restored(file.get_tensor(n)) for n in names}
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            f"{WEIGHTS} of {source} is not a whole safetensors file: {_brief(error)}. "
            f"{impostor(path)}"
        ) from error
    if not misfits:
        wrong = [name for name in sorted(tensors) if not tensors[name].isfinite().all()]
        misfits = _listed({"not finite": wrong})
    if misfits:
        raise ModelError(f"{WEIGHTS} of {source} does not fit its {CONFIG}: {'; '.join(misfits)}.")
    return tensors


def _restored(tensor: Tensor) -> Tensor:
    """Return what was stored by halves, in float32 again."""
    return tensor.float() if tensor.dtype == torch.float16 else tensor


def _check_header_size(path: Path) -> None:
    """Check the size of the header, which is read and parsed as a whole."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
    if size > _MOST_HEADER and not impostor(path).startswith("It is"):
        raise ValueError(f"its header claims {size:,} bytes, more than {_MOST_HEADER:,}")


def _misfits(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Say what keeps tensors from being a network's weights; None if they can be."""
    findings = {
        "missing": sorted(expected.keys() - found.keys()),
        "unexpected": sorted(found.keys() - expected.keys()),
        "of another shape or type": [
            f"{name} is {found[name]}, expected {expected[name]}"
            for name in sorted(found.keys() & expected.keys())
            if found[name].replace("float16", "float32") != expected[name]
        ],
    }
    return _listed(findings)


def _listed(findings: dict[str, list[str]]) -> list[str]:
    return [
        f"{len(names)} {finding} "
        f"({', '.join(_brief(name) for name in names[:_LISTED])}{', ...' * (len(names) > _LISTED)})"
        for finding, names in findings.items()
        if names
    ]


def _describe(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype}".replace("torch.", "")


def _described(stored: object) -> str:
    """`_describe` of a tensor that is still in the file."""
    dtype = stored.get_dtype()  # pyright: ignore[reportAttributeAccessIssue]
    shape = tuple(stored.get_shape())  # pyright: ignore[reportAttributeAccessIssue]
    return f"{shape} {_DTYPES.get(dtype, dtype)}"


def _brief(text: object, most: int = 200) -> str:
    """Return a name or message from a foreign file, not longer than a message should be."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[:most]}..."
