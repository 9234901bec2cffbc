"""What can go wrong with a model that comes from, or goes to, somewhere else; errors in a line."""


class ModelError(ValueError):
    """A model that cannot be loaded, saved or pushed."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """There is no such folder, file, repo or revision."""


def one_line(error: Exception) -> str:
    """Return the text of an error for a terminal; an OSError as reason and file."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    return " ".join(text.split())
