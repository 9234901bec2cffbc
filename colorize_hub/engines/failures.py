"""What goes wrong on a device, in one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from colorize_hub.errors import DeviceError, DeviceMemoryError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_OLD_DRIVER = ("driver on your system is too old", "driver version is insufficient")
_OTHER_GPU = ("no kernel image", "device kernel image is invalid")
_MPS_FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"


@contextmanager
def failures_in_words(device: str) -> Iterator[None]:
    """Say in one line what fails on a device.

    Raises:
        DeviceMemoryError: its memory is full.
        DeviceError: it does not work with this PyTorch.
    """
    try:
        yield
    except NotImplementedError as error:
        if _MPS_FALLBACK not in str(error):
            raise
        raise DeviceError(
            f"PyTorch {torch.__version__} cannot do all of it on {device}: set "
            f'{_MPS_FALLBACK}=1 before Python starts, or take device="cpu".'
        ) from error
    except RuntimeError as error:  # torch.OutOfMemoryError and AcceleratorError are such
        if isinstance(error, torch.OutOfMemoryError) or _says(error, _NO_MEMORY):
            raise DeviceMemoryError(
                f"{device} has not enough memory for this: work at a smaller size, give fewer or "
                'smaller pictures at once, or take device="cpu".'
            ) from error
        if reason := why_not(str(error)):
            raise DeviceError(f"{device} does not work here: {reason}") from error
        raise


def why_not(said: str) -> str:
    """Return what keeps a GPU from working, and what to do, of what torch said; "" if unknown."""
    if any(one in said for one in _OLD_DRIVER):
        return (
            "the NVIDIA driver is too old for this PyTorch. Update the driver, or install a "
            "PyTorch that it can run (pytorch.org)."
        )
    if any(one in said for one in _OTHER_GPU):
        return "this PyTorch was not built for such a GPU. Install one that was (pytorch.org)."
    if "CUDA" in said and "error" in said:
        return " ".join(said.partition("\n")[0].split())
    return ""


def _says(error: Exception, words: tuple[str, ...]) -> bool:
    return any(one in str(error) for one in words)
