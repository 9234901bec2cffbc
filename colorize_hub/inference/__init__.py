"""From a picture, or frames, to colours."""
