"""Training: `python -m train`. It uses the library; the library never uses it."""
