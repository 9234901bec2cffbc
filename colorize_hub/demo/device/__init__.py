"""Colouring on the visitor's own machine, chosen on the page: what it fetches for that."""
