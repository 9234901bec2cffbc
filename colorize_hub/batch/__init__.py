"""One file, a folder, a dataset: pictures in colour, as files."""
