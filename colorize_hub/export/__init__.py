"""A model as ONNX graphs, for onnxruntime."""
