"""The network in training: its start, its encoder's weights, and as it leaves the run."""
