"""The picture formats: what each is called and what its files end in, read, written or neither."""

import os
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

EXTRA = "pip install 'colorize-hub[formats]'"


@dataclass(frozen=True)
class Format:
    """A format that pictures are read in.

    Attributes:
        name: as Pillow calls it.
        endings: of its files, in lower case.
        written: whether pictures in colour are saved in it.
        plugin: the package of the extra "formats" that reads it, if Pillow itself does not.
    """

    name: str
    endings: tuple[str, ...]
    written: bool = True
    plugin: str | None = None

    @property
    def is_here(self) -> bool:
        """Tell whether what reads it is installed."""
        return self.plugin is None or _is_installed(self.plugin)


@dataclass(frozen=True)
class Unread:
    """A kind of picture that is known and not read.

    Attributes:
        kind: what it is called.
        remedy: what to do about it.
    """

    kind: str
    remedy: str


FORMATS = (
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
    Format("MPO", (".mpo",), written=False),
    Format("PNG", (".png",)),
    Format("PNG", (".apng",), written=False),
    Format("TIFF", (".tif", ".tiff")),
    Format("WEBP", (".webp",)),
    Format("AVIF", (".avif",)),
    Format("HEIF", (".heic", ".heif", ".hif"), plugin="pillow_heif"),
    Format("JXL", (".jxl",), plugin="pillow_jxl"),
    Format("JPEG2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf")),
    Format("BMP", (".bmp", ".dib")),
    Format("GIF", (".gif",), written=False),
    Format("PPM", (".pbm", ".pgm", ".pnm", ".ppm"), written=False),
    Format("TGA", (".tga",), written=False),
)
_SPOKEN = {"HEIF": "HEIC", "JXL": "JPEG XL", "JPEG2000": "JPEG 2000"}
_BY_ENDING = {ending: one for one in FORMATS for ending in one.endings}

RAW = Unread("camera raw", "develop it first, and save it as TIFF or JPEG")
LINEAR = Unread("linear light", "it says no white; save it as 16-bit TIFF or PNG first")
DRAWING = Unread("a document of layers or lines", "export it as TIFF or PNG first")
_UNREAD = {
    **dict.fromkeys(
        (
            *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".sr2", ".srf", ".orf"),
            *(".raf", ".rw2", ".rwl", ".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".erf"),
            *(".kdc", ".dcr", ".mrw", ".mef", ".mos", ".raw"),
        ),
        RAW,
    ),
    **dict.fromkeys((".pfm", ".hdr", ".exr"), LINEAR),
    **dict.fromkeys((".psd", ".psb", ".xcf", ".svg", ".ai", ".eps", ".pdf"), DRAWING),
}


def is_read(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file of this name is taken for a picture that can be read here."""
    one = _BY_ENDING.get(_ending(path))
    return one is not None and one.is_here


def unread(path: str | os.PathLike[str]) -> Unread | None:
    """Return what a file of this name is, if it is a picture of a kind that is not read here."""
    ending = _ending(path)
    one = _BY_ENDING.get(ending)
    if one is not None and not one.is_here:
        return without_extra(one.name)
    return _UNREAD.get(ending)


def without_extra(format_name: str) -> Unread:
    """Say what is missing for a format whose plugin is not installed."""
    return Unread(_SPOKEN.get(format_name, format_name), f"{EXTRA} reads it")


def register(format_name: str) -> bool:
    """Let Pillow read and write a format of the extra; False where that is not installed."""
    one = next(one for one in FORMATS if one.name == format_name)
    if one.plugin is None or not one.is_here:
        return one.is_here
    plugin = import_module(one.plugin)  # Pillow's formats are registered once a process
    if one.name == "HEIF":
        plugin.register_heif_opener()
    return True


def written_format(path: str | os.PathLike[str]) -> str | None:
    """Return Pillow's name of the format that a picture is saved in under this name, if any."""
    one = _BY_ENDING.get(_ending(path))
    return one.name if one is not None and one.written and one.is_here else None


def suffix_of(format_name: str | None) -> str:
    """Return the ending of a format, if pictures in colour are saved in it; ".png" if not."""
    for one in FORMATS:
        if one.name == format_name and one.written and one.is_here:
            return one.endings[0]
    return ".png"


def read_endings() -> tuple[str, ...]:
    """Return the endings of all files for which `is_read`."""
    return tuple(ending for ending, one in _BY_ENDING.items() if one.is_here)


def _ending(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower()


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
