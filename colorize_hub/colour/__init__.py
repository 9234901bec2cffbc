"""Colour science: sRGB, CIE L*a*b*, the ab palette, the gamut, resizing; each formula once."""
