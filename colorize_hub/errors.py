"""What can go wrong with a model or a device; errors in a line."""


class ModelError(ValueError):
    """A model that cannot be loaded, saved or pushed."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """There is no such folder, file, repo or revision."""


class DeviceError(ValueError):
    """A device that does not work here."""


class DeviceMemoryError(MemoryError):
    """A device, or the CPU, that has not enough memory for what was asked of it."""


def one_line(error: Exception) -> str:
    """Return the text of an error for a terminal; an OSError as reason and file."""
    text = str(error) or type(error).__name__  # a MemoryError of Python says nothing
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    return " ".join(text.split())
