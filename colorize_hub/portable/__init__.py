"""A model in ONNX: made from a trained one with torch, and run without it."""
