"""The Clip tab: a visitor's film in colour."""
