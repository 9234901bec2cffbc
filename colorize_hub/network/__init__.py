"""The network: lightness, and hints, to a distribution over the ab palette."""
