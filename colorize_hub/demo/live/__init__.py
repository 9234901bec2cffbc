"""The Live tab: a camera's picture in colour."""
