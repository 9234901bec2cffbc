"""The page that needs no server: static files that colour on the visitor's own machine."""
