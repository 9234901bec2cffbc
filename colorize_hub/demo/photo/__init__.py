"""The Photo tab: the colouring desk."""
