"""How good a model is: scores, hint curve, steadiness, and the pictures that show them."""
