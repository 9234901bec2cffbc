"""The client of the Hugging Face Hub: checked files in, one atomic commit out. No torch."""
