"""What can go wrong with a model that comes from, or goes to, somewhere else."""


class ModelError(ValueError):
    """A model that cannot be loaded, saved or pushed."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """There is no such folder, file, repo or revision."""
