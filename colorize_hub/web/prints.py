"""The historic prints that come with the pages."""

from pathlib import Path

# In the order they are shown; the first is on the page when it opens.
EXAMPLES = {
    "dust-bowl-home": "Dust Bowl home, 1935 to 1940",
    "french-alpine-landscape": "Alpine landscape, 1865 to 1870",
    "march-pastoral": "A March pastoral, 1888",
    "nagasaki-boats": "Boats in Nagasaki, about 1865",
    "black-canyon": "Black Cañon, 1871",
    "allium-oreophilum": "Allium ostrowskianum, 1928",
}
EXAMPLES_FOLDER = Path(__file__).parents[1] / "demo" / "examples"


def example_path(stem: str) -> Path:
    """Where the print of that name is."""
    return EXAMPLES_FOLDER / f"{stem}.jpg"
