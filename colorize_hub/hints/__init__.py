"""Hints: colours that a person fixes, and what they say about the rest of the picture."""
