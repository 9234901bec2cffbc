"""A training run: its flags, its loop, its checkpoints, its report and its upload."""
