"""Between a picture file, a PIL image or an array, and plain sRGB pixels: reading and saving."""
