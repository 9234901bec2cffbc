"""What computes: all that knows the machine."""
