"""Engines: all that knows the machine. TorchEngine on any device, OnnxEngine on the CPU."""
